"""What SQLite is told of a group: how it finds the rows, and what becomes of errors."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditRecord
from strongroom.errors import InternalError, StorageUnavailable
from strongroom.storage import sqlite
from strongroom.storage.base import Unit
from strongroom.storage.few_statements import _Prepared
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.parts import PARTS
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.groups import t1
from tests.support.rows import TENANT


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if part.counted])
async def test_every_row_that_is_expected_is_looked_up_by_its_key(tmp_path: Path, name: str) -> None:
    """Also where many are asked for, and in tables of which SQLite knows that they are small."""
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    text = _Prepared(PARTS[name], database.dialect)._text(64)

    def plan(connection: Connection) -> str:
        connection.exec_driver_sql("ANALYZE")
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (0,) * text.count("?")).all())

    found = await database.read(plan)
    for table in ("operations", "guards", "addresses", "secrets", "wallets"):
        assert f"SCAN {table}" not in found
    assert "SCAN t" not in found.replace("SCAN t'", "")
    assert "SEARCH" in found
    await database.close()


def audited(unit: Unit) -> Unit:
    return replace(unit, rows=[*unit.rows, AuditRecord(new_id(), 1, rows.entry(), b"m" * 32)])


async def test_it_waits_for_another_process_and_gives_up_in_time(
    storage: SqlStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_SECONDS", 0.2)
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    first, second = rows.operation(), rows.operation()
    with pytest.raises(StorageUnavailable):
        await storage.apply([audited(t1(first, 1))])
    monkeypatch.setattr(sqlite, "_SECONDS", 300)
    waiting = asyncio.create_task(storage.apply([audited(t1(second, 2))]))
    await asyncio.sleep(0.1)
    other.execute("COMMIT")
    other.close()
    assert not (await waiting).conflicts
    assert await storage.operation(TENANT, first.id) is None
    assert await storage.operation(TENANT, second.id) == second


async def test_a_value_that_the_driver_does_not_take_is_that_of_one_unit(storage: SqlStorage) -> None:
    """It is refused as a group, and told by the statements that look."""
    bad = replace(rows.operation(), epoch=2**70)
    with pytest.raises((InternalError, OverflowError)):
        await storage.apply([audited(Unit(rows=[bad]))])
    good = rows.operation()
    assert not (await storage.apply([audited(t1(good, 1))])).conflicts
    assert await storage.operation(TENANT, good.id) == good
