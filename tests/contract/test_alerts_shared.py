"""What replicas tell each other about alerts through a real Redis, and what works without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from strongroom.alerts import shared
from strongroom.alerts.base import Shared
from strongroom.alerts.shared import Alone, InRedis
from tests.support.redis import RedisServer

in_redis = pytest.mark.needs("redis")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_SECONDS", 60.0)


@pytest.fixture
async def pair(redis: RedisServer) -> AsyncIterator[tuple[Shared, Shared]]:
    """Of two processes."""
    clients = [Redis(port=redis.port, protocol=2) for _ in range(2)]
    yield InRedis(clients[0]), InRedis(clients[1])
    for each in clients:
        await each.aclose()


@in_redis
async def test_one_is_the_first(pair: tuple[Shared, Shared]) -> None:
    answers = await asyncio.gather(*(each.first("a", 60) for each in pair * 20))
    assert sum(answers) == 1
    assert await pair[0].first("b", 60)


@in_redis
async def test_after_its_time_another_one_is(pair: tuple[Shared, Shared], redis: RedisServer) -> None:
    assert await pair[0].first("a", 0.05)
    async with asyncio.timeout(60):
        while not await pair[1].first("a", 60):  # noqa: ASYNC110 - of the time of Redis
            await asyncio.sleep(0.01)
    [key] = redis.ask.keys("strongroom:alerted:*")
    assert 50_000 < redis.ask.pttl(key) <= 60_000
    await pair[0].keep("a", 3600)
    assert redis.ask.pttl(key) > 3_500_000


@in_redis
async def test_what_is_kept_is_read_and_forgotten(pair: tuple[Shared, Shared]) -> None:
    one, other = pair
    assert await other.read("a") == ""
    await one.keep("a", 60, "told 1 2")
    assert await other.read("a") == "told 1 2"
    await other.forget("a")
    assert await one.read("a") == ""
    assert await one.first("a", 60)


@in_redis
async def test_a_gigabyte_is_not_read(pair: tuple[Shared, Shared], redis: RedisServer) -> None:
    await pair[0].keep("a", 60)
    [key] = redis.ask.keys("strongroom:alerted:*")
    redis.ask.setrange(key, 50_000_000, "x")
    found = await pair[0].read("a")
    assert found is not None
    assert len(found) < 1000
    redis.ask.delete(key)
    redis.ask.lpush(key, "another kind of value")
    assert await pair[0].read("a") is None


@in_redis
async def test_a_redis_that_is_silent_or_gone(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process then acts alone, and none waits."""
    monkeypatch.setattr(shared, "_SECONDS", 0.1)
    client = Redis(port=redis.port, protocol=2)
    nobody = Redis(port=1)
    redis.freeze()
    try:
        for each in (InRedis(client), InRedis(nobody)):
            await is_alone(each)
    finally:
        redis.thaw()
        await client.aclose()
        await nobody.aclose()


async def test_who_is_alone() -> None:
    await is_alone(Alone())


async def is_alone(one: Shared) -> None:
    async with asyncio.timeout(60):
        assert await one.first("a", 60)
        assert await one.first("a", 60)
        await one.keep("a", 60)
        assert await one.read("a") is None
        await one.forget("a")
