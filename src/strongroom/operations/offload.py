"""Large pieces of work go to threads, so that the event loop answers others meanwhile.

What a caller sends is bounded, but a transaction of the largest size takes longer to decode and check than others
should wait. The threads are few and so is what may wait for one: more is told to come again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

from strongroom.errors import RateLimited
from strongroom.telemetry.metrics import OFFLOADED_QUEUE, OFFLOADED_TOTAL

P = ParamSpec("P")
T = TypeVar("T")

_PER_VALUE: Final = 8
_TRIM_SECONDS: Final = 5.0


class Offload:
    """``large``: the size from which work goes to one of ``threads``; ``waiting``: how much of it may wait."""

    def __init__(self, *, large: int = 16_384, threads: int = 1, waiting: int = 32) -> None:
        self._large = large
        self._most = threads + waiting
        self._pool = ThreadPoolExecutor(threads, "large")
        self._pending = 0
        self._trimmed = 0.0

    def is_large(self, document: object) -> bool:
        """Whether text or a tree of JSON is large. Looks at no more of it than it takes to know."""
        size, rest = 0, [document]
        while rest:
            value = rest.pop()
            size += _PER_VALUE
            match value:
                case str() | bytes():
                    size += len(value)
                case dict():
                    size += _PER_VALUE * len(value) + sum(map(len, value)) if len(value) < self._large else self._large
                    rest.extend(value.values())
                case list():
                    rest.extend(value[: self._large])
            if size >= self._large or len(rest) * _PER_VALUE >= self._large:
                return True
        return False

    def is_large_text(self, raw: bytes) -> bool:
        return len(raw) >= self._large

    async def run(self, large: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``work``'s result. Raises what it raises, and RateLimited when too much waits already."""
        if not large:
            return work(*args, **kwargs)
        if self._pending >= self._most:
            OFFLOADED_TOTAL.labels("refused").inc()
            raise RateLimited("too many large requests are under way", retry_after=1)
        self._pending += 1
        OFFLOADED_QUEUE.inc()
        OFFLOADED_TOTAL.labels("run").inc()
        loop = asyncio.get_running_loop()
        future = self._pool.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: _call_soon(loop, self._done))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self) -> None:
        self._pending -= 1
        OFFLOADED_QUEUE.dec()
        if not self._pending and time.monotonic() - self._trimmed > _TRIM_SECONDS:
            self._trimmed = time.monotonic()
            with contextlib.suppress(RuntimeError):  # it is closed
                self._pool.submit(_return_memory)


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[], Any]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work)


def _return_memory() -> None:
    """The C library keeps for each thread what large documents needed there. On others than glibc nothing happens."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
