"""What retention removes, and what it never removes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from strongroom.domain.ids import first_id, new_id
from strongroom.domain.record import BroadcastState, OperationRecord, OperationState
from strongroom.domain.task import Task
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.operations import retention
from strongroom.operations.duties import Duties
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.database import execute
from tests.support.rows import PRINCIPAL, TENANT

AUTHENTICITY = Authenticity(b"s" * 32)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PURGE = Task("purge", "operations", None, NOW, None, 1, 1, 1, None, NOW)
DONE, FAILED, PENDING = OperationState.DONE, OperationState.FAILED, OperationState.PENDING


def operation(age: timedelta, state: OperationState, key: str | None = "k", **fields: object) -> OperationRecord:
    noise = new_id().int & ((1 << 80) - 1)
    return rows.operation(
        id=UUID(int=first_id(NOW - age).int | noise), state=state, idempotency_key=key and f"{key}-{noise}",
        result=b'{"a":1}' if state is DONE else None, created_at=NOW - age,
        **{"lease_until": NOW - age + timedelta(seconds=30), **fields},
    )  # fmt: skip


class World:
    def __init__(self, storage: SqlStorage, committer: Committer) -> None:
        self.storage = storage
        self.committer = committer
        self.now = NOW
        nothing: Any = None
        self.duties = Duties(
            storage=storage, tasks=storage.queue, retention=DAY, networks=nothing, reading=nothing,
            clock=lambda: self.now,
        )  # fmt: skip

    async def add(self, *records: OperationRecord) -> None:
        await self.committer.commit(Unit(rows=records))

    async def purge(self) -> int:
        """Runs a whole round. Returns the number of slices."""
        for n in range(1, 100):
            done = await retention.purge(PURGE, self.duties)
            await self.committer.commit(done.unit, done.audit)
            if done.again is None:
                return n
        raise AssertionError("it does not end")

    async def stored(self, record: OperationRecord) -> OperationRecord:
        found = await self.storage.operation(record.tenant_id, record.id)
        assert found is not None, "the row of an operation stays"
        return found


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    storage = SqlStorage(database, AUTHENTICITY)
    committer = Committer(storage, await register(storage, AUTHENTICITY.audit_key, "test"), timeout=60)
    committer.start()
    yield World(storage, committer)
    await committer.close()
    await database.close()


@pytest.mark.parametrize("state", [DONE, FAILED])
@pytest.mark.parametrize("key", ["k", None])
async def test_an_old_answer_is_forgotten_with_its_key(world: World, state: OperationState, key: str | None) -> None:
    old = operation(DAY + timedelta(seconds=1), state, key)
    await world.add(old)
    await world.purge()
    assert await world.stored(old) == replace(old, idempotency_key=None, result=None)
    if old.idempotency_key is not None:
        assert await world.storage.operation_by_key(TENANT, PRINCIPAL, old.idempotency_key) is None


async def test_one_that_never_ended_is_in_the_update_once(world: World) -> None:
    """No call leaves such a row behind; it must not keep the round from going on."""
    abandoned = replace(operation(2 * DAY, PENDING, None), result=b"{}")
    await world.add(abandoned)
    assert len((await retention.purge(PURGE, world.duties)).unit.changes) == 1
    await world.purge()
    assert await world.stored(abandoned) == replace(abandoned, state=FAILED, epoch=2, result=None)


async def test_a_young_one_is_kept_and_its_turn_comes(world: World) -> None:
    young = operation(DAY - timedelta(seconds=1), DONE)
    await world.add(young)
    await world.purge()
    assert await world.stored(young) == young
    world.now += timedelta(seconds=2)
    await world.purge()
    assert (await world.stored(young)).result is None


async def test_guards_and_signatures_stay(world: World) -> None:
    old = operation(2 * DAY, DONE)
    held, signature = rows.held(old), rows.signature(old)
    await world.committer.commit(Unit(rows=[old, held, signature]))
    await world.purge()
    assert await world.storage.guard(held.guard) == held
    assert await world.storage.signatures(TENANT, old.id) == [signature]


async def test_a_lease_that_nobody_ended_ends_as_a_failure_on_record(world: World) -> None:
    dead = operation(2 * DAY, PENDING)
    held = rows.held(dead)
    await world.committer.commit(Unit(rows=[dead, held]))
    await world.purge()
    ended = await world.stored(dead)
    assert (ended.state, ended.epoch, ended.idempotency_key) == (FAILED, dead.epoch + 1, None)
    assert await world.storage.guard(held.guard) is None
    [record] = await world.storage.audit_chain(world.committer.head().writer_id, 0, 10)
    assert (record.entry.operation_id, record.entry.outcome) == (dead.id, "failed")
    assert record.entry.details == '{"error":"abandoned"}'


async def test_what_is_under_way_again_is_left_alone(world: World) -> None:
    before, busy, after = (operation(DAY * n, state) for n, state in ((4, DONE), (3, PENDING), (2, DONE)))
    busy = replace(busy, lease_until=NOW + timedelta(seconds=30), epoch=2)
    await world.add(before, busy, after)
    await world.purge()
    assert (await world.stored(before)).result is None
    assert await world.stored(busy) == busy
    world.now += timedelta(minutes=1)
    await world.purge()
    assert (await world.stored(busy)).state is FAILED
    assert (await world.stored(after)).result is None


async def test_many_are_done_in_slices_and_each_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_A_SLICE", 7)
    records = [operation(DAY * 2 + timedelta(minutes=n), DONE) for n in range(30)]
    await world.add(*records)
    assert await world.purge() == 5
    assert [(await world.stored(record)).result for record in records] == [None] * 30
    [progress] = await world.storage.progress("purge/operations")
    assert (progress.checked, progress.findings, progress.finished_at) == (30, 30, NOW)
    assert await world.purge() == 1
    [progress] = await world.storage.progress("purge/operations")
    assert (progress.checked, progress.findings) == (0, 0)


async def test_bytes_of_broadcasts_that_are_over_are_kept_for_a_month(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BROADCASTS", 2)
    made = {
        (state, days): rows.broadcast(
            tx_id=f"0x{state}{days}", raw="0x02", state=state, created_at=NOW - days * DAY, rejection=None
        )
        for state in BroadcastState
        for days in (1, 29, 31)
    }
    await world.committer.commit(Unit(rows=list(made.values())))
    task = replace(PURGE, key="broadcasts")
    for _ in range(2):  # the second round finds nothing
        slices = 1
        while (done := await retention.purge(task, world.duties)).again is not None:
            await world.committer.commit(done.unit, done.audit)
            slices += 1
        await world.committer.commit(done.unit, done.audit)
        assert slices == 7
        world.now += timedelta(hours=1)
    for (state, days), row in made.items():
        found = await world.storage.broadcast(row.tenant_id, row.network, row.tx_id)
        is_over = days == 31 and state is not BroadcastState.UNKNOWN
        assert found == replace(row, raw="" if is_over else "0x02"), (state, days)
    [progress] = await world.storage.progress("purge/broadcasts")
    assert (progress.checked, progress.findings, progress.finished_at) == (12, 0, NOW + timedelta(hours=1))


async def test_progress_that_somebody_changed_begins_anew(world: World) -> None:
    old = operation(2 * DAY, DONE)
    await world.add(old)
    await world.purge()
    await execute(world.storage._database, "UPDATE progress SET cursor = x'ff'")
    await world.purge()
    assert len(await world.storage.progress()) == 1
