"""The contract of every task queue. A new implementation is one more parameter of `database`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from strongroom.domain.task import Progress, Task
from strongroom.errors import IntegrityError
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import SettleTask, Unit, Wake
from strongroom.storage.database import Database
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from strongroom.storage.tasks import SqlTasks
from tests.support import rows
from tests.support.database import execute
from tests.support.postgres import SERVICE, Postgres
from tests.support.rows import OTHER_TENANT, TENANT, done
from tests.support.task_workers import PATIENT

LEASE = timedelta(hours=1)
AN_HOUR = timedelta(hours=1)
AUTHENTICITY = Authenticity(b"s" * 32)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.url(server.create_database(migrated=True), SERVICE)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = open_database(url, PATIENT)
    if url.startswith("sqlite"):
        await migrate(made)
    yield made
    await made.close()


@pytest.fixture
def storage(database: Database) -> SqlStorage:
    return SqlStorage(database, AUTHENTICITY)


@pytest.fixture
def tasks(database: Database) -> SqlTasks:
    return SqlTasks(database, AUTHENTICITY)


async def wake(storage: SqlStorage, *keys: str, kind: str = "toy", **more: object) -> None:
    await done(storage, Unit(wakes=[Wake(kind, key, **more) for key in keys]))  # type: ignore[arg-type]


async def loses(storage: SqlStorage, settled: SettleTask) -> None:
    other = rows.operation()
    applied = await storage.apply([Unit(rows=[other]), Unit(changes=[settled])])
    [conflict] = applied.conflicts
    assert (conflict.unit, conflict.cause) == (1, settled)


async def stored(storage: SqlStorage, key: str = "a") -> Task:
    found = await storage.task("toy", key)
    assert found is not None
    return found


async def claim_one(tasks: SqlTasks, kind: str = "toy") -> Task:
    [task] = await tasks.claim(kind, 1, LEASE)
    return task


async def test_what_is_woken_is_claimed_once(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a", "b", tenant_id=TENANT)
    assert await tasks.due(["toy", "other"]) == {"toy"}
    before = datetime.now(UTC) - timedelta(seconds=1)  # the clock of the database may be a little behind
    first = await claim_one(tasks)
    [second] = await tasks.claim("toy", 10, LEASE)
    assert {first.key, second.key} == {"a", "b"}
    assert (first.tenant_id, first.epoch, first.attempts, first.wanted) == (TENANT, 1, 1, 1)
    assert first.lease_until is not None
    assert first.lease_until >= before + LEASE
    assert await tasks.claim("toy", 10, LEASE) == []
    assert await tasks.due(["toy"]) == set()


async def test_a_unit_that_loses_wakes_nobody(storage: SqlStorage, tasks: SqlTasks) -> None:
    row = rows.operation()
    await done(storage, Unit(rows=[row]))
    assert (await storage.apply([Unit(rows=[row], wakes=[Wake("toy", "a")])])).conflicts
    assert await storage.task("toy", "a") is None


async def test_wakes_of_one_key_are_one_row(storage: SqlStorage, tasks: SqlTasks) -> None:
    units = [Unit(wakes=[Wake("toy", f"k{n % 3}", after=AN_HOUR * (n % 2))]) for n in range(12)]
    await done(storage, *units)
    claimed = await tasks.claim("toy", 10, LEASE)
    assert [task.wanted for task in claimed] == [4, 4, 4]


async def test_a_wake_brings_forward_and_never_puts_off(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a", after=AN_HOUR)
    assert await tasks.claim("toy", 1, LEASE) == []
    later = (await stored(storage)).due_at
    await wake(storage, "a", after=2 * AN_HOUR)
    assert (await stored(storage)).due_at == later
    await wake(storage, "a")
    assert (await claim_one(tasks)).key == "a"


async def test_a_schedule_is_no_news(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a")
    task = await claim_one(tasks)
    await wake(storage, "a", after=AN_HOUR, news=False)
    await done(storage, Unit(changes=[SettleTask(task, again=AN_HOUR)]))
    assert await tasks.due(["toy"]) == set()


async def test_the_oldest_is_claimed_first(storage: SqlStorage, tasks: SqlTasks) -> None:
    for key in "cab":
        await wake(storage, key)
        await asyncio.sleep(0.005)
    assert [(await claim_one(tasks)).key for _ in range(3)] == ["c", "a", "b"]


async def test_a_settled_task_sleeps_until_it_is_woken(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a")
    await done(storage, Unit(changes=[SettleTask(await claim_one(tasks))]))
    found = await stored(storage)
    assert (found.due_at, found.lease_until, found.attempts, found.last_error_code) == (None, None, 0, None)
    assert await tasks.claim("toy", 1, LEASE) == []
    await wake(storage, "a")
    assert (await claim_one(tasks)).key == "a"


async def test_what_is_woken_while_somebody_works_on_it_is_due_again(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a")
    task = await claim_one(tasks)
    await wake(storage, "a")
    assert await tasks.claim("toy", 1, LEASE) == []
    await done(storage, Unit(changes=[SettleTask(task)]))
    again = await claim_one(tasks)
    await done(storage, Unit(changes=[SettleTask(again, again=AN_HOUR)], wakes=[Wake("toy", "a")]))
    assert (await claim_one(tasks)).wanted == 3


async def test_a_failure_waits_even_if_there_is_news(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a")
    task = await claim_one(tasks)
    await wake(storage, "a")
    failed = SettleTask(task, again=AN_HOUR, attempts=task.attempts, error="storage_unavailable")
    await done(storage, Unit(changes=[failed]))
    found = await stored(storage)
    assert (found.attempts, found.last_error_code) == (1, "storage_unavailable")
    assert await tasks.due(["toy"]) == set()


async def test_a_task_is_settled_once(storage: SqlStorage, tasks: SqlTasks) -> None:
    """With everything else in the unit, so that after a first commit of unknown outcome the second does nothing."""
    await wake(storage, "a")
    settled = SettleTask(await claim_one(tasks))
    await done(storage, Unit(changes=[settled]))
    operation = rows.operation()
    applied = await storage.apply([Unit(rows=[operation], changes=[settled], wakes=[Wake("toy", "b")])])
    assert [conflict.cause for conflict in applied.conflicts] == [settled]
    assert await storage.operation(TENANT, operation.id) is None
    assert await storage.task("toy", "b") is None


async def test_of_two_settlements_in_one_batch_one_counts(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a", "b")
    task, other = await tasks.claim("toy", 2, LEASE)
    units = [Unit(changes=[SettleTask(each)]) for each in (task, other, replace(task))]
    [conflict] = (await storage.apply(units)).conflicts
    assert conflict.unit == 2
    await done(storage, *units[:2])


async def test_a_lease_that_is_over_is_claimed_by_another_and_the_first_changes_nothing(
    storage: SqlStorage, tasks: SqlTasks
) -> None:
    await wake(storage, "a")
    [first] = await tasks.claim("toy", 1, timedelta(milliseconds=1))
    await asyncio.sleep(0.01)
    assert [each.expired for each in await tasks.backlog(["toy"])] == [1]
    second = await claim_one(tasks)
    assert (second.epoch, second.attempts, second.due_at) == (first.epoch + 1, 2, first.due_at)
    await loses(storage, SettleTask(first))
    assert await tasks.renew([first], LEASE) == set()
    assert await tasks.renew([second], LEASE) == {second.place}
    await done(storage, Unit(changes=[SettleTask(second)]))


async def test_a_lease_is_renewed(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a", "b")
    held = await tasks.claim("toy", 2, timedelta(milliseconds=1))
    assert await tasks.renew(held, LEASE) == {task.place for task in held}
    assert await tasks.claim("toy", 2, LEASE) == []
    assert await tasks.renew([], LEASE) == set()


async def test_a_new_row_under_an_old_key_is_another_task(
    storage: SqlStorage, tasks: SqlTasks, database: Database
) -> None:
    """A process that was suspended while its task was finished and purged must not settle the next one."""
    await wake(storage, "a")
    old = await claim_one(tasks)
    await execute(database, "DELETE FROM tasks")
    await asyncio.sleep(0.005)
    await wake(storage, "a")
    new = await claim_one(tasks)
    assert new.epoch == old.epoch
    await loses(storage, SettleTask(old))


async def test_only_what_sleeps_is_purged(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "sleeps", "leased", "due")
    for task in await tasks.claim("toy", 3, LEASE):
        if task.key != "leased":
            await done(storage, Unit(changes=[SettleTask(task)]))
    await wake(storage, "due")
    assert await tasks.purge(AN_HOUR, 10) == 0
    await asyncio.sleep(0.005)
    assert await tasks.purge(timedelta(), 10) == 1
    assert [task.key for task in await storage.tasks(TENANT, "toy", None, 10)] == ["due", "leased"]


async def test_a_tenant_sees_its_own_tasks_and_those_of_the_service(storage: SqlStorage) -> None:
    await wake(storage, "mine", tenant_id=TENANT)
    await wake(storage, "theirs", tenant_id=OTHER_TENANT)
    await wake(storage, "ours", kind="own")
    found = await storage.tasks(TENANT, None, None, 10)
    assert [task.place for task in found] == [("own", "ours"), ("toy", "mine")]
    assert [task.key for task in await storage.tasks(TENANT, None, ("own", "ours"), 10)] == ["mine"]
    assert [task.key for task in await storage.tasks(OTHER_TENANT, "toy", None, 10)] == ["theirs"]


async def test_the_backlog_tells_how_old_the_oldest_is(storage: SqlStorage, tasks: SqlTasks) -> None:
    await wake(storage, "a", after=-AN_HOUR)
    await wake(storage, "b", kind="other", after=AN_HOUR)
    toy, other = await tasks.backlog(["toy", "other"])
    assert AN_HOUR <= toy.oldest < 2 * AN_HOUR
    assert (other.oldest, other.expired) == (timedelta(), 0)
    await claim_one(tasks)
    [toy] = await tasks.backlog(["toy"])
    assert (toy.oldest, toy.expired) == (timedelta(), 0)


async def test_many_workers_share_what_is_due(storage: SqlStorage, tasks: SqlTasks, url: str) -> None:
    await wake(storage, *[f"{n:03}" for n in range(200)])
    others = [open_database(url, PATIENT) for _ in range(3)]
    workers = [tasks, *(SqlTasks(other, AUTHENTICITY) for other in others)]

    async def work(worker: SqlTasks) -> list[Task]:
        taken: list[Task] = []
        while claimed := await worker.claim("toy", 7, LEASE):
            taken += claimed
        return taken

    shares = await asyncio.gather(*(work(worker) for worker in workers))
    # A row that another process is looking at is skipped, and found at the next poll.
    left = await tasks.claim("toy", 200, LEASE)
    keys = [task.key for share in (*shares, left) for task in share]
    assert sorted(keys) == [f"{n:03}" for n in range(200)]
    for other in others:
        await other.close()


async def test_processes_that_wake_settle_and_renew_the_same_keys_do_not_block_each_other(
    storage: SqlStorage, tasks: SqlTasks, database: Database, url: str
) -> None:
    keys = [f"{n}" for n in range(40)]
    await wake(storage, *keys)
    held = await tasks.claim("toy", 40, LEASE)
    other_database = open_database(url, PATIENT)
    other = SqlStorage(other_database, AUTHENTICITY)
    await asyncio.gather(
        *(wake(other, *reversed(keys)) for _ in range(5)),
        *(tasks.renew(held[::-1], LEASE) for _ in range(5)),
        done(storage, *[Unit(changes=[SettleTask(task)], wakes=[Wake("toy", task.key[::-1])]) for task in held]),
    )
    await other_database.close()
    if url.startswith("postgresql"):
        await database.close()  # a server process reports its counts at the latest when its connection ends
        third = open_database(url, PATIENT)
        ours = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        async with asyncio.timeout(300):
            while await third.read(lambda connection: connection.execute(ours).scalar_one()) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert await third.read(lambda connection: connection.execute(query).scalar()) == 0
        await third.close()


async def test_progress_is_kept_and_sealed(storage: SqlStorage, database: Database) -> None:
    at = datetime(2026, 11, 28, tzinfo=UTC)
    begun = Progress("verify/audit", b"here", at, None, 5, 1)
    await done(storage, Unit(progress=[begun]))
    ended = replace(begun, cursor=None, finished_at=at)
    await done(storage, Unit(progress=[ended]))
    assert await storage.progress() == await storage.progress("verify/audit") == [ended]
    assert await storage.progress("purge/operations") == []
    await execute(database, "UPDATE progress SET findings = 0")
    with pytest.raises(IntegrityError):
        await storage.progress()
