"""Work that is done for many callers at once waits a little for more of them, if the event loop is saturated.

Over gRPC the requests reach the loop one by one, each after the work of the one before. What is done at once for all
that wait would then be done for two or three of them. A loop with time to spare gains nothing from waiting, so there it
does not wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

_SATURATED: Final = 0.6
"""Share of the time in which the thread of the event loop computes."""
_WINDOW: Final = 0.05
"""Seconds over which it is measured, at least."""
_WAIT: Final = 0.005
_ENOUGH: Final = 16
"""So many share the cost already."""


class Gathering:
    """Call `more` from the event loop alone."""

    def __init__(self) -> None:
        self._since = (time.perf_counter(), time.thread_time())
        self._share = 0.0

    async def more(self, waiting: int) -> None:
        """Waits for further callers, if that is worth it."""
        if waiting < _ENOUGH and self._is_saturated():
            await asyncio.sleep(_WAIT)

    def _is_saturated(self) -> bool:
        wall, cpu = self._since
        now = time.perf_counter()
        if now - wall >= _WINDOW:
            computed = time.thread_time()
            self._share = (computed - cpu) / (now - wall)
            self._since = (now, computed)
        return self._share > _SATURATED
