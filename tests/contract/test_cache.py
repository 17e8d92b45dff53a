"""The contract of every cache tier, and of the tiers together. A new tier is one more parameter of `tier`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from strongroom.breaker import CircuitBreaker
from strongroom.cache.base import MAX_SIZE, CacheKey, Entry, Kind, Tier
from strongroom.cache.client import connect
from strongroom.cache.envelope import Envelopes
from strongroom.cache.memory import MemoryCache
from strongroom.cache.redis import RedisCache
from strongroom.cache.tiered import TieredCache
from strongroom.redis_link import RedisLink
from tests.support.redis import RedisServer, lookups

OWNER, OTHER = UUID(int=1), UUID(int=2)
KEY = CacheKey(Kind.ADDRESS, OWNER, "0/0")
HOUR = 3_600_000
LIFETIMES = dict.fromkeys(Kind, 3600.0)
REAL = pytest.mark.needs("redis")


class Clock:
    """A clock for our tiers. Redis has its own clock, and its entries never expire earlier."""

    now = 2_000_000_000.0

    def __call__(self) -> float:
        return self.now

    @property
    def milliseconds(self) -> int:
        return int(self.now * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def tier_on(server: RedisServer, clock: Clock, secret: bytes = b"k" * 32) -> AsyncIterator[RedisCache]:
    client = connect(server.url, username=None, password=None, ca_file=None, pool_size=4)
    breaker = CircuitBreaker("redis", threshold=1, interval=60)
    tier = RedisCache(RedisLink(client, breaker, timeout=2), Envelopes(secret), clock=clock)
    yield tier
    await tier.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=REAL), pytest.param("tiered", marks=REAL)])
async def tier(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Tier]:
    memory = MemoryCache(1 << 24, clock=clock)
    if request.param == "memory":
        yield memory
        return
    async with tier_on(request.getfixturevalue("redis"), clock) as far:
        tiers: Tier = far if request.param == "redis" else TieredCache(memory, far, LIFETIMES, clock=clock)
        yield tiers
        await tiers.close()


async def test_what_was_put_is_got(tier: Tier, clock: Clock) -> None:
    assert await tier.get(KEY) is None
    entry = Entry(b"value", clock.milliseconds + HOUR)
    await tier.put(KEY, entry)
    assert await tier.get(KEY) == entry
    newer = Entry(b"", clock.milliseconds + HOUR)
    await tier.put(KEY, newer)
    assert await tier.get(KEY) == newer


@pytest.mark.parametrize("other", [("balance", OWNER, "0/0"), ("address", OTHER, "0/0"), ("address", OWNER, "0/1")])
async def test_keys_are_told_apart(tier: Tier, clock: Clock, other: tuple[str, UUID, str]) -> None:
    await tier.put(KEY, Entry(b"value", clock.milliseconds + HOUR))
    kind, owner, name = other
    assert await tier.get(CacheKey(Kind(kind), owner, name)) is None


async def test_an_entry_expires(tier: Tier, clock: Clock) -> None:
    await tier.put(KEY, Entry(b"value", clock.milliseconds + HOUR))
    clock.now += 3599
    assert await tier.get(KEY) is not None
    clock.now += 1
    assert await tier.get(KEY) is None


@pytest.mark.parametrize("kind", Kind)
async def test_the_largest_value_is_kept_and_a_larger_one_is_not(tier: Tier, clock: Clock, kind: Kind) -> None:
    largest, larger = CacheKey(kind, OWNER, "largest"), CacheKey(kind, OWNER, "larger")
    await tier.put(largest, Entry(bytes(MAX_SIZE[kind]), clock.milliseconds + HOUR))
    await tier.put(larger, Entry(bytes(MAX_SIZE[kind] + 1), clock.milliseconds + HOUR))
    assert await tier.get(largest) is not None
    assert await tier.get(larger) is None


async def test_what_is_of_one_wallet_is_forgotten_together(tier: Tier, clock: Clock) -> None:
    keys = [CacheKey(kind, OWNER, f"{n}") for kind in Kind for n in range(200)]
    kept = CacheKey(Kind.ADDRESS, OTHER, "0")
    for key in [*keys, kept]:
        await tier.put(key, Entry(b"value", clock.milliseconds + HOUR))
    await tier.forget(OWNER)
    assert [key for key in keys if await tier.get(key)] == []
    assert await tier.get(kept) is not None
    await tier.forget(UUID(int=3))


async def test_many_at_once(tier: Tier, clock: Clock) -> None:
    keys = [CacheKey(Kind.BALANCE, OWNER, f"{n}") for n in range(200)]
    entries = [Entry(f"{n}".encode(), clock.milliseconds + HOUR) for n in range(200)]
    await asyncio.gather(*(tier.put(key, entry) for key, entry in zip(keys, entries, strict=True)))
    assert await asyncio.gather(*map(tier.get, keys)) == entries


async def test_memory_lets_go_of_what_was_used_least_recently(clock: Clock) -> None:
    tier = MemoryCache(10 * 1600, clock=clock)
    keys = [CacheKey(Kind.ADDRESS, OWNER, f"{n}") for n in range(11)]
    for key in keys[:10]:
        await tier.put(key, Entry(bytes(1000), clock.milliseconds + HOUR))
    await tier.get(keys[0])
    await tier.put(keys[10], Entry(bytes(1000), clock.milliseconds + HOUR))
    assert [key for key in keys if await tier.get(key) is None] == [keys[1]]


@REAL
async def test_a_replica_finds_what_another_has_kept_for_no_longer_than_that(redis: RedisServer, clock: Clock) -> None:
    async with tier_on(redis, clock) as first, tier_on(redis, clock) as second:
        one = TieredCache(MemoryCache(1 << 20, clock=clock), first, LIFETIMES, clock=clock)
        await one.keep(KEY, b"value")
        await one.close()
        two = TieredCache(MemoryCache(1 << 20, clock=clock), second, LIFETIMES, clock=clock)
        clock.now += 3000

        async def never() -> bytes | None:
            raise AssertionError("it is there")

        assert await two.fetch(KEY, never) == b"value"
        clock.now += 600

        async def gone() -> bytes | None:
            return None

        assert await two.fetch(KEY, gone) is None
        await two.close()


@REAL
async def test_services_under_different_secrets_do_not_meet(redis: RedisServer, clock: Clock) -> None:
    async with tier_on(redis, clock) as ours, tier_on(redis, clock, b"other" * 6 + b"  ") as theirs:
        await ours.put(KEY, Entry(b"value", clock.milliseconds + HOUR))
        forged = lookups("address", "redis").get("forged", 0)
        assert await theirs.get(KEY) is None
        await theirs.forget(OWNER)
        assert await ours.get(KEY) is not None
        assert lookups("address", "redis").get("forged", 0) == forged
    assert str(OWNER).encode() not in b"".join(redis.ask.keys())


@REAL
async def test_forgetting_touches_nothing_of_others(redis: RedisServer, clock: Clock) -> None:
    redis.ask.set("theirs", "x")
    async with tier_on(redis, clock) as tier:
        await tier.put(KEY, Entry(b"value", clock.milliseconds + HOUR))
        [members] = redis.places("of")
        redis.ask.sadd(members, "theirs")
        await tier.forget(OWNER)
    assert redis.ask.keys() == [b"theirs"]
