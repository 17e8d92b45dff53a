"""The schema: bringing it to the newest version, and asking which it is.

Alembic is imported when it is needed, not by every worker.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from strongroom.errors import StorageUnavailable
from strongroom.storage.database import Database

HEAD: Final = "0001"
"""The version this code is written for."""

_LOCK = 0x5374726F6E67  # "Strong"
_LOCK_WAIT_SECONDS = 60


async def migrate(database: Database) -> None:
    """To the newest version. Of many that start at once one works; the others wait and find it done."""
    for _ in range(_LOCK_WAIT_SECONDS * 10):
        if await database.write(_upgrade):
            return
        await asyncio.sleep(0.1)
    raise StorageUnavailable("somebody else holds the lock of the migration")


async def version(database: Database) -> str | None:
    """The version the database is at; None where it is empty."""
    return await database.read(_version)


def _upgrade(connection: Connection) -> bool:
    # A lock that is polled for: one that is waited for can deadlock with CREATE INDEX CONCURRENTLY. SQLite has its
    # write lock already.
    if connection.dialect.name == "postgresql":
        locked = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar()
        if not locked:
            return False
    if _version(connection) != HEAD:
        _run_alembic(connection)
    return True


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
