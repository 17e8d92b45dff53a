"""SQLite.

A transaction runs as a whole in a thread of its own, since its commit waits for the disk. That is one hop, while an
asynchronous driver would need four per statement. A read finds its few rows in memory faster than a hop takes, and in
WAL mode never waits for a writer, so it runs in the caller's thread. What may look at many rows is a `scan`, in another
thread.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import StaticPool

from strongroom.errors import ConfigurationError
from strongroom.storage.database import Again, Refused, Work, persist
from strongroom.storage.few_statements import FewStatements, Statement
from strongroom.telemetry import failpoints, tracing

T = TypeVar("T")

_SECONDS = 1.5
_BUSY_SECONDS = 0.5
_STATEMENTS = 500


class SqliteDatabase:
    """Implements `database.Database`."""

    def __init__(self, text: str) -> None:
        url = make_url(text)
        if not url.database or url.database == ":memory:":
            raise ConfigurationError("database.url must name a file", field="database.url")
        try:
            os.close(os.open(Path(url.database), os.O_CREAT | os.O_RDWR, 0o600))
        except OSError:
            raise ConfigurationError("the file in database.url cannot be opened", field="database.url") from None
        url = url.set(drivername="sqlite")
        self._writer = _engine(url)
        self._reader = _engine(url)
        self._scanner = _engine(url)
        event.listen(self._writer, "begin", _begin_immediate)
        self._thread = ThreadPoolExecutor(1, "sqlite-write")
        self._scans = ThreadPoolExecutor(1, "sqlite-scan")

    @property
    def dialect(self) -> Dialect:
        return self._writer.dialect

    @property
    def direct(self) -> FewStatements:
        return FewStatements(self)

    @property
    def connections(self) -> int:
        return 2

    @tracing.traced("sql.read", tracing.CLIENT)
    async def read(self, work: Work[T]) -> T:
        async def attempt() -> T:
            with self._reader.connect() as connection:
                return work(connection)

        return await persist(attempt, _is_busy, _SECONDS)

    @tracing.traced("sql.scan", tracing.CLIENT)
    async def scan(self, work: Work[T]) -> T:
        def statement() -> T:
            with self._scanner.connect() as connection:
                return work(connection)

        loop = asyncio.get_running_loop()
        return await persist(lambda: loop.run_in_executor(self._scans, statement), _is_busy, _SECONDS)

    @tracing.traced("sql.write", tracing.CLIENT)
    async def write(self, work: Work[T]) -> T:
        def transaction() -> T:
            with self._writer.begin() as connection:
                return work(connection)

        loop = asyncio.get_running_loop()
        return await persist(lambda: loop.run_in_executor(self._thread, transaction), _is_busy, _SECONDS)

    @tracing.traced("sql.write", tracing.CLIENT)
    async def commit(self, statements: Sequence[Statement]) -> None:
        """In one transaction. Raises Refused if one does not touch what it was to, or cannot be taken."""

        def transaction() -> None:
            with closing(self._writer.raw_connection()) as pooled:  # rolls back what was not committed
                _run(pooled.driver_connection, statements)  # type: ignore[arg-type]

        loop = asyncio.get_running_loop()
        await persist(lambda: loop.run_in_executor(self._thread, transaction), _is_busy, _SECONDS)

    async def close(self) -> None:
        self._reader.dispose()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._scans, self._scanner.dispose)
        await loop.run_in_executor(self._thread, self._writer.dispose)
        self._scans.shutdown(wait=False)
        self._thread.shutdown(wait=False)


def _run(connection: sqlite3.Connection, statements: Sequence[Statement]) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("BEGIN IMMEDIATE")
        for text, parameters, touches in statements:
            cursor.execute(text, parameters)
            touched = cursor.rowcount if cursor.description is None else cursor.fetchone()[0]
            if touches is not None and touches != touched:
                raise Refused
        failpoints.reached("commit.within")
        cursor.execute("COMMIT")
    except (sqlite3.OperationalError, sqlite3.InternalError) as error:
        raise Again(error) from error
    except (sqlite3.Error, OverflowError) as error:
        raise Refused from error


def _is_busy(error: Exception) -> bool:
    cause = error.orig if isinstance(error, exc.DBAPIError | Again) else None
    code = getattr(cause, "sqlite_errorcode", 0)  # not set if the module itself raised the error
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)


def _engine(url: URL) -> Engine:
    # With isolation_level None the driver begins no transactions. Writers begin with BEGIN IMMEDIATE, and a single read
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
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: sqlite3.Connection, _: object) -> None:
    # Broken text must make a row fail its MAC, not make the database look unavailable.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
