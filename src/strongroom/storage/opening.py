"""Which of the two databases a URL means."""

from __future__ import annotations

from strongroom.errors import ConfigurationError
from strongroom.storage.database import Database, Limits


def open_database(url: str, limits: Limits | None = None) -> Database:
    """`sqlite:///path` or `postgresql://…`, of which asyncpg reads the rest. Connects when it is first asked."""
    backend = url.partition(":")[0].partition("+")[0]
    if backend == "sqlite":
        from strongroom.storage.sqlite import SqliteDatabase  # noqa: PLC0415 - a process needs one of the two

        return SqliteDatabase(url)
    if backend == "postgresql":
        from strongroom.storage.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(url, limits or Limits())
    raise ConfigurationError("database.url must begin with sqlite:// or postgresql://", field="database.url")
