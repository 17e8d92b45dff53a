"""T18: a Redis that is gone, slow, full or mad costs its timeout once an interval, and is nobody's error."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from redis import exceptions

from strongroom.breaker import CircuitBreaker, CircuitState
from strongroom.cache.base import CacheKey, Entry, Kind
from strongroom.cache.envelope import Envelopes
from strongroom.cache.redis import RedisCache, connect
from tests.integration.test_postgres_tls import authority, certificate
from tests.support.clock import Clock
from tests.support.proxy import Proxy, proxy_to
from tests.support.redis import RedisServer, lookups, running

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
    tier = RedisCache(client, Envelopes(b"k" * 32), breaker, timeout=TIMEOUT)
    yield tier
    await tier.close()


async def settle(tier: RedisCache, breaker: CircuitBreaker, clock: Clock) -> None:
    """A machine that is busy may be too slow for the first connection."""
    while True:
        clock.now += 10
        await tier.put(KEY, entry())
        if breaker.state is CircuitState.CLOSED and await tier.get(KEY) is not None:
            return


async def costs(tier: RedisCache) -> float:
    """Seconds of a hundred lookups, none of which finds anything or raises."""
    began = time.monotonic()
    for _ in range(100):
        assert await tier.get(KEY) is None
    return time.monotonic() - began


async def test_silent(tier: RedisCache, proxy: Proxy, breaker: CircuitBreaker, clock: Clock) -> None:
    await settle(tier, breaker, clock)
    proxy.blackhole = True
    before = lookups("address", "redis")
    assert await costs(tier) < 1  # a hundred timeouts take five
    after = lookups("address", "redis")
    assert after["error"] - before.get("error", 0) == 1
    assert after["skipped"] - before.get("skipped", 0) == 99
    await tier.put(KEY, entry())
    await tier.forget(OWNER)
    proxy.blackhole = False
    await settle(tier, breaker, clock)


async def test_stopped(tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock) -> None:
    await settle(tier, breaker, clock)
    own_redis.freeze()
    assert await costs(tier) < 1
    own_redis.thaw()
    await settle(tier, breaker, clock)


async def test_dead_and_empty_when_it_is_back(
    tier: RedisCache, own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock
) -> None:
    await settle(tier, breaker, clock)
    own_redis.kill()
    assert await costs(tier) < 1
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
    """A connection whose answer was not waited for is not used again."""
    keys = [CacheKey(Kind.ADDRESS, OWNER, f"{n}") for n in range(20)]
    for n, key in enumerate(keys):
        await settle(tier, breaker, clock)
        await tier.put(key, entry(f"{n}".encode()))
    for _ in range(5):
        proxy.latency = 0.04  # each way
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
    assert not await tier.check(health, entry())  # it answers, and requests do not ask it yet
    clock.now += 10
    assert await tier.check(health, entry())
    assert breaker.state is CircuitState.CLOSED
    own_redis.kill()
    with pytest.raises(exceptions.ConnectionError):
        await tier.check(health, entry())


async def test_a_login(own_redis: RedisServer, breaker: CircuitBreaker, clock: Clock) -> None:
    rights = "~strongroom:* -@all +getrange +set +sadd +spop +pexpire +unlink +ping"
    own_redis.ask.execute_command("ACL", "SETUSER", "strongroom", "on", ">secret", "resetkeys", *rights.split())
    own_redis.ask.execute_command("ACL", "SETUSER", "default", "off")
    for password, works in (("secret", True), ("wrong", False)):
        client = connect(own_redis.url, username="strongroom", password=password, ca_file=None, pool_size=2)
        tier = RedisCache(client, Envelopes(b"k" * 32), breaker, timeout=1)
        await tier.put(KEY, entry())
        assert (await tier.get(KEY) is not None) == works
        await tier.forget(OWNER)
        assert await tier.get(KEY) is None
        assert (breaker.state is CircuitState.CLOSED) == works
        await tier.close()


@pytest.fixture
async def encrypted(own_redis: RedisServer, tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """The port of something that ends TLS before Redis, and the file of who has signed its certificate."""
    ours = authority()
    made, key = certificate(ours, x509.IPAddress(ip_address("127.0.0.1")))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(private + made.public_bytes(Encoding.PEM))
    (tmp_path / "ca.pem").write_bytes(ours[0].public_bytes(Encoding.PEM))
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
    tier = RedisCache(client, Envelopes(b"k" * 32), breaker, timeout=2)
    await tier.put(KEY, entry())
    assert (await tier.get(KEY) is not None) == works
    await tier.close()
