"""T18: a Redis that is gone, slow, full or broken costs its timeout once per interval, and causes no errors."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from redis import exceptions
from redis.asyncio import Redis

from strongroom.alerts.shared import InRedis
from strongroom.breaker import CircuitBreaker, CircuitState
from strongroom.cache.base import CacheKey, Entry, Kind
from strongroom.cache.client import connect
from strongroom.cache.envelope import Envelopes
from strongroom.cache.redis import RedisCache
from strongroom.domain.rate import Rate
from strongroom.rates.base import Bucket
from strongroom.rates.local import LocalBuckets
from strongroom.rates.redis import SharedBuckets
from strongroom.redis_link import RedisLink
from tests.support.authority import Authority
from tests.support.clock import Clock
from tests.support.proxy import Proxy, proxy_to
from tests.support.redis import RedisServer, lookups, running
from tests.support.server import ROOT

pytestmark = pytest.mark.needs("redis")

OWNER = UUID(int=1)
KEY = CacheKey(Kind.ADDRESS, OWNER, "0/0")
TIMEOUT = 0.05


def entry(value: bytes = b"value") -> Entry:
    return Entry(value, int((time.time() + 600) * 1000))


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with running() as server:
        yield server


@pytest.fixture
async def proxy(own_redis: RedisServer) -> AsyncIterator[Proxy]:
    async with proxy_to(own_redis.port) as proxy:
        yield proxy


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("redis", threshold=1, interval=5, clock=clock)


@pytest.fixture
async def tier(proxy: Proxy, breaker: CircuitBreaker) -> AsyncIterator[RedisCache]:
    url = f"redis://127.0.0.1:{proxy.local_port}"
    client = connect(url, username=None, password=None, ca_file=None, pool_size=4)
    tier = RedisCache(RedisLink(client, breaker, timeout=TIMEOUT), Envelopes(b"k" * 32))
    yield tier
    await tier.close()


async def settle(tier: RedisCache, breaker: CircuitBreaker, clock: Clock) -> None:
    """A busy machine may be too slow for the first connection."""
    while True:
        clock.now += 10
        await tier.put(KEY, entry())
        if breaker.state is CircuitState.CLOSED and await tier.get(KEY) is not None:
            return


async def tried(tier: RedisCache) -> float:
    """The number of lookups, out of a hundred that find nothing and raise nothing, that asked Redis at all."""
    before = lookups("address", "redis")
    for _ in range(100):
        assert await tier.get(KEY) is None
    return 100 - (lookups("address", "redis").get("skipped", 0) - before.get("skipped", 0))


async def test_silent(tier: RedisCache, proxy: Proxy, breaker: CircuitBreaker, clock: Clock) -> None:
    await settle(tier, breaker, clock)
    proxy.blackhole = True
    assert await tried(tier) == 1
    await tier.put(KEY, entry())
    await tier.forget(OWNER)
    proxy.blackhole = False
    await settle(tier, breaker, clock)


async def test_stopped(tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock) -> None:
    await settle(tier, breaker, clock)
    own_redis.freeze()
    assert await tried(tier) == 1
    own_redis.thaw()
    await settle(tier, breaker, clock)


async def test_dead_and_empty_when_it_is_back(
    tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock
) -> None:
    await settle(tier, breaker, clock)
    own_redis.kill()
    assert await tried(tier) == 1
    assert breaker.state is CircuitState.OPEN
    own_redis.start()
    await settle(tier, breaker, clock)


async def test_read_only_still_serves(
    tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock
) -> None:
    await settle(tier, breaker, clock)
    own_redis.read_only()
    await tier.put(CacheKey(Kind.ADDRESS, OWNER, "other"), entry())
    await tier.forget(OWNER)
    assert breaker.state is CircuitState.CLOSED
    assert await tier.get(KEY) is not None


async def test_full(tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock) -> None:
    await settle(tier, breaker, clock)
    own_redis.ask.config_set("maxmemory-policy", "noeviction")
    own_redis.ask.config_set("maxmemory", "1")
    await tier.put(CacheKey(Kind.ADDRESS, OWNER, "other"), entry())
    assert breaker.state is CircuitState.CLOSED
    assert await tier.get(KEY) is not None


@pytest.mark.parametrize(
    "garbage",
    [
        b":7\r\n", b"+OK\r\n", b"$-1\r\n", b"*-1\r\n", b"*2\r\n:1\r\n:2\r\n", b"$5\r\nhello\r\n", b"-ERR no\r\n",
        b"-WRONGTYPE no\r\n", b"-LOADING no\r\n", b"-NOAUTH no\r\n", b"-MOVED 1 192.0.2.1:1\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\0" * 64, b"*1\r\n" * 5000, b"$99999999999\r\n", b"_\r\n", b"%1\r\n+a\r\n+b\r\n", b">1\r\n+x\r\n",
    ],
    ids=str,
)  # fmt: skip
async def test_mad(tier: RedisCache, proxy: Proxy, breaker: CircuitBreaker, clock: Clock, garbage: bytes) -> None:
    proxy.garbage = garbage
    for _ in range(3):
        clock.now += 10
        assert await tier.get(KEY) is None
        clock.now += 10
        await tier.put(KEY, entry())
        clock.now += 10
        await tier.forget(OWNER)
    proxy.garbage = None
    proxy.reset()
    await settle(tier, breaker, clock)


async def test_answers_that_come_too_late_are_nobody_elses(
    tier: RedisCache, proxy: Proxy, breaker: CircuitBreaker, clock: Clock
) -> None:
    """A connection whose response was not waited for is not used again."""
    keys = [CacheKey(Kind.ADDRESS, OWNER, f"{n}") for n in range(20)]
    for n, key in enumerate(keys):
        await settle(tier, breaker, clock)
        await tier.put(key, entry(f"{n}".encode()))
    for _ in range(5):
        proxy.latency = 0.04  # in each direction
        clock.now += 10
        await asyncio.gather(*map(tier.get, keys))
        proxy.latency = 0
        await settle(tier, breaker, clock)
        found = [await tier.get(key) for key in keys]
        assert all(each is None or each.value == f"{n}".encode() for n, each in enumerate(found))


async def test_the_check_says_what_it_is_good_for(
    tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock
) -> None:
    health = CacheKey(Kind.HEALTH, OWNER, "")
    await settle(tier, breaker, clock)
    assert await tier.check(health, entry())
    assert await tier.check(health, None)
    own_redis.read_only()
    assert not await tier.check(health, entry())
    own_redis.reset()
    own_redis.freeze()
    await tier.get(KEY)
    own_redis.thaw()
    assert not await tier.check(health, entry())  # it responds, but requests do not use it yet
    clock.now += 10
    assert await tier.check(health, entry())
    assert breaker.state is CircuitState.CLOSED
    own_redis.kill()
    with pytest.raises(exceptions.ConnectionError):
        await tier.check(health, entry())


def documented_rights() -> list[str]:
    found = re.search(r"^    (~strongroom:.*)$", (ROOT / "docs/deploying.md").read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1].split()


async def test_a_login(own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock) -> None:
    rights = documented_rights()
    own_redis.ask.execute_command("ACL", "SETUSER", "strongroom", "on", ">secret", "resetkeys", *rights)
    own_redis.ask.execute_command("ACL", "SETUSER", "default", "off")
    for password, works in (("secret", True), ("wrong", False)):
        client = connect(own_redis.url, username="strongroom", password=password, ca_file=None, pool_size=2)
        tier = RedisCache(RedisLink(client, breaker, timeout=1), Envelopes(b"k" * 32))
        await tier.put(KEY, entry())
        assert (await tier.get(KEY) is not None) == works
        await tier.forget(OWNER)
        assert await tier.get(KEY) is None
        assert (breaker.state is CircuitState.CLOSED) == works
        await tier.close()


async def test_the_documented_rights_suffice_and_each_is_needed(own_redis: RedisServer) -> None:
    rights = documented_rights()
    for left_out in (None, *(each for each in rights if each.startswith("+"))):
        given = [each for each in rights if each != left_out]
        own_redis.ask.flushall()
        own_redis.ask.script_flush()
        own_redis.ask.execute_command("ACL", "SETUSER", "strongroom", "reset", "on", ">secret", *given)
        own_redis.ask.acl_log_reset()
        await _as_the_service(
            connect(own_redis.url, username="strongroom", password="secret", ca_file=None, pool_size=2)
        )
        denied = [_command(each["object"]) for each in own_redis.ask.acl_log()]
        assert set(denied) == ({_command(left_out[1:])} if left_out else set())


async def _as_the_service(client: Redis) -> None:
    """Every use of Redis: health, cache, rates, alerts. A refused command only fails the check."""
    link = RedisLink(client, CircuitBreaker("redis", threshold=1, interval=5), timeout=5)
    tier = RedisCache(link, Envelopes(b"k" * 32))
    with suppress(exceptions.NoPermissionError):
        await tier.check(KEY, None)
    await tier.put(KEY, entry())
    await tier.get(KEY)
    await tier.forget(OWNER)
    await SharedBuckets(link, LocalBuckets()).charge([Bucket("someone", Rate.parse("1/second"))], 1)
    alerts = InRedis(client)
    await alerts.first("database", 1)
    await alerts.forget("database")
    await link.close()


def _command(logged: bytes | str) -> str:
    """Without the subcommand, because some releases log `script|load` as `script`."""
    return (logged.decode() if isinstance(logged, bytes) else logged).partition("|")[0]


@pytest.fixture
async def encrypted(own_redis: RedisServer, tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """The port of a TLS terminator in front of Redis, and the file of the authority that signed its certificate."""
    authority = Authority()
    issued = authority.server("127.0.0.1")
    (tmp_path / "server.pem").write_bytes(issued.key + issued.certificate)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    proxy = Proxy("127.0.0.1", own_redis.port)
    listener = await asyncio.start_server(proxy.accept, "127.0.0.1", 0, ssl=context)
    yield listener.sockets[0].getsockname()[1], tmp_path / "ca.pem"
    listener.close()
    await proxy.close()


@pytest.mark.parametrize(
    ("host", "trusts", "works"), [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("localhost", True, False)]
)
async def test_tls(encrypted: tuple[int, Path], breaker: CircuitBreaker, host: str, trusts: bool, works: bool) -> None:
    port, ca_file = encrypted
    client = connect(
        f"rediss://{host}:{port}", username=None, password=None, ca_file=ca_file if trusts else None, pool_size=2
    )
    tier = RedisCache(RedisLink(client, breaker, timeout=2), Envelopes(b"k" * 32))
    await tier.put(KEY, entry())
    assert (await tier.get(KEY) is not None) == works
    await tier.close()
