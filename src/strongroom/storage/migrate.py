"""The schema: bringing it to the newest version, and asking which it is.

Alembic is imported when it is needed, not by every worker.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, inspect, text

from strongroom.errors import StorageUnavailable
from strongroom.storage.database import Database, Limits
from strongroom.storage.grants import grant
from strongroom.storage.opening import open_database

HEAD: Final = "0006"
"""The version this code is written for."""

_LIMITS: Final = Limits(
    pool_size=1, timeout=None, connect_timeout=5, statement_timeout=0, lock_timeout=2, idle_in_transaction_timeout=0
)
"""DDL may take long, but whatever waits for a lock makes everybody behind it wait too: it is tried again."""
_LOCK: Final = 0x5374726F6E67  # "Strong"
_LOCK_TRIES: Final = 600
_LOCK_PAUSE: Final = 0.1


async def migrate_url(url: str, *, service_url: str) -> bool:
    """`migrate`; on PostgreSQL the role of ``service_url`` is then granted what it needs. Raises ConfigurationError."""
    database = open_database(url, _LIMITS)
    user = urlsplit(service_url).username if service_url.startswith("postgresql") else None
    try:
        return await migrate(database, None if user is None else unquote(user))
    finally:
        await database.close()


async def migrate(database: Database, role: str | None = None) -> bool:
    """To the newest version; False where it was there. Of many that start at once one works, the others wait."""
    for _ in range(_LOCK_TRIES):
        worked = await database.write(partial(_upgrade, role=role))
        if worked is not None:
            return worked
        await asyncio.sleep(_LOCK_PAUSE)
    raise StorageUnavailable(f"another migration has been at work for {_LOCK_TRIES * _LOCK_PAUSE:.0f} seconds")


async def version(database: Database) -> str | None:
    """The version the database is at; None where it is empty."""
    return await database.read(_version)


def _upgrade(connection: Connection, role: str | None) -> bool | None:
    """None: somebody else is at it."""
    # A lock that is polled for: one that is waited for can deadlock with CREATE INDEX CONCURRENTLY. SQLite has its
    # write lock already.
    if connection.dialect.name == "postgresql":
        locked = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar()
        if not locked:
            return None
    behind = _version(connection) != HEAD
    if behind:
        _run_alembic(connection)
    if role is not None:
        grant(connection, role)
    return behind


def _run_alembic(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
