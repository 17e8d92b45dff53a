"""T17: whoever can write Redis can neither have an address handed out nor get one into the database."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from strongroom.cache.base import CacheKey, Kind
from strongroom.cache.envelope import Envelopes
from strongroom.cache.memory import MemoryCache
from strongroom.domain.wallet import Address
from strongroom.operations.places import account_id
from strongroom.redis_link import RedisLink
from strongroom.rpc.base import State, Status
from strongroom.storage.sql import SqlStorage
from strongroom.telemetry.metrics import ALARMS_TOTAL
from tests.support.fake_reader import FakeReader, block
from tests.support.redis import RedisServer, lookups, running
from tests.support.service import TENANT, NewService, Outcome, RunningService

pytestmark = pytest.mark.needs("redis")

WALLETS, SCHEMES, INDEXES = 7, ("bip44", "ledger-live", "ledger-legacy"), 8
POISONED = WALLETS * len(SCHEMES) * INDEXES
"""For each of six kinds: 1,008 altogether."""

G_X = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
"""The generator of secp256k1, which is the public key of the secret key 1."""
G_ADDRESS = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"

Command = dict[str, Any]


def random_bytes(redis: RedisServer, places: list[bytes]) -> None:
    for place in places:
        redis.ask.set(place, os.urandom(random.randrange(1, 4000)))


def anothers_valid_entry(redis: RedisServer, places: list[bytes]) -> None:
    values = [redis.ask.get(place) for place in places]
    for place, value in zip(places, values[1:] + values[:1], strict=True):
        redis.ask.set(place, value)


def old_version(redis: RedisServer, places: list[bytes]) -> None:
    for place in places:
        redis.ask.setrange(place, 0, b"\0")


def truncated(redis: RedisServer, places: list[bytes]) -> None:
    for place in places:
        value = redis.ask.get(place)
        redis.ask.set(place, value[: random.randrange(1, len(value))])


def larger_than_anything(redis: RedisServer, places: list[bytes]) -> None:
    """A megabyte after valid bytes. See also 100 MB, below."""
    for place in places:
        redis.ask.setrange(place, 1 << 20, b"x")


def wrong_type(redis: RedisServer, places: list[bytes]) -> None:
    for place in places:
        value = redis.ask.get(place)
        redis.ask.delete(place)
        redis.ask.rpush(place, value)


POISONS = [random_bytes, anothers_valid_entry, old_version, truncated, larger_than_anything, wrong_type]


@pytest.fixture
async def cached(new_service: NewService, patient_redis: RedisServer) -> AsyncIterator[RunningService]:
    """It keeps hardly anything in its own memory."""
    settings = {"REDIS__URL": patient_redis.url, "CACHE__MEMORY": "1024", "RATES__ADDRESS": "off"}
    async with new_service(**settings) as service:
        yield service


async def addresses(service: RunningService, commands: list[Command]) -> list[str]:
    turns = asyncio.Semaphore(8)

    async def ask(command: Command) -> Outcome:
        async with turns:
            return await service.http.call("addresses.derive", command, key=service.key)

    found = await asyncio.gather(*map(ask, commands))
    assert [each.code for each in found] == ["ok"] * len(commands)
    return [each.result["address"] for each in found]


async def some(service: RunningService, wallets: int = WALLETS, indexes: int = INDEXES) -> list[Command]:
    """Addresses that are stored and cached."""
    commands: list[Command] = []
    for _ in range(wallets):
        made = await service.http.call("wallets.create", {"networks": ["ethereum"]}, key=service.key)
        wallet = made.result["id"]
        commands += [
            {"wallet_id": wallet, "network": "ethereum", "scheme": scheme, "index": index}
            for scheme in SCHEMES
            for index in range(indexes)
        ]
    for _ in range(2):  # derived, then read
        await addresses(service, commands)
    return commands


async def places(redis: RedisServer, count: int) -> list[bytes]:
    """Once all of them are there."""
    for _ in range(6000):
        if len(found := redis.places("address")) == count:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(found)} addresses are cached")


def table(service: RunningService) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(service.settings.data_dir / "strongroom.db")) as database:
        return database.execute('SELECT * FROM addresses ORDER BY account_id, change, "index"').fetchall()


async def test_a_thousand_poisoned_entries(cached: RunningService, redis: RedisServer) -> None:
    commands = await some(cached)
    true, stored = await addresses(cached, commands), table(cached)
    assert len(set(true)) > POISONED // 2
    served = 0
    for poison in POISONS:
        poisoned = await places(redis, POISONED)
        await asyncio.sleep(0.1)  # what was read before is written again
        poison(redis, poisoned)
        forged = lookups("address", "redis").get("forged", 0)
        found = await addresses(cached, commands)
        served += sum(is_ != was for is_, was in zip(found, true, strict=True))
        noticed = lookups("address", "redis")["forged"] - forged
        assert noticed >= POISONED - 1, poison.__name__  # the last one that was read is in memory
    assert served == 0
    assert table(cached) == stored
    assert 6 * POISONED >= 1000


async def test_a_hundred_megabytes(cached: RunningService, redis: RedisServer) -> None:
    commands = await some(cached, wallets=1, indexes=1)
    true = await addresses(cached, commands)
    for place in await places(redis, 3):
        redis.ask.setrange(place, 100 << 20, b"x")
    sent = redis.ask.info("stats")["total_net_output_bytes"]
    assert await addresses(cached, commands) == true
    assert redis.ask.info("stats")["total_net_output_bytes"] - sent < 100_000


async def test_a_mac_alone_is_not_believed_where_more_is_known(cached: RunningService, redis: RedisServer) -> None:
    """The attacker has the secret. What the account's node in memory derives is still right, and so is the place of a
    key.
    """
    commands = await some(cached, wallets=1, indexes=2)
    true = await addresses(cached, commands)
    await places(redis, 6)
    await asyncio.sleep(0.1)
    envelopes = Envelopes(cached.admin.authenticity.cache_key)
    wallet = UUID(commands[0]["wallet_id"])
    for scheme, fields in (
        ("bip44", {"public_key": bytes.fromhex("02" + G_X), "canonical": bytes.fromhex(G_ADDRESS)}),
        ("ledger-live", {"canonical": bytes.fromhex(G_ADDRESS)}),
        ("ledger-live", {"index": 1}),
    ):
        name = f"{TENANT}/{account_id(wallet, 'evm', scheme, 0)}/0/0"
        key = CacheKey(Kind.ADDRESS, wallet, name)
        kept = redis.ask.get(envelopes.place(key))
        assert isinstance(kept, bytes)
        entry = envelopes.open(key, kept)
        forged = replace(msgspec.msgpack.decode(entry.value, type=Address), **fields)
        value = replace(entry, value=msgspec.msgpack.encode(forged))
        await addresses(cached, commands[-1:])  # so that this one is in memory
        redis.ask.set(envelopes.place(key), envelopes.seal(key, value))
        alarms = ALARMS_TOTAL.labels("cache")._value.get()
        assert await addresses(cached, commands) == true
        assert ALARMS_TOTAL.labels("cache")._value.get() == alarms + 1
        await asyncio.sleep(0.1)


async def test_what_is_archived_is_gone_from_the_cache(cached: RunningService, redis: RedisServer) -> None:
    commands = await some(cached, wallets=2, indexes=2)
    assert len(await places(redis, 12)) == 12
    archived = await cached.http.call("wallets.archive", {"wallet_id": commands[0]["wallet_id"]}, key=cached.key)
    assert archived.code == "ok"
    assert len(await places(redis, 6)) == 6


async def test_a_second_process_reads_no_row_of_a_cached_address(
    cached: RunningService, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = await some(cached, wallets=1, indexes=2)
    true = await addresses(cached, commands)
    await places(redis, 6)
    await asyncio.sleep(0.1)

    async def never(*_: object) -> None:
        raise AssertionError("the cache has it")

    monkeypatch.setattr(SqlStorage, "address", never)
    assert await addresses(cached, commands) == true


# ---- what is known about chains ----

CHAINS = {"ethereum": "eip155:1", "polygon": "eip155:137"}
TX_ID = "0x" + "ab" * 32
READING = ("head", "fees", "balance", "stale", "transaction")


@dataclass
class Chains:
    """A service that reads two chains from fakes, and keeps nothing in its own memory while a test asks."""

    service: RunningService
    fakes: list[FakeReader]
    wallet: str

    async def ask(self, *, forget: bool = True) -> list[Any]:
        if forget:
            self.forget()
        found = []
        for network in CHAINS:
            for operation, command in (
                ("networks.head", {}),
                ("fees.suggest", {}),
                ("balances.wallet", {"wallet_id": self.wallet, "tokens": "none"}),
                ("transactions.state", {"tx_id": TX_ID}),
            ):
                outcome = await self.service.http.call(operation, {"network": network, **command}, key=self.service.key)
                found.append((outcome.code, outcome.result))
        return found

    def forget(self) -> None:
        self.service.pipeline._services.reading._cache._near = MemoryCache(1 << 20)

    def asked(self) -> int:
        return sum(fake.asked.total() for fake in self.fakes)


@pytest.fixture
async def chains(new_service: NewService, patient_redis: RedisServer) -> AsyncIterator[Chains]:
    async with reading(new_service, patient_redis) as made:
        yield made


@asynccontextmanager
async def reading(new_service: NewService, redis: RedisServer) -> AsyncIterator[Chains]:
    long = {f"CACHE__{name}": "3600" for name in ("BALANCE", "HEAD", "FEES", "STALE")}
    async with new_service(REDIS__URL=redis.url, REDIS__TIMEOUT="1", RATES__CHAIN="off", **long) as service:
        made = await service.http.call("wallets.create", {"networks": list(CHAINS)}, key=service.key)
        address = made.result["addresses"][0]["address"]
        fakes = []
        for at, caip2 in enumerate(CHAINS.values(), 1):
            done = Status(State.FINAL, block(at), 99, final=True, fee=at)
            held = {(address, f"{caip2}/slip44:60"): at}
            fake = FakeReader(height=1000 * at, fee=10**9 * at, held=held, statuses={TX_ID: done})
            service.readers[caip2] = fake
            fakes.append(fake)
        yield Chains(service, fakes, made.result["id"])


async def kept(redis: RedisServer, kind: str) -> list[bytes]:
    for _ in range(6000):
        if len(found := redis.places(kind)) == len(CHAINS):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{kind}: {len(found)} are kept")


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.__name__)
async def test_poisoned_answers_of_chains_are_misses(
    chains: Chains, redis: RedisServer, poison: Callable[[RedisServer, list[bytes]], None]
) -> None:
    true = await chains.ask()
    assert {code for code, _ in true} == {"ok"}
    for kind in READING:
        poisoned = await kept(redis, kind)
        await chains.service.pipeline._services.reading._cache.forget(UUID(int=0))  # every write has arrived
        asked, forged = chains.asked(), lookups(kind, "redis").get("forged", 0)
        poison(redis, poisoned)
        if kind != "stale":
            assert await chains.ask() == true, kind
            assert chains.asked() > asked, kind
            assert lookups(kind, "redis")["forged"] - forged >= len(CHAINS), kind
            continue
        redis.ask.delete(*redis.places("balance"))
        for fake in chains.fakes:
            fake.away = True
        answers = dict.fromkeys(code for code, result in await chains.ask() if "balances" in (result or {}))
        assert not answers  # nothing is better than something forged
        assert lookups(kind, "redis")["forged"] - forged >= len(CHAINS)
        for fake in chains.fakes:
            fake.away = False
        assert await chains.ask() == true


async def test_a_mac_alone_is_not_believed_of_chains(chains: Chains, redis: RedisServer) -> None:
    """The attacker has the secret and writes what this service never writes. That is a miss too, and raises
    the alarm.
    """
    true = await chains.ask()
    envelopes = Envelopes(chains.service.admin.authenticity.cache_key)
    cache = chains.service.pipeline._services.reading._cache
    keys: dict[str, CacheKey] = {}
    real = cache._far.get

    async def noted(key: CacheKey) -> Any:
        keys[f"{key.kind}/{key.name[:10]}"] = key
        return await real(key)

    for kind in READING:
        await kept(redis, kind)
    cache._far.get = noted
    try:
        assert await chains.ask() == true
    finally:
        del cache._far.get
    assert {each.kind for each in keys.values()} >= {Kind.HEAD, Kind.FEES, Kind.BALANCE, Kind.TRANSACTION}
    for key in keys.values():
        entry = envelopes.open(key, redis.ask.get(envelopes.place(key)))
        later = int((time.time() + 600) * 1000)  # a head is cached for some seconds
        nonsense = [b"", b"{}", b"[]", b"\xff", b"[" * 5000]
        if key.kind is Kind.BALANCE:
            tree = msgspec.json.decode(entry.value)
            tree[1][0][0] = 99  # of a holder that was not asked for
            nonsense.append(msgspec.json.encode(tree))
        for value in nonsense:
            redis.ask.set(envelopes.place(key), envelopes.seal(key, replace(entry, value=value, expires_at=later)))
            alarms = ALARMS_TOTAL.labels("cache")._value.get()
            assert await chains.ask() == true, (key, value)
            assert ALARMS_TOTAL.labels("cache")._value.get() > alarms, (key, value)
            await cache.forget(UUID(int=0))


def frozen(redis: RedisServer) -> None:
    redis.freeze()


def killed(redis: RedisServer) -> None:
    redis.kill()


def emptied(redis: RedisServer) -> None:
    redis.ask.flushall()


def read_only_and_empty(redis: RedisServer) -> None:
    redis.ask.flushall()
    redis.read_only()


@pytest.mark.usefixtures("patient_redis")
@pytest.mark.parametrize("fault", [frozen, killed, emptied, read_only_and_empty], ids=lambda fault: fault.__name__)
async def test_answers_of_chains_do_without_redis(
    new_service: NewService, fault: Callable[[RedisServer], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind is asked from the source again, and the expired balance is still there."""
    with running() as redis:
        async with reading(new_service, redis) as chains:
            true = await chains.ask()
            for kind in READING:
                await kept(redis, kind)
            asked = chains.asked()
            fault(redis)
            if fault is frozen:
                monkeypatch.setattr(RedisLink, "_timeout", property(lambda _: 1.0, lambda *_: None), raising=False)
            try:
                assert await chains.ask() == true
                assert chains.asked() == 2 * asked
                memory = chains.service.pipeline._services.reading._cache._near
                if fault is emptied:  # and filled again meanwhile
                    redis.ask.delete(*await kept(redis, "balance"))
                for fake in chains.fakes:
                    fake.away = True
                for entry in [key for key in memory._entries if key.kind is Kind.BALANCE]:
                    memory._drop(entry)
                found = await chains.ask(forget=False)
                assert [code for code, _ in found] == ["ok"] * len(found)
                assert sum(bool((result or {}).get("stale")) for _, result in found) == len(CHAINS)
            finally:
                if fault is frozen:
                    redis.thaw()
