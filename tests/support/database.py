"""Statements of a test's own, past everything that the service checks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from strongroom.storage.database import Database


async def execute(database: Database, statement: str, **values: Any) -> int:
    """How many rows it touched."""
    return await database.write(lambda connection: connection.execute(text(statement), values).rowcount)
