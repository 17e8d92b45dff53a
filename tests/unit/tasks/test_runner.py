"""The loop with a real queue (SQLite), and what becomes of a task depending on its handler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from strongroom.domain.task import Task
from strongroom.errors import KeyWrapUnavailable, StorageUnavailable
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import SettleTask, Unit, Wake
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from strongroom.storage.tasks import SqlTasks
from strongroom.tasks.base import Done, Kind, Ladder
from strongroom.tasks.runner import Runner
from strongroom.telemetry.metrics import TASK_RUNS_TOTAL
from tests.support import rows
from tests.support.rows import TENANT
from tests.support.task_workers import PATIENT

AUTHENTICITY = Authenticity(b"s" * 32)
QUICK = Ladder(first=0.001, longest=0.001)
Handler = Callable[[Task, None], Awaitable[Done]]


class World:
    def __init__(self, storage: SqlStorage, committer: Committer) -> None:
        self.storage = storage
        self.committer = committer
        self.queue: Any = storage.queue
        self.runner: Runner[None] | None = None

    def start(self, run: Handler, *, poll: float = 0.02, drain: float = 0.0, **fields: Any) -> Runner[None]:
        kind: Kind[None] = Kind(**{"name": "toy", "run": run, "slots": 2, "ladder": QUICK, **fields})
        self.runner = Runner([kind], self.queue, self.committer.commit, None, poll=poll, drain=drain)
        self.committer.woken = self.runner.wake
        self.runner.start()
        return self.runner

    async def wake(self, *keys: str) -> None:
        await self.committer.commit(Unit(wakes=[Wake("toy", key, TENANT) for key in keys]))

    async def until(self, holds: Callable[[Task], bool], key: str = "a") -> Task:
        end = time.monotonic() + 120
        while True:
            task = await self.storage.task("toy", key)
            if task is not None and holds(task):
                return task
            assert time.monotonic() < end, f"it never came to that: {task}"
            await asyncio.sleep(0.01)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = open_database(f"sqlite:///{tmp_path}/test.db", PATIENT)
    await migrate(database)
    storage = SqlStorage(database, AUTHENTICITY)
    committer = Committer(storage, await register(storage, AUTHENTICITY.audit_key, "test"), timeout=60)
    committer.start()
    made = World(storage, committer)
    yield made
    if made.runner is not None:
        await made.runner.stop()
    await committer.close()
    await database.close()


def runs(outcome: str) -> float:
    return float(TASK_RUNS_TOTAL.labels("toy", outcome)._value.get())


async def counted(outcome: str, wanted: float) -> None:
    """A run is counted a moment after its settlement can be read."""
    async with asyncio.timeout(120):
        while runs(outcome) != wanted:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)


def sleeps(task: Task) -> bool:
    return task.due_at is None and task.lease_until is None


async def nothing(task: Task, _: None) -> Done:
    return Done()


async def test_what_a_handler_did_is_committed_with_its_settlement(world: World) -> None:
    operation = rows.operation()

    async def run(task: Task, _: None) -> Done:
        return Done(Unit(rows=[operation], wakes=[Wake("toy", "b")])) if task.key == "a" else Done()

    world.start(run)
    await world.wake("a")
    task = await world.until(sleeps)
    assert (task.attempts, task.last_error_code) == (0, None)
    assert await world.storage.operation(TENANT, operation.id) == operation
    await world.until(sleeps, "b")


async def test_a_commit_of_this_process_is_not_left_to_the_poll(world: World) -> None:
    world.start(nothing, poll=3600)
    await asyncio.sleep(0.05)
    await world.wake("a")
    await world.until(sleeps)


async def test_work_that_another_process_woke_is_found_by_polling(world: World) -> None:
    world.start(nothing)
    await world.storage.apply([Unit(wakes=[Wake("toy", "a")])])
    await world.until(sleeps)


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyWrapUnavailable("away"), "keywrap_unavailable"), (ValueError("secret"), "internal_error")],
)
async def test_a_failure_is_tried_again_until_it_succeeds(world: World, error: Exception, code: str) -> None:
    seen: list[Task] = []

    async def run(task: Task, _: None) -> Done:
        seen.append(task)
        if len(seen) < 3:
            raise error
        return Done()

    world.start(run)
    await world.wake("a")
    assert (await world.until(sleeps)).last_error_code is None
    assert [(task.attempts, task.last_error_code) for task in seen] == [(1, None), (2, code), (3, code)]


async def test_the_last_failure_ends_in_a_state_of_the_domain_row(world: World) -> None:
    operation, before = rows.operation(), runs("given_up")

    async def run(task: Task, _: None) -> Done:
        raise KeyWrapUnavailable("away")

    async def give_up(task: Task, code: str, _: None) -> Done:
        assert (task.attempts, code) == (3, "keywrap_unavailable")
        return Done(Unit(rows=[operation]))

    world.start(run, attempts=3, give_up=give_up)
    await world.wake("a")
    task = await world.until(sleeps)
    assert (task.attempts, task.last_error_code) == (0, "keywrap_unavailable")
    assert await world.storage.operation(TENANT, operation.id) == operation
    await counted("given_up", before + 1)


async def test_a_task_whose_workers_all_died_is_given_up_without_another_run(world: World) -> None:
    await world.wake("a")
    for _ in range(3):
        await world.storage.queue.claim("toy", 1, timedelta(milliseconds=1))
        await asyncio.sleep(0.01)
    seen: list[Task] = []

    async def run(task: Task, _: None) -> Done:
        seen.append(task)
        return Done()

    world.start(run, attempts=3)
    assert (await world.until(sleeps)).last_error_code == "worker_lost"
    assert seen == []


async def test_a_handler_that_takes_too_long_is_given_up_and_tried_again(world: World) -> None:
    async def run(task: Task, _: None) -> Done:
        if task.attempts == 1:
            await asyncio.sleep(3600)
        assert task.last_error_code == "deadline_exceeded"
        return Done()

    world.start(run, timeout=timedelta(seconds=0.05))
    await world.wake("a")
    await world.until(sleeps)


async def test_a_unit_that_loses_is_made_anew(world: World) -> None:
    taken, free = rows.operation(), rows.operation()
    await world.committer.commit(Unit(rows=[taken]))

    async def run(task: Task, _: None) -> Done:
        return Done(Unit(rows=[taken if task.attempts == 1 else free]))

    world.start(run)
    await world.wake("a")
    await world.until(sleeps)
    assert await world.storage.operation(TENANT, free.id) == free


async def test_a_schedule_brings_itself_back(world: World) -> None:
    seen: list[datetime] = []

    async def run(task: Task, _: None) -> Done:
        seen.append(datetime.now(UTC))
        return Done()

    world.start(run, schedule={"a": lambda now: now + timedelta(milliseconds=20)})
    await world.until(lambda _: len(seen) >= 3)


async def test_a_job_in_slices_goes_on_at_once(world: World) -> None:
    seen: list[Task] = []

    async def run(task: Task, _: None) -> Done:
        seen.append(task)
        return Done(again=timedelta() if len(seen) < 20 else None)

    world.start(run, poll=60)
    await asyncio.sleep(0.05)
    await world.wake("a")
    await world.until(sleeps)
    assert len(seen) == 20


async def test_no_more_run_at_once_than_there_are_slots_and_no_slot_is_lost(world: World) -> None:
    at_once: list[int] = []
    running = 0

    async def run(task: Task, _: None) -> Done:
        nonlocal running
        running += 1
        at_once.append(running)
        await asyncio.sleep(0.001)
        running -= 1
        if int(task.key) % 5 == 0 and task.attempts == 1:
            raise ValueError("once")
        return Done()

    world.start(run, poll=60)
    await asyncio.sleep(0.05)
    await world.wake(*[f"{n}" for n in range(40)])
    for n in range(40):
        await world.until(sleeps, f"{n}")
    assert len(at_once) == 48
    assert max(at_once) == 2


async def test_a_slow_kind_keeps_no_other_waiting(world: World) -> None:
    async def slow(task: Task, _: None) -> Done:
        await asyncio.sleep(3600)
        return Done()

    kinds: list[Kind[None]] = [Kind(name="slow", run=slow, slots=1), Kind(name="toy", run=nothing, slots=1)]
    world.runner = Runner(kinds, world.queue, world.committer.commit, None, poll=0.02, drain=0)
    await world.committer.commit(Unit(wakes=[Wake("slow", f"{n}") for n in range(5)]))
    await world.wake("a")
    world.runner.start()
    await world.until(sleeps)


@pytest.fixture
def soon_renewed(monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """A lease that no busy machine lets end, and that is renewed five times a second all the same."""
    monkeypatch.setattr("strongroom.tasks.runner._RENEWALS_A_LEASE", 300)
    return timedelta(seconds=60)


async def test_a_handler_whose_lease_is_renewed_runs_on(world: World, soon_renewed: timedelta) -> None:
    async def run(task: Task, _: None) -> Done:
        await world.until(lambda found: found.lease_until not in (None, task.lease_until))
        return Done()

    before = runs("ok")
    world.start(run, lease=soon_renewed)
    await world.wake("a")
    task = await world.until(sleeps)
    assert task.epoch == 2  # one claim, one settlement
    await counted("ok", before + 1)


async def test_a_handler_whose_renewal_is_refused_is_cancelled(world: World, soon_renewed: timedelta) -> None:
    cancelled = asyncio.Event()
    before = runs("lost")

    async def run(task: Task, _: None) -> Done:
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()
        return Done()

    world.start(run, lease=soon_renewed)
    await world.wake("a")
    task = await world.until(lambda task: task.lease_until is not None)
    await world.committer.commit(Unit(changes=[SettleTask(task, error="cancelled")]))
    async with asyncio.timeout(120):
        await cancelled.wait()
    await counted("lost", before + 1)
    found = await world.storage.task("toy", "a")
    assert found is not None
    assert (found.due_at, found.last_error_code) == (None, "cancelled")


class Faulty:
    """A queue that is away as often as it is told."""

    def __init__(self, tasks: SqlTasks) -> None:
        self._tasks = tasks
        self.away = 0

    def __getattr__(self, name: str) -> Any:
        async def call(*given: Any) -> Any:
            if self.away:
                self.away -= 1
                raise (StorageUnavailable("away") if self.away % 2 else RuntimeError("a fault of ours"))
            return await getattr(self._tasks, name)(*given)

        return call


async def test_a_database_that_is_away_ends_nothing(world: World) -> None:
    world.queue = faulty = Faulty(world.storage.queue)
    faulty.away = 12
    world.start(nothing)
    await world.wake("a")
    await world.until(sleeps)
    assert faulty.away == 0


async def test_a_settlement_waits_for_the_database(world: World) -> None:
    away = 3
    commit = world.committer.commit

    async def faulty(unit: Unit, audit: Any = ()) -> Any:
        nonlocal away
        if any(isinstance(change, SettleTask) for change in unit.changes) and away:
            away -= 1
            raise StorageUnavailable("away")
        return await commit(unit, audit)

    kind: Kind[None] = Kind(name="toy", run=nothing, slots=1)
    world.runner = Runner([kind], world.queue, faulty, None, poll=0.02, drain=0)
    world.runner.start()
    await world.wake("a")
    task = await world.until(sleeps)
    assert (away, task.epoch) == (0, 2)


async def test_a_settlement_whose_commit_came_through_unseen_is_made_once(world: World) -> None:
    operation = rows.operation()
    commit = world.committer.commit
    unseen = True

    async def faulty(unit: Unit, audit: Any = ()) -> Any:
        nonlocal unseen
        answer = await commit(unit, audit)
        if unit.changes and unseen:
            unseen = False
            raise StorageUnavailable("it is not known whether this was committed")
        return answer

    async def run(task: Task, _: None) -> Done:
        return Done(Unit(rows=[operation]))

    before = runs("lost")
    kind: Kind[None] = Kind(name="toy", run=run, slots=1)
    world.runner = Runner([kind], world.queue, faulty, None, poll=0.02, drain=0)
    world.runner.start()
    await world.wake("a")
    await world.until(sleeps)
    await counted("lost", before + 1)
    task = await world.until(sleeps)
    assert (task.epoch, task.last_error_code) == (2, None)


async def test_what_does_not_end_in_time_is_given_back(world: World) -> None:
    begun = asyncio.Event()

    async def run(task: Task, _: None) -> Done:
        begun.set()
        await asyncio.sleep(3600)
        return Done()

    runner = world.start(run, drain=0.05)
    await world.wake("a")
    await begun.wait()
    runner.drain()
    await world.wake("b")
    await runner.stop()
    task = await world.storage.task("toy", "a")
    other = await world.storage.task("toy", "b")
    assert task is not None
    assert other is not None
    assert (task.lease_until, task.attempts, other.epoch) == (None, 0, 0)
    assert task.due_at is not None


def test_pauses_grow_up_to_the_longest_and_are_spread() -> None:
    ladder = Ladder(first=1, longest=60)
    pauses = {n: [ladder.pause(n).total_seconds() for _ in range(500)] for n in (1, 3, 10, 1000)}
    for n, most in ((1, 1), (3, 4), (10, 60), (1000, 60)):
        assert 0 <= min(pauses[n]) < 0.2 * most
        assert 0.8 * most < max(pauses[n]) <= most
