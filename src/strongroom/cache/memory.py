"""A cache in the memory of this process, which drops the least recently used entries first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from uuid import UUID

from strongroom.cache.base import MAX_SIZE, CacheKey, Entry
from strongroom.telemetry.metrics import CACHE_LOOKUPS_TOTAL, CACHE_WRITES_TOTAL

_OVERHEAD: Final = 600
"""Approximate number of bytes that an entry takes beside its value."""


class MemoryCache:
    """``size`` is the number of bytes that all entries together may take."""

    def __init__(self, size: int, *, clock: Callable[[], float] = time.time) -> None:
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[CacheKey, Entry] = OrderedDict()
        self._taken = 0

    async def get(self, key: CacheKey) -> Entry | None:
        entry = self._entries.get(key)
        result = "miss" if entry is None else "hit"
        if entry is not None and entry.expires_at <= self._clock() * 1000:
            self._drop(key)
            entry, result = None, "expired"
        if entry is not None:
            self._entries.move_to_end(key)
        CACHE_LOOKUPS_TOTAL.labels(key.kind, "memory", result).inc()
        return entry

    async def put(self, key: CacheKey, entry: Entry) -> None:
        self._drop(key)
        if len(entry.value) > MAX_SIZE[key.kind]:
            CACHE_WRITES_TOTAL.labels(key.kind, "memory", "too_large").inc()
            return
        CACHE_WRITES_TOTAL.labels(key.kind, "memory", "ok").inc()
        self._entries[key] = entry
        self._taken += len(entry.value) + _OVERHEAD
        while self._taken > self._size:
            self._drop(next(iter(self._entries)))

    async def forget(self, owner: UUID) -> None:
        for key in [key for key in self._entries if key.owner == owner]:
            self._drop(key)

    async def close(self) -> None:
        self._entries.clear()
        self._taken = 0

    def _drop(self, key: CacheKey) -> None:
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self._taken -= len(dropped.value) + _OVERHEAD
