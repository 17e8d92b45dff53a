"""A key wrap in front of another one that combines calls which arrive while it is busy.

There is no artificial delay. A batch holds what arrived while the batches before it were in progress. One new wallet
costs one call to Vault, and a hundred at once cost a few.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from strongroom.keywrap.base import KeyWrap, KeyWrapStatus, WrapFailure, Wrapped

I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

_BATCH: Final = 200
_AT_ONCE: Final = 8
"""Few enough for large batches, and enough for an outage to give the circuit breaker several failures at once."""


class GatheredKeyWrap:
    """Implements `KeyWrap`. If a batch fails, every call in it fails with the same error."""

    def __init__(self, inner: KeyWrap) -> None:
        self._inner = inner
        self._wraps = _Gatherer(inner.wrap)
        self._unwraps = _Gatherer(inner.unwrap)

    @property
    def name(self) -> str:
        return self._inner.name

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        return await self._wraps(items)

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        return await self._unwraps(items)

    async def rewrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        return await self._inner.rewrap(items)

    async def newest_version(self) -> int:
        return await self._inner.newest_version()

    async def check(self) -> KeyWrapStatus:
        return await self._inner.check()

    async def close(self) -> None:
        await self._inner.close()


@dataclass(slots=True)
class _Call(Generic[I, R]):
    items: Sequence[I]
    done: asyncio.Future[list[R]]


class _Gatherer(Generic[I, R]):
    def __init__(self, ask: Callable[[Sequence[I]], Awaitable[list[R]]]) -> None:
        self._ask = ask
        self._waiting: deque[_Call[I, R]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, items: Sequence[I]) -> list[R]:
        call: _Call[I, R] = _Call(items, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        self._start()
        return await call.done

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < _AT_ONCE:
            task = asyncio.create_task(self._run(self._take()))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    def _take(self) -> list[_Call[I, R]]:
        """The calls of the next batch. It has at least one, even if that exceeds the batch size."""
        calls = [self._waiting.popleft()]
        size = len(calls[0].items)
        while self._waiting and (size := size + len(self._waiting[0].items)) <= _BATCH:
            calls.append(self._waiting.popleft())
        return calls

    async def _run(self, calls: Sequence[_Call[I, R]]) -> None:
        try:
            answers = await self._ask([item for call in calls for item in call.items])
        except Exception as error:  # noqa: BLE001 - every waiting caller gets it
            for call in calls:
                if not call.done.done():
                    call.done.set_exception(error)
            return
        start = 0
        for call in calls:
            if not call.done.done():  # unless its caller was cancelled
                call.done.set_result(answers[start : start + len(call.items)])
            start += len(call.items)
