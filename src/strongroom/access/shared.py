"""Share one read among all callers that want the same thing at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """Prevents a rush on the database when a cached value expires and every request notices at once."""

    def __init__(self) -> None:
        self._reads: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, read: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return or raise what ``read`` does. A caller that is cancelled does not cancel the read for the others."""
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = asyncio.create_task(read())
            task.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(task)

    def forget(self, key: K) -> None:
        """Make later calls read again."""
        self._reads.pop(key, None)

    def _end(self, key: K, task: asyncio.Task[V]) -> None:
        if self._reads.get(key) is task:
            del self._reads[key]
        if not task.cancelled():
            task.exception()  # the waiting callers have it; if none is left, asyncio should not warn about it
