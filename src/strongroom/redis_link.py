"""Calls to Redis: in bounded time, and not at all for a while after Redis has failed to respond."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import AskError, ReadOnlyError, ResponseError

from strongroom.breaker import CircuitBreaker
from strongroom.telemetry import tracing

T = TypeVar("T")

_log = structlog.get_logger(__name__)


_NOT_THE_PRIMARY: Final = (ReadOnlyError, AskError)
"""The node was demoted, or belongs to a Redis Cluster, which is not supported. In redis-py, MOVED is an AskError."""
_LET_GO_SECONDS: Final = 1.0
"""Idle connections are closed at most this often. A Redis that stays read-only still serves reads."""


def _of_a_read_only_script(error: ResponseError) -> bool:
    """Redis before 7 wraps what a script met, such as `ERR Error running script (…): @user_script:1: -READONLY …`."""
    text = str(error)
    return text.startswith("Error running script") and "READONLY You can't write" in text


async def disconnect(client: Redis) -> None:
    """Close a client, and its connections to Sentinels, which `Redis.aclose` leaves open."""
    await client.aclose(close_connection_pool=True)
    manager: Any = getattr(client.connection_pool, "sentinel_manager", None)
    for sentinel in () if manager is None else manager.sentinels:
        await sentinel.aclose(close_connection_pool=True)


class Lost(Exception):
    """Redis did not respond, or not in time."""


class RedisLink:
    """A Redis client behind a circuit breaker. ``timeout`` is the longest a call may take, in seconds.

    A failed call counts against the breaker, so that later calls over this link fail at once. A command that Redis
    refuses does not count as failed.
    """

    def __init__(self, client: Redis, breaker: CircuitBreaker, *, timeout: float = 0.05) -> None:
        self.client = client
        self.breaker = breaker
        self._timeout = timeout
        self._under_way: set[asyncio.Future[Any]] = set()
        self._let_go_at = 0.0

    @tracing.traced("redis", tracing.CLIENT)
    async def ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises CircuitOpen, Lost, or ResponseError if Redis refuses the command."""
        with self.breaker.call() as call:
            try:
                answer = await self._in_time(work)
            except _NOT_THE_PRIMARY as error:
                call.failed = not isinstance(error, ReadOnlyError)
                _log.warning("redis.not_the_primary", error=type(error).__name__)
                await self._let_go()
                raise Lost from None
            except ResponseError as error:
                call.failed = False
                if not _of_a_read_only_script(error):
                    raise
                _log.warning("redis.not_the_primary", error=ReadOnlyError.__name__)
                await self._let_go()
                raise Lost from None
            except Exception as error:  # noqa: BLE001 whatever the client raises, Redis is nobody's error
                call.failed = True
                _log.warning("redis.lost", error=type(error).__name__)
                raise Lost from None
            call.failed = False
            return answer

    async def _let_go(self) -> None:
        """Close idle connections. A new connection finds the current primary."""
        now = time.monotonic()
        if now < self._let_go_at:
            return
        self._let_go_at = now + _LET_GO_SECONDS
        await self.client.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        await disconnect(self.client)

    async def _in_time(self, work: Callable[[], Awaitable[T]]) -> T:
        """Raises TimeoutError on time. In Python 3.11 `wait_for`, which the client uses, can swallow a cancellation."""
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
            task.exception()  # retrieved, so that asyncio does not warn if nobody waits for it any more
