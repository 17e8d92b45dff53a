from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from strongroom.domain.ids import new_id
from strongroom.domain.record import OperationRecord, OperationState
from strongroom.storage import tables
from strongroom.storage.base import Change, Unit
from strongroom.storage.bulk import bulk_update
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.rows import TENANT


@pytest.mark.parametrize("size", [1, 2, 3, 64, 255, 256, 300])
async def test_every_row_of_any_number_is_written_and_changed(storage: SqlStorage, size: int) -> None:
    operations = [rows.operation() for _ in range(size)]
    units = [Unit(rows=[operation], same=[rows.held(operation, n)]) for n, operation in enumerate(operations)]
    assert not (await storage.apply(units)).conflicts
    changes = [
        Change(OperationRecord, each.id, {"epoch": 1}, {"state": OperationState.DONE, "result": str(n).encode()})
        for n, each in enumerate(operations)
    ]
    assert not (await storage.apply([Unit(changes=[change]) for change in changes])).conflicts
    for n, operation in enumerate(operations):
        found = await storage.operation(TENANT, operation.id)
        assert found is not None
        assert found.result == str(n).encode()


async def test_an_update_of_many_rows_looks_each_up_by_its_key(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    update = bulk_update(database.dialect, tables.operations, ("id", "epoch"), ("state",))
    parameters = update.bind([(new_id(), 1, "done"), (new_id(), 1, "done")])

    def plan(connection: Connection) -> str:
        flat = tuple(value for row in parameters for value in row)
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {update._text(2)}", flat).all())

    found = await database.read(plan)
    assert "SEARCH operations" in found
    assert "SCAN operations" not in found
    await database.close()
