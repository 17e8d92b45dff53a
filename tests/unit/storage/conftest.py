from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from strongroom.storage.authenticity import Authenticity
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage

Tamper = Callable[..., None]


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    yield SqlStorage(database, Authenticity(b"s" * 32))
    await database.close()


@pytest.fixture
def tamper(tmp_path: Path) -> Tamper:
    """Runs a statement as somebody who can write the file."""

    def run(statement: str, *parameters: object) -> None:
        with sqlite3.connect(tmp_path / "test.db") as connection:
            connection.execute(statement, parameters)
        connection.close()

    return run
