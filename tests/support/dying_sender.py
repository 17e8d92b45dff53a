"""A process that serves one call and kills itself on the way. Its orders are JSON.

``dies_at`` is a failpoint, and ``dies_after`` the number of times it is reached before. With ``stays`` the process
lives on after the call.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from strongroom.telemetry import failpoints
from tests.support.service import running


async def serve(orders: dict[str, Any]) -> None:
    left = orders["dies_after"]

    def die(point: str) -> None:
        nonlocal left
        left -= point == orders["dies_at"]
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async with running(Path(orders["data"]), orders["settings"]) as service:
        failpoints.arm(die)
        await service.http.call(
            orders["operation"], orders["command"], key=orders["key"], idempotency_key=orders["idempotency_key"]
        )
        if orders.get("stays"):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
