"""How PostgreSQL finds the rows of a group that is one statement. `tests/contract/test_groups.py` has the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditRecord
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Unit, Wake
from strongroom.storage.database import Limits
from strongroom.storage.postgres import PostgresDatabase
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.groups import made, t1, t2, taken
from tests.support.postgres import SERVICE, Postgres

pytestmark = pytest.mark.needs("postgresql")

AUTHENTICITY = Authenticity(b"s" * 32)
APPLIED = Applied(present=[])
LIMITS = Limits(timeout=30, pool_timeout=30, connect_timeout=30, statement_timeout=30, lock_timeout=30)


class Storage(SqlStorage):
    """Its units have an audit record, without which nothing is one statement."""

    async def apply(self, units: Sequence[Unit]) -> Applied:
        record = AuditRecord(new_id(), 1, rows.entry(), b"m" * 32)
        return await super().apply([replace(units[0], rows=[*units[0].rows, record]), *units[1:]])


@pytest.fixture
def name(postgres_server: Postgres) -> str:
    return postgres_server.create_database(migrated=True)


@pytest.fixture
async def storage(postgres_server: Postgres, name: str) -> AsyncIterator[Storage]:
    made = open_storage(postgres_server, name)
    yield made
    await made.close()


def open_storage(server: Postgres, name: str) -> Storage:
    return Storage(PostgresDatabase(lambda: server.url(name, SERVICE), LIMITS), AUTHENTICITY)


_GROUPS = 10
_SIZE = 100


@pytest.mark.parametrize("wakes", [[], [Wake("test", "key")]])
async def test_the_plan_does_not_hang_on_statistics(
    storage: Storage, postgres_server: Postgres, name: str, wakes: list[Wake]
) -> None:
    """Plans that were made while the tables were empty are kept while they grow, and nobody analyses them."""
    for table in ("operations", "guards", "signatures", "audit"):
        postgres_server.run(f"ALTER TABLE {table} SET (autovacuum_enabled = false)", name)
    secret = await made(storage)
    seen = "SELECT relname, seq_tup_read, n_tup_ins FROM pg_stat_user_tables"
    for start in range(0, _GROUPS * _SIZE, _SIZE):
        group = [rows.operation() for _ in range(_SIZE)]
        again, first = rows.operation(), group[0]
        units = [replace(t1(each, start + n, secret), wakes=wakes) for n, each in enumerate(group)]
        assert await storage.apply(units) == APPLIED
        assert await storage.apply([replace(t2(each), wakes=wakes) for each in group]) == APPLIED
        held = rows.held(first, start)
        assert (await storage.apply([t1(again, start, secret)])).present == [(0, held)]
        assert await storage.apply([t2(again, taken(held, again))]) == APPLIED
    await storage.close()  # whoever leaves reports what it did
    async with asyncio.timeout(300):
        while postgres_server.run(f"{seen} WHERE relname = 'guards'", name)[0][2] < _GROUPS * _SIZE:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    for table, read, _ in postgres_server.run(seen, name):
        assert read <= _GROUPS * _SIZE, table  # every row at most once: by the first plans of an empty table


async def test_a_commit_needs_no_connection_of_the_pool(postgres_server: Postgres, name: str) -> None:
    database = PostgresDatabase(lambda: postgres_server.url(name, SERVICE), replace(LIMITS, pool_size=1))
    storage = Storage(database, AUTHENTICITY)
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: object) -> None:
        loop.call_soon(started.set)
        connection.execute(text("SELECT pg_sleep(300)"))  # type: ignore[attr-defined]

    holding = asyncio.create_task(database.read(hold))
    await started.wait()
    assert await storage.apply([t1(rows.operation(), 1)]) == APPLIED
    assert not holding.done()
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await storage.close()
