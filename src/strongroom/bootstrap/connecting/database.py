"""Whether the database can be used: the connection, the schema, and the rights of the role."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, make_url, text

from strongroom.bootstrap.connecting.reaching import Fault, configuration
from strongroom.codecs.certificate_faults import SAYINGS
from strongroom.config.settings import Settings
from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError, StrongroomError, Unavailable
from strongroom.storage import migrate
from strongroom.storage.database import Database, Limits
from strongroom.storage.grants import GRANTS
from strongroom.storage.opening import open_database, require_own_connections

_LIMITS: Final = Limits(pool_size=1, timeout=5.0, connect_timeout=5.0, statement_timeout=5.0, pool_timeout=5.0)
_GRANT: Final = re.compile(r"([A-Z]+)(?: \(([^)]*)\))?")
_CAUSES: Final = {
    "28P01": "auth", "28000": "auth", "3D000": "wrong_database", "42501": "rights", "53300": "full",
}  # fmt: skip
"""By the SQLSTATE of a failed connection."""
_GRANTED: Final = """
SELECT least(
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
  (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
  (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
)
"""
"""`least` ignores NULL, which means no limit."""
_LOCAL_CAUSES: Final = (
    ("resolver", "dns"), ("nothing listens", "refused"), ("in time", "timeout"),
    ("TLS", "tls"), ("standbys", "read_only"),
)  # fmt: skip


async def check_database(settings: Settings) -> str:
    """Check the database as the service uses it. Raises Fault."""
    url = settings.database.url
    if url.reveal().startswith("sqlite"):
        return await _check_file(url)
    return await _check(url, service=True, needed=settings.workers.count * (settings.database.pool_size + 1))


async def check_owner(url: Secret) -> str:
    """Check the database as `strongroom migrate` uses it. Raises Fault."""
    return await _check(url, service=False)


def file_of(url: Secret) -> Path:
    """The file of an SQLite URL."""
    return Path(make_url(url.reveal()).database or "")


async def _check_file(url: Secret) -> str:
    place = file_of(url)
    if not place.exists():
        folder = next(each for each in place.absolute().parents if each.exists())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Fault("file", "the file in database.url does not exist, and its folder is not writable")
        return "the file will be created when the service starts"
    if not os.access(place, os.R_OK | os.W_OK):
        raise Fault("file", "the file in database.url must be readable and writable")
    database = open_database(url)
    try:
        found = await _version(database)
    finally:
        await database.close()
    if found is not None and found > migrate.HEAD:
        raise _newer(found)
    return "" if found == migrate.HEAD else "the schema will be upgraded when the service starts"


async def _check(url: Secret, *, service: bool, needed: int = 0) -> str:
    """``needed`` is the number of connections that the service opens under load."""
    setting = "database.url" if service else "database.migrate_url"
    try:
        database = open_database(url, _LIMITS)
    except ConfigurationError as error:
        raise configuration(error) from None
    try:
        await require_own_connections(database)
        await _check_writes(database, setting)
        found = await _version(database)
        if found is not None and found > migrate.HEAD:
            raise _newer(found)
        if not service:
            await _check_may_create(database)
            return (
                "" if found == migrate.HEAD else f"`strongroom migrate` has yet to upgrade the schema to {migrate.HEAD}"
            )
        if found is None:
            raise Fault(
                "schema", "the database has no tables of Strongroom: if it is the right one, run `strongroom migrate`"
            )
        if found != migrate.HEAD:
            raise Fault("schema", f"the schema is at {found}, not at {migrate.HEAD}: run `strongroom migrate`")
        return "; ".join(filter(None, [await _check_rights(database), await _check_connections(database, needed)]))
    except ConfigurationError as error:
        cause = "transaction_pooling" if "pool" in error.message else "configuration"
        raise Fault(cause, error.message.replace("database.url", setting)) from None
    except Unavailable as error:
        said = error.cause or error.message
        raise Fault(_cause(error, said), said.replace("database.url", setting)) from None
    except StrongroomError as error:
        raise Fault("rights", error.message) from None
    finally:
        await database.close()


def _cause(error: Unavailable, said: str) -> str:
    beneath: BaseException | None = error
    while beneath is not None:
        state = getattr(getattr(beneath, "orig", None) or beneath, "sqlstate", None)
        if state in _CAUSES:
            return _CAUSES[state]
        beneath = beneath.__cause__
    for fault, saying in SAYINGS.items():
        if saying in said:
            return f"certificate_{fault}"
    return next((cause for words, cause in _LOCAL_CAUSES if words in said), "unavailable")


async def _version(database: Database) -> str | None:
    try:
        return await migrate.version(database)
    except StrongroomError as error:
        if isinstance(error, Unavailable):
            raise
        raise Fault("rights", error.message) from None


def _newer(found: str) -> Fault:
    return Fault(
        "schema", f"the schema is at {found}, newer than {migrate.HEAD}: run a newer Strongroom on this database"
    )


async def _check_writes(database: Database, setting: str) -> None:
    def look(connection: Connection) -> bool:
        return str(connection.execute(text("SHOW transaction_read_only")).scalar()) == "on"

    if await database.read(look):
        raise Fault(
            "read_only",
            f"the database in {setting} is read-only: check default_transaction_read_only and free disk space",
        )


async def _check_may_create(database: Database) -> None:
    def look(connection: Connection) -> bool | None:
        found: bool | None = connection.execute(
            text("SELECT has_schema_privilege(current_user, current_schema(), 'CREATE')")
        ).scalar()
        return found

    if not await database.read(look):
        raise Fault("rights", "the role in database.migrate_url may not create tables: see deploy/postgresql/roles.sql")


async def _check_rights(database: Database) -> str:
    """Check the rights that `strongroom migrate` grants. Raises Fault."""
    wanted = list(_privileges())

    def look(connection: Connection) -> tuple[list[bool | None], bool]:
        names = {
            f"{kind}{place}": value for place, row in enumerate(wanted) for kind, value in zip("tcp", row, strict=True)
        }
        asked = ", ".join(
            f"has_table_privilege(current_user, to_regclass(:t{place}), :p{place})"
            if column is None
            else f"has_column_privilege(current_user, to_regclass(:t{place}), :c{place}, :p{place})"
            for place, (_, column, _) in enumerate(wanted)
        )
        given = {name: value for name, value in names.items() if value is not None}
        row = connection.execute(text(f"SELECT {asked}"), given).one()
        owns = connection.execute(
            text("SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('audit')")
        ).scalar()
        return list(row), bool(owns)

    held, owns = await database.read(look)
    missing = sorted({table for (table, _, _), holds in zip(wanted, held, strict=True) if not holds})
    if missing:
        raise Fault(
            "rights",
            f"the role in database.url lacks rights on {', '.join(missing)}: run `strongroom migrate` with the "
            "same database.url, which grants them",
        )
    return "the role owns the tables, so only a trigger keeps it from changing the audit" if owns else ""


async def _check_connections(database: Database, needed: int) -> str:
    """A pooler may grant fewer still, and does not say so."""

    def look(connection: Connection) -> int:
        return int(connection.execute(text(_GRANTED)).scalar_one())

    granted = await database.read(look)
    if granted >= needed:
        return ""
    return f"the server grants the role {granted} connections, and all workers together open up to {needed} under load"


def _privileges() -> Iterator[tuple[str, str | None, str]]:
    """Yield each privilege as table, column (None for the whole table) and name."""
    for table, privileges in GRANTS.items():
        for found in _GRANT.finditer(privileges):
            columns = found[2].split(", ") if found[2] else [None]
            yield from ((table, column, found[1]) for column in columns)
