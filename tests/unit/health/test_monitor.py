from __future__ import annotations

import asyncio
import json
import time

import pytest

from strongroom.health.base import ComponentStatus
from strongroom.health.monitor import HealthMonitor
from tests.support.clock import Clock


class Component:
    def __init__(self) -> None:
        self.answer: ComponentStatus | Exception | None = ComponentStatus("ok", {"connections": 5})
        self.asked = 0
        self.asked_often = asyncio.Event()

    async def __call__(self) -> ComponentStatus:
        self.asked += 1
        if self.asked == 3:
            self.asked_often.set()
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, ComponentStatus):
            return self.answer
        assert self.answer is not None
        raise self.answer


@pytest.fixture
def database() -> Component:
    return Component()


@pytest.fixture
def redis() -> Component:
    return Component()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def monitor(database: Component, redis: Component, clock: Clock) -> HealthMonitor:
    checks = {"database": database, "redis": redis}
    return HealthMonitor(checks, frozenset({"database"}), "1.2.3", timeout=0.01, clock=clock)


async def test_is_not_ready_before_it_has_looked(monitor: HealthMonitor) -> None:
    assert not monitor.started
    assert not monitor.ready
    assert monitor.report()["components"]["database"] == {"status": "error"}


async def test_report_is_what_the_roadmap_shows(monitor: HealthMonitor, clock: Clock) -> None:
    await monitor.look()
    clock.now += 3600
    await monitor.look()
    assert monitor.report() == {
        "status": "ok",
        "components": {
            "database": {"status": "ok", "latency_ms": 0, "connections": 5},
            "redis": {"status": "ok", "latency_ms": 0, "connections": 5},
        },
        "version": "1.2.3",
        "uptime_seconds": 3600,
    }


@pytest.mark.parametrize("answer", [ComponentStatus("error"), OSError("refused"), None])
async def test_required_component_that_fails_takes_readiness(
    monitor: HealthMonitor, database: Component, answer: ComponentStatus | Exception | None
) -> None:
    await monitor.start()
    try:
        assert monitor.ready
        database.answer = answer
        await monitor.look()
        assert not monitor.ready
        assert monitor.report()["status"] == "error"
        database.answer = ComponentStatus("ok")
        await monitor.look()
        assert monitor.ready
    finally:
        await monitor.stop()


async def test_a_silent_component_is_waited_for_no_longer_than_an_interval(database: Component) -> None:
    monitor = HealthMonitor({"database": database}, frozenset({"database"}), "1", interval=0.05, timeout=3600)
    await monitor.start()
    database.answer = None
    async with asyncio.timeout(120):
        async for ready in monitor.changes():
            if not ready:
                break
    assert monitor.report()["components"]["database"]["state"] == "slow"
    await monitor.stop()


async def test_other_component_only_degrades(monitor: HealthMonitor, redis: Component) -> None:
    await monitor.start()
    redis.answer = OSError("refused")
    await monitor.look()
    assert monitor.ready
    assert monitor.report()["status"] == "degraded"
    await monitor.stop()


async def test_degraded_component_still_answers(monitor: HealthMonitor, database: Component) -> None:
    database.answer = ComponentStatus("degraded")
    await monitor.start()
    assert monitor.ready
    assert monitor.report()["status"] == "degraded"
    await monitor.stop()


async def test_old_news_is_no_news(monitor: HealthMonitor, clock: Clock) -> None:
    await monitor.start()
    clock.now += 16
    assert not monitor.ready
    await monitor.stop()


async def test_draining_is_not_ready(monitor: HealthMonitor) -> None:
    await monitor.start()
    monitor.drain()
    assert monitor.started
    assert not monitor.ready
    await monitor.stop()


async def test_looks_in_the_background(database: Component) -> None:
    monitor = HealthMonitor({"database": database}, frozenset(), "1", interval=0.001)
    await monitor.start()
    async with asyncio.timeout(120):
        await database.asked_often.wait()
    await monitor.stop()


async def test_latency_is_whole_milliseconds_and_never_nought(
    monitor: HealthMonitor, database: Component, clock: Clock
) -> None:
    async def slow() -> ComponentStatus:
        clock.now += 0.0123
        return ComponentStatus("ok")

    found = HealthMonitor({"database": slow}, frozenset(), "1", clock=clock)
    await found.look()
    assert json.dumps(found.report()["components"]["database"]["latency_ms"]) == "13"


@pytest.mark.parametrize(("answer", "state"), [(OSError("refused"), "failing"), (None, "slow")])
async def test_a_check_that_failed_itself_says_how(
    monitor: HealthMonitor, database: Component, answer: Exception | None, state: str
) -> None:
    await monitor.look()
    database.answer = answer
    await monitor.look()
    found = monitor.report()["components"]["database"]
    assert (found["status"], found["state"], found["connections"]) == ("error", state, 5)  # 5 as was last known


async def test_no_component_is_asked_more_than_once_an_interval(database: Component, redis: Component) -> None:
    """However many probes come, and however long an answer takes."""
    interval, checks = 0.05, {"database": database, "redis": redis}
    monitor = HealthMonitor(checks, frozenset({"database"}), "1", interval=interval)
    redis.answer = None  # hangs
    began = time.monotonic()
    await monitor.start()
    while min(database.asked, redis.asked) < 3:
        for _ in range(1000):
            monitor.report()
            _ = monitor.ready
        await asyncio.sleep(0)
    await monitor.stop()
    intervals = (time.monotonic() - began) / interval
    assert database.asked <= intervals + 1
    assert redis.asked <= intervals + 1


async def test_death_and_return_show_within_two_intervals(database: Component) -> None:
    """The look that is under way may still have seen it well; the next has an interval to find out."""
    interval = 0.1
    monitor = HealthMonitor({"database": database}, frozenset({"database"}), "1", interval=interval, timeout=2.0)
    await monitor.start()
    for answer, ready in ((None, False), (ComponentStatus("ok"), True)):
        database.answer = answer
        before = database.asked
        async with asyncio.timeout(60):
            async for found in monitor.changes():
                if found is ready:
                    break
        assert database.asked - before <= 2
    await monitor.stop()


async def test_whoever_follows_it_hears_of_each_change_once(monitor: HealthMonitor, database: Component) -> None:
    heard: list[bool] = []

    async def listen() -> None:
        async for ready in monitor.changes():
            heard.append(ready)  # noqa: PERF401 - it does not end

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    await monitor.start()
    for answer in (ComponentStatus("ok"), ComponentStatus("error"), ComponentStatus("error"), ComponentStatus("ok")):
        database.answer = answer
        await monitor.look()
        await asyncio.sleep(0)
    assert heard == [False, True, False, True]
    listening.cancel()
    await monitor.stop()


def test_a_required_component_without_a_check_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="vault"):
        HealthMonitor({}, frozenset({"vault"}), "1")
