"""Background tasks while processes die, stop and lose their database. Real processes, real signals."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from tests.campaign import tasks as campaign
from tests.support import postgres
from tests.support.postgres import SERVICE, Postgres
from tests.support.task_workers import POINTS, Workers, look, until_settled

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
KEYS = [f"{n:03}" for n in range(12)]


@pytest.fixture(params=BOTH)
async def workers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Workers]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/test.db"
        database = open_database(url)
        await migrate(database)
        await database.close()
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.url(server.create_database(migrated=True), SERVICE)
    with Workers(tmp_path, url) as made:
        yield made


def wake(workers: Workers, keys: list[str] = KEYS) -> None:
    workers.await_end(workers.start(wakes=keys))


async def until(workers: Workers, holds: object, what: str) -> None:
    end = time.monotonic() + 300
    while not holds(await look(workers.url)):  # type: ignore[operator]
        assert time.monotonic() < end, f"never: {what}: {workers.log()}"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("point", POINTS["wake"])
@pytest.mark.parametrize("after", [1, 5])
async def test_a_process_that_dies_while_it_wakes_leaves_all_of_its_unit_or_nothing(
    workers: Workers, point: str, after: int
) -> None:
    workers.await_end(workers.start(wakes=KEYS, dies_at=point, dies_after=after))
    found = await look(workers.url)
    assert found.violations(workers.done()) == []
    assert len(found.requested) == (after if point == "commit.after" else after - 1)
    worker = workers.start()
    assert len((await until_settled(workers.url, len(found.requested))).results) == len(found.requested)
    workers.kill(worker, signal.SIGTERM)


@pytest.mark.parametrize(
    ("step", "point"), [(step, point) for step, points in POINTS.items() if step != "wake" for point in points]
)
async def test_a_process_that_dies_at_a_step_loses_nothing_and_does_nothing_twice(
    workers: Workers, step: str, point: str
) -> None:
    wake(workers)
    slow = (0.5, 0.6) if step == "renew" else (0.0, 0.02)
    after = {"commit.before": 2, "commit.within": 2, "commit.after": 2, "run.after": 3}.get(point, 1)
    workers.await_end(workers.start(dies_at=point, dies_after=after, seconds=slow))
    assert (await look(workers.url)).violations(workers.done()) == []
    worker = workers.start()
    found = await until_settled(workers.url, len(KEYS))
    assert found.violations(workers.done()) == []
    assert sorted(found.results) == KEYS
    workers.kill(worker, signal.SIGTERM)


async def test_twenty_kills_and_two_hundred_tasks(workers: Workers) -> None:
    report = await campaign.run(workers, tasks=200, kills=20, seed=1)
    print(report)
    assert report.violations == []
    assert report.kills == 20


async def test_the_tasks_of_a_replica_that_is_dead_for_good_are_taken_over(workers: Workers) -> None:
    wake(workers)
    dead = workers.start(seconds=(3600, 3600), slots=len(KEYS), lease=5.0)
    await until(workers, lambda found: all(task.lease_until for task in found.tasks.values()), "all are claimed")
    workers.kill(dead)
    alive = workers.start(lease=600.0)
    found = await until_settled(workers.url, len(KEYS))
    assert found.violations(workers.done()) == []
    assert {task.epoch for task in found.tasks.values()} == {3}  # two claims and one settlement
    workers.kill(alive, signal.SIGTERM)


async def test_a_worker_that_was_stopped_past_its_lease_changes_nothing(workers: Workers) -> None:
    wake(workers)
    stopped = workers.start(seconds=(60, 60), slots=len(KEYS), lease=5.0, drain=120)
    await until(workers, lambda found: all(task.lease_until for task in found.tasks.values()), "all are claimed")
    workers.kill(stopped, signal.SIGSTOP)
    assert not (await look(workers.url)).results, "it was stopped too late"
    other = workers.start(lease=600.0)
    before = await until_settled(workers.url, len(KEYS))
    workers.kill(stopped, signal.SIGCONT)
    workers.kill(stopped, signal.SIGTERM)  # it has twice the time to drain that its work would take
    after = await look(workers.url)
    assert (after.tasks, after.results) == (before.tasks, before.results)
    assert workers.outcomes(stopped) == {"lost": len(KEYS)}
    workers.kill(other, signal.SIGTERM)


async def test_a_worker_that_is_told_to_end_gives_back_what_it_has_not_finished(workers: Workers) -> None:
    wake(workers)
    worker = workers.start(seconds=(3600, 3600), slots=len(KEYS), lease=600.0, drain=0.2)
    await until(workers, lambda found: all(task.lease_until for task in found.tasks.values()), "all are claimed")
    workers.kill(worker, signal.SIGTERM)
    assert workers.outcomes(worker) == {"released": len(KEYS)}
    found = await look(workers.url)
    assert {(task.lease_until, task.attempts) for task in found.tasks.values()} == {(None, 0)}
    next_ = workers.start()
    await until_settled(workers.url, len(KEYS))
    workers.kill(next_, signal.SIGTERM)


async def test_a_worker_that_is_told_to_end_finishes_what_it_can(workers: Workers) -> None:
    keys = [f"{n:03}" for n in range(400)]
    wake(workers, keys)
    worker = workers.start(seconds=(0.3, 0.3), slots=4, lease=600.0, drain=120)
    await until(workers, lambda found: any(task.lease_until for task in found.tasks.values()), "some are claimed")
    workers.kill(worker, signal.SIGTERM)
    assert workers.outcomes(worker).keys() == {"ok"}
    found = await look(workers.url)
    assert 4 <= len(found.results) < len(keys)
    assert not any(task.lease_until for task in found.tasks.values())


@pytest.fixture(scope="module")
def lasting() -> Iterator[Postgres]:
    with postgres.running(durable=True) as server:
        yield server


@pytest.mark.needs("postgresql")
async def test_a_database_that_crashes_five_times_loses_nothing(lasting: Postgres, tmp_path: Path) -> None:
    url = lasting.url(lasting.create_database(migrated=True), SERVICE)
    keys = [f"{n:03}" for n in range(200)]
    with Workers(tmp_path, url) as workers:
        wake(workers, keys)
        pair = [workers.start(seconds=(0.02, 0.06)) for _ in range(2)]
        for crash in range(1, 6):
            async with asyncio.timeout(300):
                while len(workers.done()) < crash * 30:  # noqa: ASYNC110 - nothing tells us
                    await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0, 0.05))
            lasting.stop(signal.SIGQUIT)
            lasting.start()
        found = await until_settled(url, len(keys))
        assert found.violations(workers.done()) == []
        for worker in pair:
            workers.kill(worker, signal.SIGTERM)
