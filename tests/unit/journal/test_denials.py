from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from strongroom.domain.alert import MOST_ALIKE, OTHERS, Sighting
from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditEntry, AuditOutcome
from strongroom.errors import StorageUnavailable
from strongroom.journal import denials
from strongroom.journal.denials import EACH, Denials
from strongroom.storage.base import Row, Unit
from tests.support import rows

NOON = datetime(2026, 11, 28, 12, 0, 5, tzinfo=UTC)


class World:
    """A clock, a sleep that ends when it is told to, and what was written."""

    def __init__(self) -> None:
        self.now = NOON
        self.records: list[AuditEntry] = []
        self.seen: list[Sighting] = []
        self.away = False
        self.minute_over = asyncio.Event()
        self.denials = Denials(self.commit, lambda: self.now, self.sleep)

    async def commit(self, unit: Unit, audit: Sequence[AuditEntry] = ()) -> Sequence[Row]:
        if self.away:
            raise StorageUnavailable("away")
        self.records += audit
        self.seen += [each for each in unit.puts if isinstance(each, Sighting)]
        return ()

    async def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 60.1
        await self.minute_over.wait()
        self.minute_over.clear()

    async def deny(self, times: int = 1, **fields: object) -> None:
        for _ in range(times):
            entry = rows.entry(outcome=AuditOutcome.DENIED, at=self.now, operation_id=new_id())
            await self.denials.record(replace(entry, **fields), "admin")  # type: ignore[arg-type]

    async def pass_minute(self) -> None:
        self.now += timedelta(minutes=1)
        self.minute_over.set()
        for _ in range(5):
            await asyncio.sleep(0)

    @property
    def counts(self) -> list[int]:
        return [json.loads(record.details).get("count", 0) for record in self.records]


async def test_ten_have_a_record_each_and_the_others_one_together() -> None:
    world = World()
    await world.deny(500)
    assert len(world.records) == EACH
    await world.pass_minute()
    [record] = world.records[EACH:]
    assert record.outcome is AuditOutcome.DENIED
    assert json.loads(record.details) == {
        "count": 490, "from": NOON.isoformat(), "to": NOON.isoformat(), "reasons": ["admin"],
    }  # fmt: skip
    await world.deny(11)
    assert len(world.records) == EACH + 1 + EACH
    await world.denials.close()
    assert sum(world.counts) == 491


async def test_each_principal_operation_and_tenant_has_its_own_ten() -> None:
    world = World()
    for fields in ({"principal_id": new_id()}, {"operation": "wallets.list"}, {"tenant_id": new_id()}, {}):
        await world.deny(12, **fields)
    assert len(world.records) == 4 * EACH
    await world.denials.close()
    assert world.counts[4 * EACH :] == [2, 2, 2, 2]


async def test_a_storm_is_one_alert() -> None:
    """As after an upgrade of a fleet of callers, each with a token of its own."""
    world = World()
    ours, theirs = new_id(), new_id()
    callers = [new_id() for _ in range(50)]
    for _ in range(2):
        for caller in callers:
            await world.deny(EACH, tenant_id=ours, principal_id=caller)
            await world.deny(EACH, tenant_id=ours, principal_id=caller, operation="wallets.list")
    await world.deny(EACH, tenant_id=theirs, principal_id=callers[0])
    alone = {str(each) for each in callers[:MOST_ALIKE]}
    assert {each.subject for each in world.seen if each.tenant_id == ours} == {*alone, OTHERS}
    assert [each.subject for each in world.seen if each.tenant_id == theirs] == [str(callers[0])]
    world.seen.clear()
    world.now += timedelta(minutes=1)
    await world.deny(EACH, tenant_id=ours, principal_id=callers[-1])
    assert [each.subject for each in world.seen] == [str(callers[-1])]
    await world.denials.close()


async def test_what_cannot_be_written_is_written_later() -> None:
    world = World()
    await world.deny(15)
    world.away = True
    await world.pass_minute()
    assert len(world.records) == EACH
    with pytest.raises(StorageUnavailable):
        await world.deny()
    world.away = False
    await world.pass_minute()
    assert world.counts[EACH:] == [5]
    await world.denials.close()


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denials, "_MOST", 3)
    world = World()
    for _ in range(20):
        await world.deny(12, principal_id=new_id())
    assert len(world.denials._counts) == 3
    await world.denials.close()
    assert sum(world.counts) == 40


async def test_nothing_is_left_running_when_nothing_is_counted() -> None:
    world = World()
    await world.deny()
    await world.pass_minute()
    assert world.denials._timer is not None
    assert world.denials._timer.done()
    assert len(world.records) == 1
