"""The schema: brings it to the newest version, and tells its version.

Alembic is imported only when it is needed, not by every worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, inspect, text

from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError, InternalError, StorageUnavailable
from strongroom.storage.database import Database, Limits
from strongroom.storage.grants import grant
from strongroom.storage.opening import open_database, require_own_connections

HEAD: Final = "0010"
"""The version that this code is written for."""

_LIMITS: Final = Limits(
    pool_size=1, timeout=None, connect_timeout=5, statement_timeout=0, lock_timeout=2, idle_in_transaction_timeout=0
)
"""DDL may take long. But what waits for a lock makes everybody behind it wait too, so it is retried instead."""
_NO_PRIVILEGE: Final = "42501"
_LOCK: Final = 0x5374726F6E67  # "Strong"
_LOCK_TRIES: Final = 600
_LOCK_PAUSE: Final = 0.1

Progress = Callable[[int, int], None]
"""Called with the number of migrations that have run, and their total."""


def quietly(done: int, total: int) -> None:
    """For callers that show no progress."""


async def migrate_url(url: str | Secret, *, service_url: str, progress: Progress = quietly) -> bool:
    """`migrate`. On PostgreSQL the role of ``service_url`` is then granted what it needs. Raises ConfigurationError,
    StorageUnavailable.
    """
    database = open_database(url, _LIMITS)
    user = urlsplit(service_url).username if service_url.startswith("postgresql") else None
    try:
        await require_own_connections(database)
        return await migrate(database, None if user is None else unquote(user), progress)
    except InternalError as error:
        if getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) != _NO_PRIVILEGE:
            raise
        raise ConfigurationError(
            "the role in database.url may not migrate: it must own the tables and may create some, as "
            "deploy/postgresql/roles.sql sets it up",
            field="database.url",
        ) from error
    finally:
        await database.close()


async def migrate(database: Database, role: str | None = None, progress: Progress = quietly) -> bool:
    """Migrates to the newest version. False if it was there already. Of several processes one works and the others
    wait.
    """
    for _ in range(_LOCK_TRIES):
        worked = await database.write(partial(_upgrade, role=role, progress=progress))
        if worked is not None:
            return worked
        await asyncio.sleep(_LOCK_PAUSE)
    raise StorageUnavailable(
        f"another migration has been running for {_LOCK_TRIES * _LOCK_PAUSE} seconds: wait for it, then try again"
    )


async def version(database: Database) -> str | None:
    """The version of the database; None if it is empty."""
    return await database.read(_version)


def _upgrade(connection: Connection, role: str | None, progress: Progress) -> bool | None:
    """Whether it migrated, or None if somebody else is migrating."""
    # The lock is polled for, because waiting for it can deadlock with CREATE INDEX CONCURRENTLY. SQLite already holds
    # its write lock.
    if connection.dialect.name == "postgresql":
        locked = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar()
        if not locked:
            return None
    behind = _version(connection) != HEAD
    if behind:
        _run_alembic(connection, progress)
    if role is not None:
        grant(connection, role)
    return behind


def _run_alembic(connection: Connection, progress: Progress) -> None:
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    ahead = ScriptDirectory.from_config(config).iterate_revisions("head", _version(connection) or "base")
    total, done = len(list(ahead)), 0

    def applied(**_: Any) -> None:
        nonlocal done
        done += 1
        progress(done, total)

    config.attributes |= {"connection": connection, "applied": applied}
    progress(done, total)
    command.upgrade(config, "head")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
