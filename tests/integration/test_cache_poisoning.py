"""T17: whoever can write Redis cannot give out an address, nor get one into the database."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from strongroom.cache.base import CacheKey, Kind
from strongroom.cache.envelope import Envelopes
from strongroom.domain.wallet import Address
from strongroom.operations.keyring import account_id
from strongroom.storage.sql import SqlStorage
from strongroom.telemetry.metrics import ALARMS_TOTAL
from tests.support.redis import RedisServer, lookups
from tests.support.service import TENANT, NewService, Outcome, RunningService

pytestmark = pytest.mark.needs("redis")

WALLETS, SCHEMES, INDEXES = 7, ("bip44", "ledger-live", "ledger-legacy"), 8
POISONED = WALLETS * len(SCHEMES) * INDEXES
"""By each of six kinds: 1,008 altogether."""

G_X = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
"""The generator of secp256k1: the public key of the secret key 1."""
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
    """A megabyte after what is valid; see also 100 MB, below."""
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
    """Hardly anything stays in its own memory."""
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
    """Once they are all there."""
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
        assert noticed >= POISONED - 1, poison.__name__  # the last one read is in memory
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
    """Somebody has the secret: what the account's node in memory derives holds, and so does the place of a key."""
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
        await addresses(cached, commands[-1:])  # so that it is this one that is in memory
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
