from __future__ import annotations

import asyncio

import pytest

from strongroom.health.base import ComponentStatus
from strongroom.health.monitor import HealthMonitor


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


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


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
            "database": {"status": "ok", "latency_ms": 0.0, "connections": 5},
            "redis": {"status": "ok", "latency_ms": 0.0, "connections": 5},
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
    async with asyncio.timeout(2):
        await database.asked_often.wait()
    await monitor.stop()


async def test_asking_what_is_known_asks_no_component(monitor: HealthMonitor, database: Component) -> None:
    await monitor.look()
    for _ in range(10):
        monitor.report()
        _ = monitor.ready
    assert database.asked == 1


def test_a_required_component_without_a_check_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="vault"):
        HealthMonitor({}, frozenset({"vault"}), "1")
