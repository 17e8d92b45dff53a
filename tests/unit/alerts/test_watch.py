"""What a process sees, written down: not too often, not too much, and past a database that does not take it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from strongroom.alerts.base import Alerting
from strongroom.alerts.direct import Direct
from strongroom.alerts.shared import Alone
from strongroom.alerts.watch import Watch
from strongroom.domain.alert import OTHERS, RULES, Seen, Sighting
from strongroom.errors import StorageUnavailable
from strongroom.storage.base import Row, Unit
from strongroom.telemetry.signals import Signals
from tests.unit.alerts.test_direct import Chat, Time, settle

TENANT = UUID(int=1)


class Process:
    def __init__(self) -> None:
        self.time = Time()
        self.lasting: list[Seen] = []
        self.signals = Signals()
        self.is_down = False
        self.written: list[Sighting] = []
        self.chat = Chat()
        direct = Direct(Alerting(channels={"chat": self.chat}), Alone(), clock=self.time)
        rules = {name: replace(rule, hold=timedelta()) for name, rule in RULES.items()}
        self.watch = Watch(
            rules, [self._look], self._commit, direct, interval=1, signals=self.signals, clock=self.time
        )  # fmt: skip

    async def _look(self) -> Iterable[Seen]:
        return self.lasting

    async def _commit(self, unit: Unit, audit: object = ()) -> list[Row]:
        if self.is_down:
            raise StorageUnavailable("it is away")
        self.written += [each for each in unit.puts if isinstance(each, Sighting)]
        return []

    async def looks(self, seconds: float, every: float = 1.0) -> None:
        until = self.time.now + seconds
        while self.time.now < until:
            await self.watch.look()
            self.time.now += every
        await asyncio.sleep(0)


async def test_what_lasts_is_written_at_most_every_twenty_seconds() -> None:
    process = Process()
    process.lasting = [Seen("vault", "sealed")]
    await process.looks(61)
    assert len(process.written) == 4


async def test_a_storm_is_told_as_one() -> None:
    process = Process()
    for n in range(400):
        process.signals.note("denials", f"key-{n}", TENANT)
    await process.looks(1)
    assert len(process.written) == 21
    assert (process.written[-1].subject, process.written[-1].tenant_id) == (OTHERS, TENANT)
    assert "key-" not in process.written[-1].facts
    process.signals.note("denials", "of another tenant", UUID(int=2))
    process.signals.note("fee_cap", "of another rule", TENANT)
    await process.looks(1)
    assert {each.subject for each in process.written[21:]} == {"of another tenant", "of another rule"}
    await process.looks(70)
    process.signals.note("denials", "key-later", TENANT)
    await process.looks(1)
    assert process.written[-1].subject == "key-later"


async def test_new_subjects_again_and_again_are_twenty_a_minute() -> None:
    process = Process()
    for n in range(600):
        process.signals.note("denials", f"key-{n}", TENANT)
        await process.looks(0.5, 0.5)
    single = {each.subject for each in process.written} - {OTHERS}
    assert len(single) <= 5 * 20 + 20


async def test_what_the_database_does_not_take_is_told_and_written_later() -> None:
    process = Process()
    process.is_down = True
    process.lasting = [Seen("vault", "sealed")]
    await process.looks(9)
    assert process.chat.got == []
    await process.looks(5)
    await settle()
    assert [note.rule for note in process.chat.got] == ["vault"]
    process.is_down = False
    await process.looks(2)
    [sighting] = process.written
    assert sighting.told_at is not None
    process.lasting = []
    await process.looks(300, 10)
    await settle()
    assert len(process.chat.got) == 1, "its task says that it is over"


async def test_the_database_is_told_past_it_and_told_to_be_back() -> None:
    process = Process()
    process.lasting = [Seen("database", "database")]
    await process.looks(3)
    await settle()
    process.lasting = []
    await process.looks(3)
    await settle()
    assert [str(each) for each in process.chat.said] == ["firing", "recovered"]
    assert process.written == []


async def test_what_waits_is_bounded() -> None:
    process = Process()
    process.is_down = True
    for n in range(30):
        process.lasting = [Seen("circuit", f"{n}-{m}", UUID(int=n)) for m in range(50)]
        await process.looks(1)
    assert len(process.watch._waiting) <= 500
