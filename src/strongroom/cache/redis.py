"""Entries in Redis, which all replicas share and which may be slow, gone, or written by somebody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from strongroom.breaker import CircuitBreaker, CircuitOpen, CircuitState
from strongroom.cache.base import MAX_SIZE, CacheKey, Entry
from strongroom.cache.envelope import NAMESPACE, Envelopes, Forged, largest
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import CACHE_LOOKUPS_TOTAL, CACHE_WRITES_TOTAL

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_MEMBERS_MS: Final = 2 * 86_400_000
"""How long a wallet's list of entries lives after the last of them: longer than any entry does."""
_BATCH: Final = 500
_BATCHES: Final = 1000
_PATIENCE: Final = 2.0
"""Seconds after which the client itself gives up. What serves a request gives up long before, a check does not."""


class _Lost(Exception):
    """No answer, or none in time."""


def connect(url: str, *, username: str | None, password: str | None, ca_file: Path | None, pool_size: int) -> Redis:
    """Connects when it is first asked. RESP2 and no greeting: a connection costs one round trip, or two with a login.

    Nothing is tried again.
    """
    options: dict[str, Any] = {"username": username, "password": password}
    if url.startswith("rediss:") and ca_file is not None:
        options["ssl_ca_certs"] = str(ca_file)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=pool_size,
        timeout=_PATIENCE,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        **{name: value for name, value in options.items() if value is not None},
    )
    return Redis.from_pool(pool)


class RedisCache:
    """``timeout``: seconds that any call of a tier may take. One that fails opens the circuit, so that the next ones
    do not wait at all; Redis may refuse a write without that.
    """

    def __init__(
        self,
        client: Redis,
        envelopes: Envelopes,
        breaker: CircuitBreaker,
        *,
        timeout: float = 0.05,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._envelopes = envelopes
        self._breaker = breaker
        self._timeout = timeout
        self._clock = clock
        self._under_way: set[asyncio.Future[Any]] = set()

    async def get(self, key: CacheKey) -> Entry | None:
        """Reads no more than an entry of this kind may have, whatever lies there."""
        result, entry = "miss", None
        try:
            found = await self._ask(lambda: self._client.getrange(self._envelopes.place(key), 0, largest(key.kind)))
            if found:
                entry, result = self._envelopes.open(key, _bytes(found)), "hit"
        except CircuitOpen:
            result = "skipped"
        except _Lost:
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
                await self._ask(lambda: self._write(key, entry))
            except CircuitOpen:
                result = "skipped"
            except (_Lost, ResponseError):
                result = "error"
        CACHE_WRITES_TOTAL.labels(key.kind, "redis", result).inc()

    async def forget(self, owner: UUID) -> None:
        """What does not go in time goes when it expires."""
        try:
            await self._ask(lambda: self._drop(self._envelopes.members(owner)))
        except (CircuitOpen, _Lost, ResponseError):
            _log.warning("cache.not_forgotten", owner=str(owner))

    async def check(self, key: CacheKey, entry: Entry | None) -> bool:
        """Writes the entry, or only asks: one call. Whether it may, and requests use Redis.

        Raises where Redis does not answer.

        It is the probe of a circuit that is half open: without callers, one that is well would stay so for ever.
        """
        try:
            await (self._client.ping() if entry is None else self._write(key, entry))
        except ResponseError as error:
            _log.warning("cache.refused", error=type(error).__name__)
            return False
        if self._breaker.state is CircuitState.HALF_OPEN:
            with suppress(CircuitOpen), self._breaker.call() as call:
                call.failed = False
        return self._breaker.state is CircuitState.CLOSED

    async def close(self) -> None:
        await self._client.aclose(close_connection_pool=True)

    async def _write(self, key: CacheKey, entry: Entry) -> None:
        left = entry.expires_at - int(self._clock() * 1000)
        place, members = self._envelopes.place(key), self._envelopes.members(key.owner)
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(place, self._envelopes.seal(key, entry), px=max(left, 1))
            pipeline.sadd(members, place)
            pipeline.pexpire(members, _MEMBERS_MS)
            await pipeline.execute()

    async def _drop(self, members: str) -> None:
        """Nothing that is not ours, whoever wrote the list; and no more than there can be, whatever is answered."""
        for _ in range(_BATCHES):
            found = await self._client.spop(members, _BATCH)
            if not found:
                return
            places = [place for place in map(_bytes, found) if place.startswith(NAMESPACE.encode())]
            if places:
                await self._client.unlink(*places)

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises CircuitOpen, ResponseError (it answers, and refuses), _Lost."""
        with self._breaker.call() as call:
            try:
                answer = await self._in_time(work)
            except ResponseError:
                call.failed = False
                raise
            except Exception as error:  # noqa: BLE001 whatever the client raises, a cache is nobody's error
                call.failed = True
                _log.warning("cache.lost", error=type(error).__name__)
                raise _Lost from None
            call.failed = False
            return answer

    async def _in_time(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises TimeoutError, on time: Python 3.11's `wait_for`, which the client uses, can swallow a cancellation."""
        task = asyncio.ensure_future(work())
        self._under_way.add(task)
        task.add_done_callback(self._over)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._timeout)
        finally:
            task.cancel()
        if not done or task.cancelled():
            raise TimeoutError
        return task.result()

    def _over(self, task: asyncio.Future[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # has been seen, also where nobody waits any more


def _bytes(answer: object) -> bytes:
    """A server may answer anything."""
    if not isinstance(answer, bytes):
        raise Forged
    return answer
