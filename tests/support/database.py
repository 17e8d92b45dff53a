"""A test's own statements, without any of the service's checks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from strongroom.storage.database import Database


async def execute(database: Database, statement: str, **values: Any) -> int:
    """Return the number of rows affected."""
    return await database.write(lambda connection: connection.execute(text(statement), values).rowcount)
