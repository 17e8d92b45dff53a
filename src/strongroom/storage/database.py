"""The two databases behind one face: a piece of synchronous work over a `Connection`.

On SQLite a transaction runs whole in a thread of its own, since its commit waits for the disk: one hop, where an
asynchronous driver would take four a statement. A read finds its few rows in memory, in less time than a hop takes,
and in WAL mode never waits for a writer: it runs where it is called. PostgreSQL work runs in SQLAlchemy's greenlet
over asyncpg.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, exc, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from strongroom.errors import ConfigurationError, InternalError, StorageUnavailable

T = TypeVar("T")
Work = Callable[[Connection], T]

_ATTEMPTS = 4
_TRANSIENT_STATES = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_BUSY_SECONDS = 0.5
_STATEMENTS = 500


class Database(Protocol):
    """``work`` may be run more than once: a transaction that lost to another is tried again.

    Both raise StorageUnavailable where the database cannot be asked, InternalError where it cannot take a value, and
    let SQLAlchemy's IntegrityError through: only who wrote the rows knows what it means.
    """

    @property
    def dialect(self) -> Dialect: ...

    async def read(self, work: Work[T]) -> T: ...

    async def write(self, work: Work[T]) -> T:
        """In one transaction, committed when ``work`` returns and rolled back when it raises."""

    async def close(self) -> None: ...


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """`sqlite:///path` or `postgresql://…`; which driver the URL names does not matter."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return SqliteDatabase(parsed)
    if backend == "postgresql":
        return PostgresDatabase(parsed, pool_size)
    raise ConfigurationError("database.url must begin with sqlite:// or postgresql://", field="database.url")


async def _persist(attempt: Callable[[], Awaitable[T]]) -> T:
    """Runs ``attempt`` until it does not lose to another transaction; foreign errors become ours."""
    remaining = _ATTEMPTS
    while True:
        remaining -= 1
        try:
            return await attempt()
        except exc.IntegrityError:
            raise
        except (exc.DataError, exc.ProgrammingError) as error:
            raise InternalError("the database does not take a row") from error
        except exc.DBAPIError as error:
            if remaining and _is_transient(error):
                await asyncio.sleep(random.uniform(0.001, 0.02))  # noqa: S311
                continue
            raise StorageUnavailable("the database does not answer", retry_after=1) from error
        except (exc.SQLAlchemyError, OSError) as error:
            raise StorageUnavailable("the database does not answer", retry_after=1) from error


def _is_transient(error: exc.DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0)  # not set where the module itself raised it
        return bool(code & 0xFF == sqlite3.SQLITE_BUSY)
    return getattr(error.orig, "sqlstate", None) in _TRANSIENT_STATES


class SqliteDatabase:
    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise ConfigurationError("database.url must name a file", field="database.url")
        try:
            os.close(os.open(Path(url.database), os.O_CREAT | os.O_RDWR, 0o600))
        except OSError:
            raise ConfigurationError("the file of database.url cannot be opened", field="database.url") from None
        url = url.set(drivername="sqlite")
        self._writer = _sqlite_engine(url)
        self._reader = _sqlite_engine(url)
        event.listen(self._writer, "begin", _begin_immediate)
        self._thread = ThreadPoolExecutor(1, "sqlite-write")

    @property
    def dialect(self) -> Dialect:
        return self._writer.dialect

    async def read(self, work: Work[T]) -> T:
        async def attempt() -> T:
            with self._reader.connect() as connection:
                return work(connection)

        return await _persist(attempt)

    async def write(self, work: Work[T]) -> T:
        def transaction() -> T:
            with self._writer.begin() as connection:
                return work(connection)

        loop = asyncio.get_running_loop()
        return await _persist(lambda: loop.run_in_executor(self._thread, transaction))

    async def close(self) -> None:
        self._reader.dispose()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.dispose)
        self._thread.shutdown(wait=False)


def _sqlite_engine(url: URL) -> Engine:
    # isolation_level None: the driver begins nothing by itself; writers begin with BEGIN IMMEDIATE, a single read
    # needs no transaction.
    engine = create_engine(
        url,
        poolclass=StaticPool,
        hide_parameters=True,
        connect_args={
            "isolation_level": None,
            "check_same_thread": False,
            "timeout": _BUSY_SECONDS,
            "cached_statements": _STATEMENTS,
        },
    )
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # Text that somebody broke is a row that fails its MAC, not a database that does not answer.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class PostgresDatabase:
    def __init__(self, url: URL, pool_size: int) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=1.5,
            pool_pre_ping=False,
            hide_parameters=True,
            connect_args={"timeout": 2, "command_timeout": 5, "prepared_statement_cache_size": _STATEMENTS},
        )
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    async def read(self, work: Work[T]) -> T:
        return await _persist(lambda: self._run(self._reader, work))

    async def write(self, work: Work[T]) -> T:
        return await _persist(lambda: self._run(self._engine, work))

    async def _run(self, engine: AsyncEngine, work: Work[T]) -> T:
        async with engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()
