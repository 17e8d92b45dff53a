"""Alerts past the database: once in a cool-down over all processes, and its end once, whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from strongroom.alerts import direct
from strongroom.alerts.base import Alerting, NotDelivered, Note, SharedKeys
from strongroom.alerts.direct import Direct
from strongroom.alerts.shared import Alone
from strongroom.domain.alert import RULES, Message, Seen, Severity

RULE = replace(RULES["database"], cool_down=timedelta(hours=1))
SEEN = Seen("database", "database")
TENANT, OTHER = UUID(int=1), UUID(int=2)


class Died(BaseException):
    """The process is gone: nothing of it goes on."""


@dataclass
class Time:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Memory:
    """A fake of what Redis remembers for the processes."""

    time: Time
    kept: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def first(self, key: str, seconds: float) -> bool:
        if await self.read(key):
            return False
        await self.keep(key, seconds)
        return True

    async def keep(self, key: str, seconds: float, value: str = "1") -> None:
        self.kept[key] = (self.time.now + seconds, value)

    async def read(self, key: str) -> str:
        until, value = self.kept.get(key, (0.0, ""))
        return value if until > self.time.now else ""

    async def forget(self, key: str) -> None:
        self.kept.pop(key, None)


@dataclass
class Chat:
    """A fake channel. ``next``: what the next sendings meet."""

    name: str = "chat"
    tenant_id: UUID | None = None
    least: Severity = Severity.INFO
    got: list[Note] = field(default_factory=list)
    next: list[NotDelivered | type[Died] | asyncio.Event] = field(default_factory=list)

    async def send(self, note: Note) -> None:
        met = self.next.pop(0) if self.next else None
        if isinstance(met, NotDelivered):
            raise met
        if isinstance(met, asyncio.Event):
            await met.wait()
        self.got.append(note)
        if met is Died:  # it has arrived, and whoever sent it cannot write that down
            await asyncio.Event().wait()

    @property
    def said(self) -> list[Message]:
        return [note.message for note in self.got]


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def memory(clock: Time) -> Memory:
    return Memory(clock)


NewProcess = Callable[..., Direct]


@pytest.fixture
async def process(clock: Time, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewProcess]:
    monkeypatch.setattr(direct, "_FIRST_PAUSE", 0.001)
    made = []

    def new(*channels: Chat, alone: bool = False, quiet: tuple[time, time] | None = None) -> Direct:
        alerting = Alerting(channels={each.name: each for each in channels}, quiet=quiet)
        made.append(Direct(alerting, Alone() if alone else memory, clock=clock))
        return made[-1]

    yield new
    for each in made:
        await each.close()


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0.001)


async def ends(*processes: Direct) -> None:
    for _ in range(3):
        for each in processes:
            if SEEN.key in each.told:
                await each.end(RULE, SEEN.key)
        await settle()


async def test_two_processes_tell_once_in_a_cool_down_and_the_end_once(clock: Time, process: NewProcess) -> None:
    chat = Chat()
    pair = [process(chat), process(chat)]
    for minutes in range(0, 61, 5):
        clock.now = 1000.0 + minutes * 60
        for each in pair:
            await each.tell(RULE, SEEN)
            await settle()
    assert chat.said == [Message.FIRING, Message.STILL]
    assert not any(note.is_repeat for note in chat.got)
    await ends(*pair)
    assert chat.said == [Message.FIRING, Message.STILL, Message.RECOVERED]
    assert not any(each.told for each in pair)
    clock.now += 60
    await pair[1].tell(RULE, SEEN)
    await settle()
    assert len(chat.got) == 3, "it came back within the cool-down"


async def test_an_end_that_another_process_sends_meanwhile_is_sent_once(memory: Memory, process: NewProcess) -> None:
    """The other one ends it after this one has read that it is open, and before this one claims the end."""
    chat = Chat()
    pair = [process(chat), process(chat)]
    for each in pair:
        await each.tell(RULE, SEEN)
        await settle()
    claim = memory.first

    async def overtaken(key: str, seconds: float) -> bool:
        memory.first = claim  # type: ignore[method-assign]
        await pair[0].end(RULE, SEEN.key)
        await settle()
        return await claim(key, seconds)

    memory.first = overtaken  # type: ignore[method-assign]
    await pair[1].end(RULE, SEEN.key)
    await settle()
    await ends(*pair)
    assert chat.said == [Message.FIRING, Message.RECOVERED]
    assert not any(each.told for each in pair)
    assert not memory.kept.keys() & {SharedKeys(SEEN.key, chat.name).open, SharedKeys(SEEN.key, chat.name).ending}


async def test_each_process_tells_where_nothing_is_shared(clock: Time, process: NewProcess) -> None:
    chat = Chat()
    pair = [process(chat, alone=True), process(chat, alone=True)]
    for _ in range(5):
        for each in pair:
            await each.tell(RULE, SEEN)
        clock.now += 60
    await settle()
    await ends(*pair)
    assert sorted(chat.said) == [Message.FIRING] * 2 + [Message.RECOVERED] * 2


async def test_a_death_before_anything_was_sent(clock: Time, process: NewProcess) -> None:
    chat = Chat(next=[asyncio.Event()])
    dying, other = process(chat), process(chat)
    await dying.tell(RULE, SEEN)
    await settle()
    await other.tell(RULE, SEEN)
    await dying.close()
    await settle()
    assert chat.got == []
    clock.now += 61
    await other.tell(RULE, SEEN)
    await settle()
    await ends(other)
    assert chat.said == [Message.FIRING, Message.RECOVERED]


async def test_a_death_after_it_arrived_repeats_it_under_the_same_id(clock: Time, process: NewProcess) -> None:
    chat = Chat(next=[Died])
    dying, other = process(chat), process(chat)
    await dying.tell(RULE, SEEN)
    await settle()
    await dying.close()
    clock.now += 61
    await other.tell(RULE, SEEN)
    await settle()
    first, again = chat.got
    assert (first.id, first.message, first.is_repeat) == (again.id, Message.FIRING, False)
    assert (again.message, again.is_repeat) == (Message.FIRING, True)


async def test_it_was_over_before_another_one_could_tell_for_the_dead(clock: Time, process: NewProcess) -> None:
    """That it began is told all the same, and before that it is over."""
    chat = Chat(next=[asyncio.Event()])
    dying, other = process(chat), process(chat)
    await dying.tell(RULE, SEEN)
    await settle()
    await other.tell(RULE, SEEN)
    await ends(other)
    assert chat.got == [], "whoever is telling it may live"
    await dying.close()
    clock.now += 61
    await ends(other)
    assert chat.said == [Message.FIRING, Message.RECOVERED]
    assert chat.got[0].is_repeat


async def test_a_death_while_the_end_is_told(clock: Time, process: NewProcess) -> None:
    chat = Chat()
    dying, other = process(chat), process(chat)
    for each in (dying, other):
        await each.tell(RULE, SEEN)
    await settle()
    chat.next = [Died]
    await ends(dying, other)
    await dying.close()
    assert SEEN.key in other.told
    clock.now += 61
    await ends(other)
    assert chat.said == [Message.FIRING, Message.RECOVERED, Message.RECOVERED]
    assert chat.got[1].id == chat.got[2].id
    assert not other.told


async def test_the_end_is_told_by_a_process_that_began_later(clock: Time, process: NewProcess) -> None:
    chat = Chat()
    dying = process(chat)
    await dying.tell(RULE, SEEN)
    await settle()
    await dying.close()
    later = process(chat)
    await later.adopt(RULE, SEEN)
    await ends(later)
    assert chat.said == [Message.FIRING, Message.RECOVERED]
    assert chat.got[1].since == chat.got[0].since
    assert not later.told


async def test_a_channel_that_fails_does_not_keep_the_others_from_it(process: NewProcess) -> None:
    limited = NotDelivered("http_429", retry_after=0.01)
    bad, good = Chat("bad", next=[limited, NotDelivered("http_500")]), Chat("good")
    one = process(bad, good)
    await one.tell(RULE, SEEN)
    await ends(one)
    await settle()
    assert bad.said == good.said == [Message.FIRING, Message.RECOVERED]


async def test_what_was_refused_for_good_is_not_sent_again(process: NewProcess) -> None:
    chat = Chat(next=[NotDelivered("http_400", is_final=True)])
    one = process(chat)
    for _ in range(3):
        await one.tell(RULE, SEEN)
        await settle()
    assert chat.got == []


@pytest.mark.parametrize("reason", ["slow", "unanswered"])
async def test_a_channel_that_may_have_taken_it_gets_a_note_that_says_so(process: NewProcess, reason: str) -> None:
    chat = Chat(next=[NotDelivered(reason)])
    await process(chat).tell(RULE, SEEN)
    await settle()
    assert [note.is_repeat for note in chat.got] == [True]


async def test_tenants_have_their_own_channels_and_are_told_apart(process: NewProcess) -> None:
    service, theirs = Chat("service"), Chat("theirs", tenant_id=TENANT)
    one = process(service, theirs)
    rule = RULES["fee_cap"]
    tenants = (TENANT, OTHER, UUID(int=3))
    for tenant in tenants:
        await one.tell(rule, Seen("fee_cap", "same", tenant))
    await settle()
    assert (len(theirs.got), len(service.got)) == (1, 2)
    assert set(one.told) == {("fee_cap", "same", tenant) for tenant in tenants}


async def test_what_its_task_has_told_is_not_told_again_past_the_database(
    clock: Time, memory: Memory, process: NewProcess
) -> None:
    """Nor is it said then that it was told, or that it is over."""
    chat = Chat()
    one = process(chat)
    await memory.keep(SharedKeys(SEEN.key, "chat").claim, 3600)
    for _ in range(10):
        await one.tell(RULE, SEEN)
        clock.now += 10
    await settle()
    assert not one.told
    assert chat.got == []
    clock.now += 3600
    await one.tell(RULE, SEEN)
    await ends(one)
    assert chat.said == [Message.FIRING, Message.RECOVERED]


async def test_quiet_hours_hold_here_too(process: NewProcess) -> None:
    now = datetime.now(UTC)
    hours = ((now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time())
    chat = Chat()
    one = process(chat, quiet=hours)
    await one.tell(RULES["fee_cap"], Seen("fee_cap", "x"))
    await one.tell(RULE, SEEN)
    await settle()
    assert [note.rule for note in chat.got] == ["database"]


async def test_what_the_database_knows_again_is_not_ended_here(memory: Memory, process: NewProcess) -> None:
    chat = Chat()
    one = process(chat)
    await one.tell(RULE, SEEN)
    await settle()
    await one.hand_over(SEEN.key)
    assert not one.told
    assert not [key for key in memory.kept if key.startswith("open/")]


@pytest.mark.parametrize("text", ["1", "told", "told x y", "told 1 2 3", "telling " + "f" * 32 + " 9999", "\x00" * 200])
async def test_what_somebody_else_wrote_there_is_nothing(memory: Memory, process: NewProcess, text: str) -> None:
    chat = Chat()
    await memory.keep("open/None/chat/database/database", 1e9, text)
    one = process(chat)
    await one.adopt(RULE, SEEN)
    await one.tell(RULE, SEEN)
    await settle()
    await ends(one)
    assert chat.said == [Message.FIRING, Message.RECOVERED]
