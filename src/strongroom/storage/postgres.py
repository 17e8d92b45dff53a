"""PostgreSQL: work runs in SQLAlchemy's greenlet over asyncpg.

A connection is not pinged before it is used, because that would be a round trip per transaction. The first dead
connection discards the whole pool. The work that used it runs again on a new one, unless COMMIT was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Dialect, event, exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import greenlet_spawn
from sqlalchemy.util.queue import Empty

from strongroom.errors import ConfigurationError, StorageUnavailable
from strongroom.storage.database import Limits, NoConnection, OutcomeUnknown, Work, persist, unavailable
from strongroom.storage.direct import DirectConnection
from strongroom.storage.one_statement import OneStatement
from strongroom.storage.parts import PLANS
from strongroom.storage.pg_causes import no_connection
from strongroom.storage.pg_url import Target, read_url
from strongroom.storage.pooling import shares_connections
from strongroom.telemetry import tracing

T = TypeVar("T")

_STATEMENTS: Final = 500
_LONG: Final = 10.0
"""Seconds for which something is retried if there is no other limit."""

_WITHOUT_AUTHORITY: Final = "root certificate file"
_NO_AUTHORITY: Final = (
    "the sslmode of database.url needs sslrootcert: a file with the certificate of the authority, or `system` for "
    "those that the operating system trusts"
)
_LOST_TO_OTHERS: Final = {"40001", "40P01", "55P03"}
"""serialization_failure, deadlock_detected, lock_not_available."""
_GONE: Final = {"57P01", "57P02", "57P03", "25006"}
"""admin_shutdown, crash_shutdown, cannot_connect_now, read_only_sql_transaction: another server is the primary
by now.
"""
_SAYS_NOTHING: Final = {"08", "57", "XX"}
"""Classes of errors after which a COMMIT may have succeeded: connection, operator, internal."""


class PostgresDatabase:
    """Implements `database.Database`."""

    def __init__(self, url: Callable[[], str], limits: Limits) -> None:
        """``url`` is read for each new connection, because its password may have changed."""
        self._seconds = limits.timeout
        self._connect = _connector(url, limits)
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            poolclass=_Pool,
            pool_size=limits.pool_size,
            max_overflow=0,
            pool_timeout=limits.pool_timeout,
            hide_parameters=True,
            connect_args={
                "async_creator_fn": self._connect,
                "prepared_statement_cache_size": _STATEMENTS,
            },
        )
        event.listen(self._engine.sync_engine, "handle_error", _throw_away)
        self._own = DirectConnection(_connector(url, limits, PLANS), self._close_idle, limits.timeout)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    @property
    def direct(self) -> OneStatement:
        return OneStatement(self._own)

    @property
    def connections(self) -> int:
        return self._pool.checkedin() + self._pool.checkedout() + self._own.connections

    @property
    def _pool(self) -> _Pool:
        pool = self._engine.sync_engine.pool
        assert isinstance(pool, _Pool)
        return pool

    @tracing.traced("sql.read", tracing.CLIENT)
    async def read(self, work: Work[T]) -> T:
        async def attempt() -> T:
            async with self._reader.connect() as connection:
                return await connection.run_sync(work)

        return await self._persist(attempt, _passes)

    async def scan(self, work: Work[T]) -> T:
        return await self.read(work)

    @tracing.traced("sql.write", tracing.CLIENT)
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
        last: NoConnection | None = None

        async def noting() -> T:
            nonlocal last
            try:
                return await attempt()
            except NoConnection as error:
                last = error
                raise

        try:
            async with asyncio.timeout(self._seconds):
                return await persist(noting, passes, self._seconds or _LONG)
        except TimeoutError as error:
            raise unavailable(last or error) from error

    async def require_own_connections(self) -> None:
        """Raises ConfigurationError behind a pooler that gives each transaction another connection,
        StorageUnavailable.
        """
        try:
            async with asyncio.timeout(_LONG):
                shared = await shares_connections(self._connect)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise unavailable(error) from error
        if shared:
            raise ConfigurationError(
                "a pooler gives each transaction another database connection: configure it to pool sessions "
                "(PgBouncer: pool_mode=session)",
                field="database.url",
            )

    async def _close_idle(self) -> None:
        await greenlet_spawn(self._pool.close_idle)

    async def close(self) -> None:
        await self._own.close()
        await self._engine.dispose()


class _Pool(AsyncAdaptedQueuePool):
    def close_idle(self) -> None:
        """Closes what nobody uses. Unlike `dispose`, it goes on counting the others."""
        while True:
            try:
                idle = self._pool.get(False)
            except Empty:
                return
            idle.close()
            self._dec_overflow()


class _Connection(asyncpg.Connection):  # type: ignore[misc] # asyncpg is not typed
    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - as asyncpg has it
        """Closes without a goodbye, because the server may not respond."""
        self.terminate()


def _connector(
    url: Callable[[], str], limits: Limits, options: Mapping[str, str] | None = None
) -> Callable[[], Awaitable[Any]]:
    """A function that connects. ``options``: further settings of the server. The function raises NoConnection.

    Raises ConfigurationError for a URL that can never work.
    """
    read_url(url())

    async def connect() -> Any:
        target = await asyncio.to_thread(read_url, url())  # it may read all authorities of the operating system
        try:
            async with asyncio.timeout(target.connect_timeout or limits.connect_timeout):
                return await _connect(target, limits, options or {})
        except asyncpg.ClientConfigurationError as error:
            said = _NO_AUTHORITY if _WITHOUT_AUTHORITY in str(error) else "database.url is not valid"
            raise ConfigurationError(said, field="database.url") from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise no_connection(error, target) from error

    return connect


async def _connect(target: Target, limits: Limits, options: Mapping[str, str]) -> Any:
    """Connects, and then sets the limits, because poolers let few settings through at the start of a connection."""
    connection = await asyncpg.connect(
        target.dsn,
        timeout=None,
        ssl=target.tls,
        connection_class=_Connection,
        target_session_attrs="primary",
        server_settings=None if "application_name=" in target.dsn else {"application_name": "strongroom"},
    )
    settings = {
        **target.settings,
        "statement_timeout": _milliseconds(limits.statement_timeout),
        "lock_timeout": _milliseconds(limits.lock_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout),
        **options,
    }
    made = ", ".join(f"set_config({_literal(name)}, {_literal(value)}, false)" for name, value in settings.items())
    try:
        await connection.execute(f"SELECT {made}")
    except BaseException:
        connection.terminate()
        raise
    return connection


def _literal(text: str) -> str:
    """A literal that is right whatever standard_conforming_strings is."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _state(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


def _throw_away(context: ExceptionContext) -> None:
    """Makes SQLAlchemy renew the pool if a connection, and not just an attempt to connect, has become useless."""
    error = context.original_exception
    if context.connection is not None and (_is_gone(_state(error)) or isinstance(error, OSError)):
        context.is_disconnect = True


def _is_gone(state: str) -> bool:
    return state in _GONE or state.startswith("08")


def _passes(error: Exception) -> bool:
    if isinstance(error, exc.DBAPIError):
        if isinstance(error.orig, AsyncAdapt_asyncpg_dbapi.InvalidCachedStatementError):
            return True  # somebody migrated; the outdated prepared statement has just been dropped
        state = _state(error.orig)
        return error.connection_invalidated or state in _LOST_TO_OTHERS or _is_gone(state)
    return isinstance(error, OSError) and not (isinstance(error, NoConnection) and error.lasting)


def _is_refusal(error: exc.DBAPIError) -> bool:
    """Whether the server says that it rolled back a COMMIT."""
    state = _state(error.orig)
    return bool(state) and state[:2] not in _SAYS_NOTHING
