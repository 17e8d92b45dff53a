"""The contract of every kind of buckets. A new kind is one more parameter of `buckets`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest

from strongroom.breaker import CircuitBreaker, CircuitState
from strongroom.cache.client import connect
from strongroom.domain.rate import Rate
from strongroom.rates.base import Bucket, Buckets
from strongroom.rates.local import LocalBuckets
from strongroom.rates.redis import SharedBuckets
from strongroom.redis_link import RedisLink
from tests.support.redis import RedisServer

REAL = pytest.mark.needs("redis")
TEN = Bucket("principal:a:sign", Rate.parse("10/day"))
THREE = Bucket("wallet:a:b:sign", Rate.parse("3/day"))


@asynccontextmanager
async def shared(
    server: RedisServer, share: LocalBuckets | None = None, *, patience: float = 30
) -> AsyncIterator[SharedBuckets]:
    client = connect(server.url, username=None, password=None, ca_file=None, pool_size=8)
    link = RedisLink(client, CircuitBreaker("redis", threshold=1, interval=600), timeout=patience)
    yield SharedBuckets(link, share or LocalBuckets(1))
    await link.close()


@pytest.fixture(params=["local", pytest.param("redis", marks=REAL)])
async def buckets(request: pytest.FixtureRequest) -> AsyncIterator[Buckets]:
    if request.param == "local":
        yield LocalBuckets()
        return
    async with shared(request.getfixturevalue("redis")) as found:
        yield found


async def accepted(buckets: Buckets, charged: list[Bucket], calls: int, units: int = 1) -> int:
    answers = await asyncio.gather(*(buckets.charge(charged, units) for _ in range(calls)))
    return sum(answer.accepted for answer in answers)


async def test_no_more_than_the_quota_at_once(buckets: Buckets) -> None:
    assert await accepted(buckets, [TEN], 50) == 10


async def test_all_or_none(buckets: Buckets) -> None:
    assert await accepted(buckets, [TEN, THREE], 20) == 3
    assert await accepted(buckets, [TEN], 20) == 7


async def test_units_and_more_than_a_quota(buckets: Buckets) -> None:
    assert await accepted(buckets, [TEN], 5, units=4) == 2
    assert await accepted(buckets, [TEN], 5, units=4) == 0
    assert await accepted(buckets, [TEN], 5) == 2
    assert await accepted(buckets, [THREE], 2, units=500) == 1
    refused = await buckets.charge([THREE], 1)
    assert not refused.accepted
    assert refused.levels[0].wait == pytest.approx(86400 / 3 * (500 - 2), abs=60)


async def test_levels(buckets: Buckets) -> None:
    first = await buckets.charge([TEN, THREE], 2)
    assert [level.left for level in first.levels] == [8, 1]
    assert [level.full_after for level in first.levels] == [
        pytest.approx(2 * 8640, abs=60),
        pytest.approx(2 * 28800, abs=60),
    ]
    refused = await buckets.charge([TEN, THREE], 2)
    assert not refused.accepted
    assert [level.left for level in refused.levels] == [8, 1]
    assert refused.levels[0].wait == 0
    assert refused.levels[1].wait == pytest.approx(28800, abs=60)


async def test_units_come_back(buckets: Buckets) -> None:
    """Five in a quarter of an hour, which no test waits for."""
    fast = Bucket("principal:b:read", Rate.parse("1000000/second"))
    assert (await buckets.charge([fast], 1_000_000)).accepted
    async with asyncio.timeout(60):
        while not (await buckets.charge([fast], 1000)).accepted:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0)  # local ones never wait for anything, so the time would not run out


@REAL
async def test_processes_share_them_and_redis_lets_go_of_what_is_full_again(redis: RedisServer) -> None:
    async with shared(redis) as one, shared(redis) as two:
        assert await accepted(one, [TEN], 6) + await accepted(two, [TEN], 6) == 10
    [place] = redis.ask.scan_iter(match="strongroom:rate:*")
    assert 86_000_000 < int(str(redis.ask.pttl(place))) <= 86_400_001


@REAL
@pytest.mark.parametrize("value", ["", "nan", "inf", "-inf", "1e300", "x", "-5", "\x00"])
async def test_what_somebody_else_wrote_counts_as_a_full_bucket(redis: RedisServer, value: str) -> None:
    redis.ask.set("strongroom:rate:1:" + TEN.key, value)
    async with shared(redis) as buckets:
        assert await accepted(buckets, [TEN], 50) == 10


@REAL
async def test_redis_that_refuses_leaves_each_process_its_share(redis: RedisServer) -> None:
    redis.ask.lpush("strongroom:rate:1:" + TEN.key, "a list")
    async with shared(redis, LocalBuckets(5)) as buckets:
        assert await accepted(buckets, [TEN], 50) == 2


@REAL
async def test_what_redis_accepted_is_taken_off_the_share(redis: RedisServer) -> None:
    """Otherwise each process could give away a full share whenever Redis goes down."""
    async with shared(redis, LocalBuckets(2)) as buckets:
        assert await accepted(buckets, [TEN], 5) == 5
        redis.ask.flushall()
        redis.ask.lpush("strongroom:rate:1:" + TEN.key, "a list")
        assert await accepted(buckets, [TEN], 5) == 0


@REAL
async def test_redis_that_is_slow_costs_its_timeout_once(redis: RedisServer) -> None:
    async with shared(redis, LocalBuckets(2), patience=0.05) as buckets:
        redis.freeze()
        try:
            assert await accepted(buckets, [TEN], 50) == 5
            assert buckets._link.breaker.state is CircuitState.OPEN
            with patch.object(buckets._link, "_in_time") as asked:
                assert await accepted(buckets, [TEN], 50) == 0
            asked.assert_not_called()
        finally:
            redis.thaw()
