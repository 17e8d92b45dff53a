"""One caller asks for all, and a tier that is slow, wrong or down causes no error."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from strongroom.cache.base import CacheKey, Entry, Kind
from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.telemetry.metrics import ALARMS_TOTAL

OWNER = UUID(int=1)
KEY = CacheKey(Kind.BALANCE, OWNER, "x")


class Source:
    def __init__(self, answer: bytes | Exception | None = b"value") -> None:
        self.answer = answer
        self.asked = 0
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()

    async def __call__(self) -> bytes | None:
        self.asked += 1
        self.reached.set()
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def far() -> MemoryCache:
    """Stands in for Redis."""
    return MemoryCache(1 << 20)


@pytest.fixture
def cache(far: MemoryCache) -> TieredCache:
    return TieredCache(MemoryCache(1 << 20), far, {Kind.BALANCE: 10, Kind.HISTORY: 0})


async def test_one_fills_for_all(cache: TieredCache, source: Source) -> None:
    asking = [asyncio.create_task(cache.fetch(KEY, source)) for _ in range(50)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*asking) == [b"value"] * 50
    assert await cache.fetch(KEY, source) == b"value"
    assert source.asked == 1


async def test_the_deadline_of_who_came_first_is_not_the_others(cache: TieredCache, source: Source) -> None:
    first = asyncio.create_task(cache.fetch(KEY, source))
    second = asyncio.create_task(cache.fetch(KEY, source))
    await source.reached.wait()
    first.cancel()
    source.gate.set()
    assert await second == b"value"
    assert source.asked == 1


async def test_an_error_is_told_to_all_and_not_kept(cache: TieredCache, source: Source) -> None:
    source.answer = KeyError("gone")
    source.gate.set()
    told = await asyncio.gather(*(cache.fetch(KEY, source) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [KeyError] * 3
    source.answer = b"back"
    assert await cache.fetch(KEY, source) == b"back"


async def test_nothing_is_not_kept(cache: TieredCache, source: Source) -> None:
    source.answer = None
    source.gate.set()
    assert await cache.fetch(KEY, source) is None
    assert await cache.fetch(KEY, source) is None
    assert source.asked == 2


@pytest.mark.parametrize("kind", [Kind.HISTORY, Kind.ADDRESS])
async def test_a_kind_without_a_lifetime_is_not_kept(
    cache: TieredCache, far: MemoryCache, source: Source, kind: Kind
) -> None:
    key = CacheKey(kind, OWNER, "x")
    source.gate.set()
    await cache.keep(key, b"value")
    assert await cache.fetch(key, source) == b"value"
    assert await cache.get(key) is None
    assert await far.get(key) is None


async def test_what_is_refused_is_an_alarm_and_a_miss(cache: TieredCache, far: MemoryCache, source: Source) -> None:
    before = ALARMS_TOTAL.labels("cache")._value.get()
    await far.put(KEY, Entry(b"strange", 2**45))
    source.gate.set()
    assert await cache.fetch(KEY, source, lambda value: value != b"strange") == b"value"
    await cache.forget(UUID(int=2))  # what is under way to the far tier arrives
    written = await far.get(KEY)
    assert written is not None
    assert written.value == b"value"
    assert ALARMS_TOTAL.labels("cache")._value.get() == before + 1


async def test_what_is_forgotten_while_it_is_filled_is_not_kept(
    cache: TieredCache, far: MemoryCache, source: Source
) -> None:
    asking = asyncio.create_task(cache.fetch(KEY, source))
    await source.reached.wait()
    await cache.forget(OWNER)
    source.gate.set()
    assert await asking == b"value"
    assert await cache.get(KEY) is None
    assert await far.get(KEY) is None


async def test_nobody_waits_for_the_far_tier_to_take_it(source: Source) -> None:
    class Slow(MemoryCache):
        going = asyncio.Event()
        writes = 0

        async def put(self, key: CacheKey, entry: Entry) -> None:
            self.writes += 1
            await self.going.wait()

    slow = Slow(1 << 20)
    cache = TieredCache(MemoryCache(1 << 20), slow, {Kind.BALANCE: 10})
    for n in range(300):
        await cache.keep(CacheKey(Kind.BALANCE, OWNER, f"{n}"), b"value")
    await asyncio.sleep(0)
    assert slow.writes == 256
    slow.going.set()
    await cache.close()


async def test_lifetimes_are_spread_and_never_longer(far: MemoryCache) -> None:
    cache = TieredCache(MemoryCache(1 << 20), far, {Kind.BALANCE: 100}, clock=lambda: 1000.0)
    ends = set()
    for _ in range(50):
        entry = cache.entry(Kind.BALANCE, b"value")
        assert entry is not None
        ends.add(entry.expires_at)
    assert len(ends) > 40
    assert all(1_090_000 <= end <= 1_100_000 for end in ends)
