"""Memory in front of Redis, or memory alone. A miss goes to the next tier, and one caller reads for all."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Final
from uuid import UUID

from strongroom.cache.base import CacheKey, Entry, Kind, Tier
from strongroom.telemetry.alarms import integrity_alarm

_JITTER: Final = 0.1
"""Share of a lifetime by which expiry varies, so that entries written together do not expire together."""
_WRITES: Final = 256
"""Most writes to the far tier at one time. Any more are dropped, because then the tier is slower than its callers."""


class TieredCache:
    """``lifetimes`` are in seconds by kind. A kind that is missing, or has 0, is not cached."""

    def __init__(
        self,
        near: Tier,
        far: Tier | None,
        lifetimes: Mapping[Kind, float],
        *,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._near = near
        self._far = far
        self._lifetimes = lifetimes
        self._clock = clock
        self._uniform = uniform
        self._flights: dict[CacheKey, asyncio.Task[bytes | None]] = {}
        self._writes: set[asyncio.Task[None]] = set()

    async def fetch(
        self,
        key: CacheKey,
        fill: Callable[[], Awaitable[bytes | None]],
        accept: Callable[[bytes], bool] = lambda _: True,
        *,
        lifetime: float | None = None,
    ) -> bytes | None:
        entry = await self._near.get(key)
        if entry is not None:
            return entry.value
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._load(key, fill, accept, lifetime), name="cache-fill")
            self._flights[key] = flight
            flight.add_done_callback(lambda landed: self._landed(key, landed))
        return await asyncio.shield(flight)  # a caller's deadline must not end the others' wait

    async def keep(self, key: CacheKey, value: bytes, *, lifetime: float | None = None) -> None:
        entry = self.entry(key.kind, value, lifetime)
        if entry is not None:
            await self.put(key, entry)

    def entry(self, kind: Kind, value: bytes, lifetime: float | None = None) -> Entry | None:
        """None if the kind is not cached."""
        most = self._lifetimes.get(kind, 0)
        seconds = (most if lifetime is None else min(most, lifetime)) * self._uniform(1 - _JITTER, 1)
        return Entry(value, int((self._clock() + seconds) * 1000)) if seconds else None

    async def get(self, key: CacheKey) -> Entry | None:
        entry = await self._near.get(key)
        if entry is None and self._far is not None:
            entry = await self._far.get(key)
            if entry is not None:
                await self._near.put(key, entry)
        return entry

    async def put(self, key: CacheKey, entry: Entry) -> None:
        """Returns before the far tier has the entry."""
        await self._near.put(key, entry)
        if self._far is not None and len(self._writes) < _WRITES:
            self._in_background(self._far.put(key, entry))

    async def forget(self, owner: UUID) -> None:
        """Other processes keep what is in their memory until it expires."""
        for key in [key for key in self._flights if key.owner == owner]:
            del self._flights[key]  # a value that is being loaded is not kept
        await self._near.forget(owner)
        await asyncio.gather(*self._writes, return_exceptions=True)
        if self._far is not None:
            await self._far.forget(owner)

    async def close(self) -> None:
        await asyncio.gather(*self._flights.values(), *self._writes, return_exceptions=True)
        await self._near.close()
        if self._far is not None:
            await self._far.close()

    async def _load(
        self,
        key: CacheKey,
        fill: Callable[[], Awaitable[bytes | None]],
        accept: Callable[[bytes], bool],
        lifetime: float | None,
    ) -> bytes | None:
        is_kept = self._lifetimes.get(key.kind, 0) > 0
        if is_kept and self._far is not None:
            entry = await self._far.get(key)
            if entry is not None and accept(entry.value):
                if self._is_wanted(key):
                    await self._near.put(key, entry)
                return entry.value
            if entry is not None:
                integrity_alarm("cache", cached=key.kind, owner=key.owner)
        value = await fill()
        if value is not None and is_kept and self._is_wanted(key):
            await self.keep(key, value, lifetime=lifetime)
        return value

    def _is_wanted(self, key: CacheKey) -> bool:
        return self._flights.get(key) is asyncio.current_task()

    def _landed(self, key: CacheKey, flight: asyncio.Task[bytes | None]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # retrieved, so that asyncio does not warn if all callers are gone

    def _in_background(self, write: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(write, name="cache-write")
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
