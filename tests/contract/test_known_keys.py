"""Looking up idempotency keys, on both databases: one query for all that wait, and nobody pays for another's fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from strongroom.errors import IntegrityError, InternalError, StorageUnavailable
from strongroom.storage import known_keys
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.database import Database, Work
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.contract.conftest import Place
from tests.support import rows
from tests.support.rows import OTHER_TENANT, PRINCIPAL, TENANT
from tests.support.task_workers import PATIENT


class Watched:
    """A database that counts its reads, and makes the first ones fail or wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = 0
        self.failures: list[Exception] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, work: Work[Any]) -> Any:
        self.reads += 1
        self.begun.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return await self._database.read(work)


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Watched]:
    made = Watched(open_database(place.url, PATIENT))
    yield made
    await made.close()


@pytest.fixture
def storage(database: Watched) -> SqlStorage:
    return SqlStorage(database, Authenticity(b"s" * 32))


async def looked_up(storage: SqlStorage, *keys: str) -> list[Any]:
    return await asyncio.gather(
        *[storage.operation_by_key(TENANT, PRINCIPAL, key) for key in keys], return_exceptions=True
    )


async def test_all_that_wait_share_one_query(storage: SqlStorage, database: Watched) -> None:
    stored = [rows.operation(idempotency_key=f"key-{n}") for n in range(3)]
    foreign = replace(rows.operation(idempotency_key="theirs"), tenant_id=OTHER_TENANT)
    await storage.apply([Unit(rows=[*stored, foreign])])
    database.reads = 0
    new = [f"new-{n}" for n in range(300)]
    assert await looked_up(storage, *new, "theirs", "key-0 ", "KEY-0", "") == [None] * 304
    assert database.reads == 2  # of at most 256 keys
    database.reads = 0
    assert await looked_up(storage, "key-0", "other", "key-2", "key-0") == [stored[0], None, stored[2], stored[0]]
    assert database.reads == 1 + 3


async def test_those_who_come_during_a_query_share_the_next(storage: SqlStorage, database: Watched) -> None:
    database.gate.clear()
    first = asyncio.create_task(looked_up(storage, "a"))
    await database.begun.wait()
    rest = asyncio.create_task(looked_up(storage, *"bcdef"))
    await asyncio.sleep(0)
    database.gate.set()
    assert (await first, await rest) == ([None], [None] * 5)
    assert database.reads == 2


async def test_a_caller_that_is_cancelled_takes_nobody_along(storage: SqlStorage, database: Watched) -> None:
    database.gate.clear()
    gone, other = (asyncio.create_task(storage.operation_by_key(TENANT, PRINCIPAL, key)) for key in "ab")
    await database.begun.wait()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    database.gate.set()
    assert await other is None
    assert gone.cancelled()
    assert await looked_up(storage, "c") == [None]


async def test_nobody_waits_for_the_database_twice(storage: SqlStorage, database: Watched) -> None:
    """Whoever came during a query that fails has waited as long as those in it."""
    database.gate.clear()
    database.failures = [StorageUnavailable("the database does not respond", retry_after=7)]
    first = asyncio.create_task(looked_up(storage, "a"))
    await database.begun.wait()
    rest = asyncio.create_task(looked_up(storage, "b", "c"))
    await asyncio.sleep(0)
    database.gate.set()
    refused = [*await first, *await rest]
    assert [(type(each), each.message, each.retry_after) for each in refused] == [
        (StorageUnavailable, "the database does not respond", 7)
    ] * 3
    assert len({id(each) for each in refused}) == 3  # each caller adds its own traceback
    assert database.reads == 1
    assert await looked_up(storage, "a") == [None]


async def test_another_fault_is_left_to_the_query_for_the_row(storage: SqlStorage, database: Watched) -> None:
    database.failures = [InternalError("the database refused a row")]
    assert await looked_up(storage, "a", "b") == [None, None]
    assert database.reads == 3


async def test_a_row_that_was_changed_is_the_fault_of_its_key_alone(storage: SqlStorage, place: Place) -> None:
    bad, good = rows.operation(idempotency_key="bad"), rows.operation(idempotency_key="good")
    await storage.apply([Unit(rows=[bad, good])])
    place.edit("UPDATE operations SET epoch = 7 WHERE idempotency_key = 'bad'")
    found = await looked_up(storage, "good", "bad", "new")
    assert isinstance(found[1], IntegrityError)
    assert (found[0], found[2]) == (good, None)


@pytest.mark.parametrize("analysed", [False, True])
async def test_every_key_is_looked_up_in_the_index(
    storage: SqlStorage, database: Watched, place: Place, analysed: bool
) -> None:
    await storage.apply([Unit(rows=[rows.operation(idempotency_key=f"key-{n}") for n in range(1000)])])
    if analysed:
        place.edit("ANALYZE")
    dialect = database.dialect.name
    text, parameters = known_keys._query(dialect, [(TENANT, PRINCIPAL, f"new-{n}") for n in range(64)])
    how = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
    plan = await database.read(lambda connection: str(connection.exec_driver_sql(f"{how} {text}", parameters).all()))
    assert "uq_operations_idempotency_key" in plan
    assert "Seq Scan" not in plan
    assert "SCAN o" not in plan
