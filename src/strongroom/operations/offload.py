"""Runs large pieces of work in threads, so that the event loop serves other requests meanwhile.

The size of a request is bounded, but decoding and checking the largest transaction takes longer than others should
wait. There are few threads, and the number of waiting pieces is bounded too. Beyond that callers are told to retry.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from strongroom.errors import RateLimited
from strongroom.telemetry.metrics import OFFLOADED_QUEUE, OFFLOADED_TOTAL

P = ParamSpec("P")
T = TypeVar("T")

_PER_VALUE: Final = 8
_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)
_TRIM_SECONDS: Final = 5.0


class Offload:
    """``large``: size from which work goes to one of ``threads``. ``waiting``: how many pieces may wait for a
    thread.
    """

    def __init__(self, *, large: int = 16_384, threads: int = 1, waiting: int = 32) -> None:
        self._large = large
        self._most = threads + waiting
        self._pool = ThreadPoolExecutor(threads, "large")
        self._pending = 0
        self._trimmed = 0.0

    def is_large(self, document: object) -> bool:
        """Whether a text or a JSON tree is large. It stops counting once that is known."""
        size, rest = 0, [document]
        while rest:
            value = rest.pop()
            size += _PER_VALUE
            if isinstance(value, str | bytes):
                size += len(value)
            elif isinstance(value, dict):
                size += _PER_VALUE * len(value) + sum(map(len, value)) if len(value) < self._large else self._large
                rest.extend(value.values())
            elif isinstance(value, list):
                rest.extend(value[: self._large])
            if size >= self._large or len(rest) * _PER_VALUE >= self._large:
                return True
        return False

    def is_large_text(self, raw: bytes) -> bool:
        return len(raw) >= self._large

    async def run(self, large: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs ``work`` and returns its result. Raises what ``work`` raises, and RateLimited if too many pieces wait
        already.
        """
        if not large:
            return work(*args, **kwargs)
        if self._pending >= self._most:
            OFFLOADED_TOTAL.labels("refused").inc()
            raise RateLimited("too many large requests are in progress: try again", retry_after=1)
        self._pending += 1
        OFFLOADED_QUEUE.inc()
        OFFLOADED_TOTAL.labels("run").inc()
        return await asyncio.wrap_future(self._submit(partial(work, *args, **kwargs)))

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        loop = asyncio.get_running_loop()
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: _call_soon(loop, self._done))
        return future

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self) -> None:
        self._pending -= 1
        OFFLOADED_QUEUE.dec()
        if not self._pending and time.monotonic() - self._trimmed > _TRIM_SECONDS:
            self._trimmed = time.monotonic()
            with contextlib.suppress(RuntimeError):  # the pool is closed
                self._pool.submit(_return_memory)


def _call_soon(loop: asyncio.AbstractEventLoop, work: Callable[[], Any]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(work)


def _return_memory() -> None:
    """Returns memory to the system, because the C library keeps what large documents needed in each thread. Only on
    glibc.
    """
    if _TRIM is not None:
        _TRIM(0)
