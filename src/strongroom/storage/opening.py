"""Which of the two databases a URL means."""

from __future__ import annotations

from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError
from strongroom.storage.database import Database, Limits


def open_database(url: str | Secret, limits: Limits | None = None) -> Database:
    """`sqlite:///path` or `postgresql://…`. It connects when it is first used, and reads a secret anew each time."""
    read = url.reveal if isinstance(url, Secret) else lambda: url
    backend = read().partition(":")[0].partition("+")[0]
    if backend == "sqlite":
        from strongroom.storage.sqlite import SqliteDatabase  # noqa: PLC0415 - a process needs one of the two

        return SqliteDatabase(read())
    if backend == "postgresql":
        from strongroom.storage.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(read, limits or Limits())
    raise ConfigurationError("database.url must begin with sqlite:// or postgresql://", field="database.url")


async def require_own_connections(database: Database) -> None:
    """Raises ConfigurationError behind a transaction pooler, StorageUnavailable. SQLite has no pooler."""
    if database.dialect.name == "postgresql":
        from strongroom.storage.postgres import PostgresDatabase  # noqa: PLC0415

        assert isinstance(database, PostgresDatabase)
        await database.require_own_connections()
