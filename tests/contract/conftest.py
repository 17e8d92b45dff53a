"""A database that several processes may open, and somebody who can write to it without us."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from tests.support.postgres import SERVICE, Postgres
from tests.support.task_workers import PATIENT


class Place(NamedTuple):
    url: str
    edit: Callable[[str], object]
    """Runs a statement without the service."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        name = server.create_database(migrated=True)
        return Place(server.url(name, SERVICE), lambda statement: server.run(statement, name))
    url = f"sqlite:///{tmp_path}/test.db"
    database = open_database(url, PATIENT)
    await migrate(database)
    await database.close()

    def edit(statement: str) -> None:
        with sqlite3.connect(tmp_path / "test.db") as connection:
            connection.execute(statement)
        connection.close()

    return Place(url, edit)
