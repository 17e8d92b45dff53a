"""PostgreSQL: work runs in SQLAlchemy's greenlet over asyncpg.

A connection is not pinged before it is used: that is a round trip a transaction. The first one that turns out to be
dead takes the whole pool with it, and whatever it was used for is run again on a new one, unless COMMIT was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
from sqlalchemy import Dialect, event, exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

from strongroom.errors import ConfigurationError, StorageUnavailable
from strongroom.storage.database import Limits, OutcomeUnknown, Work, persist, unavailable

T = TypeVar("T")

_STATEMENTS: Final = 500
_LONG: Final = 10.0
"""Seconds for which something is tried again where it may take as long as it does."""

_FILES: Final = {"sslrootcert", "sslcert", "sslkey", "sslcrl"}
_LOST_TO_OTHERS: Final = {"40001", "40P01", "55P03"}
"""serialization_failure, deadlock_detected, lock_not_available."""
_GONE: Final = {"57P01", "57P02", "57P03", "25006"}
"""admin_shutdown, crash_shutdown, cannot_connect_now, read_only_sql_transaction: the primary is another by now."""
_SAYS_NOTHING: Final = {"08", "57", "XX"}
"""Classes of errors after which a COMMIT may stand all the same: connection, operator, internal."""


class PostgresDatabase:
    """Implements `database.Database`."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._seconds = limits.timeout
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            pool_size=limits.pool_size,
            max_overflow=0,
            pool_timeout=limits.pool_timeout,
            hide_parameters=True,
            connect_args={
                "async_creator_fn": _connector(url, limits),
                "prepared_statement_cache_size": _STATEMENTS,
            },
        )
        event.listen(self._engine.sync_engine, "handle_error", _throw_away)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    @property
    def connections(self) -> int:
        pool = self._engine.sync_engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedin() + pool.checkedout()

    async def read(self, work: Work[T]) -> T:
        async def attempt() -> T:
            async with self._reader.connect() as connection:
                return await connection.run_sync(work)

        return await self._persist(attempt, _passes)

    async def scan(self, work: Work[T]) -> T:
        return await self.read(work)

    async def write(self, work: Work[T]) -> T:
        sent = False

        async def attempt() -> T:
            nonlocal sent
            async with self._engine.connect() as connection:
                result = await connection.run_sync(work)
                sent = True
                try:
                    await connection.commit()
                except exc.DBAPIError as error:
                    sent = not _is_refusal(error)
                    raise
                sent = False
                return result

        try:
            return await self._persist(attempt, lambda error: not sent and _passes(error))
        except StorageUnavailable as error:
            if sent:
                raise OutcomeUnknown(error.message, retry_after=error.retry_after) from error
            raise

    async def _persist(self, attempt: Callable[[], Awaitable[T]], passes: Callable[[Exception], bool]) -> T:
        try:
            async with asyncio.timeout(self._seconds):
                return await persist(attempt, passes, self._seconds or _LONG)
        except TimeoutError as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        await self._engine.dispose()


class _Connection(asyncpg.Connection):  # type: ignore[misc] # asyncpg is not typed
    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - as asyncpg has it
        """Without a good-bye: who gives a connection up cannot wait for a server that may not answer."""
        self.terminate()


def _connector(url: str, limits: Limits) -> Callable[[], Awaitable[Any]]:
    dsn = "postgresql" + url[url.index(":") :]
    for name, paths in parse_qs(urlsplit(dsn).query).items():
        if name in _FILES and not all(Path(path).is_file() for path in paths):
            raise ConfigurationError(f"there is no file that {name} in database.url names", field="database.url")

    async def connect() -> Any:
        try:
            return await asyncpg.connect(
                dsn,
                timeout=limits.connect_timeout,
                connection_class=_Connection,
                target_session_attrs="primary",
                server_settings={
                    "application_name": "strongroom",
                    "statement_timeout": _milliseconds(limits.statement_timeout),
                    "lock_timeout": _milliseconds(limits.lock_timeout),
                    "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout),
                },
            )
        except asyncpg.ClientConfigurationError:
            raise ConfigurationError("database.url cannot be used as it is", field="database.url") from None

    return connect


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


def _throw_away(context: ExceptionContext) -> None:
    """Marks what makes SQLAlchemy renew the pool: a connection, not an attempt to make one, that is of no use."""
    error = context.original_exception
    if context.connection is not None and (_is_gone(_state(error)) or isinstance(error, OSError)):
        context.is_disconnect = True


def _is_gone(state: str) -> bool:
    return state in _GONE or state.startswith("08")


def _passes(error: Exception) -> bool:
    if isinstance(error, exc.DBAPIError):
        if isinstance(error.orig, AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError):
            return True  # somebody migrated; what was prepared before has just been forgotten
        state = _state(error.orig)
        return error.connection_invalidated or state in _LOST_TO_OTHERS or _is_gone(state)
    return isinstance(error, OSError)


def _is_refusal(error: exc.DBAPIError) -> bool:
    """Of a COMMIT: the server says that it rolled back."""
    state = _state(error.orig)
    return bool(state) and state[:2] not in _SAYS_NOTHING
