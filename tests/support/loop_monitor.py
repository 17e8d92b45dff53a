"""Inside a server under test: for how long its event loop was blocked, by the clock and by processor time.

Every second the longest of both goes to the file in LOOP_MONITOR, in milliseconds. The clock includes what other
processes of a busy machine took. Processor time is that of the loop's own thread.
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
        with file.open("a") as out:  # noqa: ASYNC230 - a line per second
            out.write(json.dumps([round(wall * 1000, 1), round(cpu * 1000, 1)]) + "\n")
