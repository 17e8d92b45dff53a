"""Inside a server under test: how long its event loop did not turn, by the clock and by the processor.

Every second the longest of both goes to the file that LOOP_MONITOR names, in milliseconds. The clock also counts what
other processes of a busy machine took; the processor counts what the loop's own thread did.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

TICK = 0.005
REPORT = 1.0


def install() -> None:
    from strongroom.entrypoints import worker

    serve = worker.Worker._serve

    async def watched(self: Any) -> None:
        task = asyncio.create_task(_watch(), name="loop-monitor")
        try:
            await serve(self)
        finally:
            task.cancel()

    worker.Worker._serve = watched  # type: ignore[method-assign]


async def _watch() -> None:
    file = Path(os.environ["LOOP_MONITOR"])
    while True:
        wall = cpu = 0.0
        until = time.monotonic() + REPORT
        while (began := time.monotonic()) < until:
            busy = time.thread_time()
            await asyncio.sleep(TICK)
            wall = max(wall, time.monotonic() - began - TICK)
            cpu = max(cpu, time.thread_time() - busy)
        with file.open("a") as out:  # noqa: ASYNC230 - a line a second
            out.write(json.dumps([round(wall * 1000, 1), round(cpu * 1000, 1)]) + "\n")
