"""A cache in Redis. All replicas share it, and it may be slow, down, or written to by others."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog
from redis.exceptions import ResponseError

from strongroom.breaker import CircuitOpen, CircuitState
from strongroom.cache.base import MAX_SIZE, CacheKey, Entry
from strongroom.cache.envelope import NAMESPACE, Envelopes, Forged, largest
from strongroom.redis_link import Lost, RedisLink
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import CACHE_LOOKUPS_TOTAL, CACHE_WRITES_TOTAL

_log = structlog.get_logger(__name__)

_MEMBERS_MS: Final = 2 * 86_400_000
"""How long the set of a wallet's entries lives after its last write: longer than any entry."""
_BATCH: Final = 500
_BATCHES: Final = 1000


class RedisCache:
    """A tier of the cache. A read that ``link`` loses is a miss, and a lost write is not kept."""

    def __init__(self, link: RedisLink, envelopes: Envelopes, *, clock: Callable[[], float] = time.time) -> None:
        self._link = link
        self._client = link.client
        self._envelopes = envelopes
        self._clock = clock

    async def get(self, key: CacheKey) -> Entry | None:
        """Read no more bytes than an entry of this kind may have, whatever is stored there."""
        result, entry = "miss", None
        try:
            found = await self._link.ask(
                lambda: self._client.getrange(self._envelopes.place(key), 0, largest(key.kind))
            )
            if found:
                entry, result = self._envelopes.open(key, _bytes(found)), "hit"
        except CircuitOpen:
            result = "skipped"
        except Lost:
            result = "error"
        except ResponseError as error:
            result = "forged" if str(error).startswith("WRONGTYPE") else "error"
        except Forged:
            result = "forged"
        if entry is not None and entry.expires_at <= self._clock() * 1000:
            entry, result = None, "expired"
        if result == "forged":
            integrity_alarm("cache", cached=key.kind, owner=key.owner)
        CACHE_LOOKUPS_TOTAL.labels(key.kind, "redis", result).inc()
        return entry

    async def put(self, key: CacheKey, entry: Entry) -> None:
        result = "ok" if len(entry.value) <= MAX_SIZE[key.kind] else "too_large"
        if result == "ok":
            try:
                await self._link.ask(lambda: self._write(key, entry))
            except CircuitOpen:
                result = "skipped"
            except (Lost, ResponseError):
                result = "error"
        CACHE_WRITES_TOTAL.labels(key.kind, "redis", result).inc()

    async def forget(self, owner: UUID) -> None:
        """An entry that cannot be dropped in time stays until it expires."""
        try:
            await self._link.ask(lambda: self._drop(self._envelopes.members(owner)))
        except (CircuitOpen, Lost, ResponseError):
            _log.warning("cache.not_forgotten", owner=str(owner))

    async def check(self, key: CacheKey, entry: Entry | None) -> bool:
        """Write the entry, or only ping, in one call. Returns whether Redis accepts that and requests use it.

        Raises if Redis does not respond. The call also serves as the probe of a half-open circuit. Without callers, the
        circuit of a healthy Redis would otherwise never close.
        """
        try:
            await (self._client.ping() if entry is None else self._write(key, entry))
        except ResponseError as error:
            _log.warning("cache.refused", error=type(error).__name__)
            return False
        if self._link.breaker.state is CircuitState.HALF_OPEN:
            with suppress(CircuitOpen), self._link.breaker.call() as call:
                call.failed = False
        return self._link.breaker.state is CircuitState.CLOSED

    async def close(self) -> None:
        await self._link.close()

    async def _write(self, key: CacheKey, entry: Entry) -> None:
        left = entry.expires_at - int(self._clock() * 1000)
        place, members = self._envelopes.place(key), self._envelopes.members(key.owner)
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(place, self._envelopes.seal(key, entry), px=max(left, 1))
            pipeline.sadd(members, place)
            pipeline.pexpire(members, _MEMBERS_MS)
            await pipeline.execute()

    async def _drop(self, members: str) -> None:
        """Delete only keys of ours, whatever the set contains, and stop after `_BATCHES`, whatever Redis responds."""
        for _ in range(_BATCHES):
            found = await self._client.spop(members, _BATCH)
            if not found:
                return
            places = [place for place in map(_bytes, found) if place.startswith(NAMESPACE.encode())]
            if places:
                await self._client.unlink(*places)


def _bytes(answer: object) -> bytes:
    """Raises Forged for a reply of another type."""
    if not isinstance(answer, bytes):
        raise Forged
    return answer
