"""Balances, histories, fees, heads and states from a fake reader, over REST and gRPC."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from strongroom.cache.base import CacheKey, Entry
from strongroom.cache.base import Kind as CacheKind
from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.entrypoints.http.examples import USUAL
from strongroom.entrypoints.http.examples.base import WORDS
from strongroom.entrypoints.http.examples.reading import READING
from strongroom.errors import NodeUnavailable
from strongroom.operations import balances, history, reading
from strongroom.rpc.base import Block, Direction, FeeQuality, Fees, Head, Holder, Page, State, Status
from tests.parity.story import MNEMONIC, STRANGER
from tests.support.fake_reader import FakeReader, block, entry
from tests.support.redis import RedisServer
from tests.support.service import OTHER_TENANT, Face, NewService, Outcome, RunningService, running

ETHEREUM = Network("ethereum", "evm", "evm", "eip155:1", 1, "ETH", 18, testnet=False)
COIN = coin_of(ETHEREUM)
USDT = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"
TX_ID = "0x" + "ab" * 32
ETH = {"network": "ethereum"}


@pytest.fixture(params=["http", "grpc"])
def face_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stack() -> str:
    """Nothing here depends on what the service runs on."""
    return "embedded"


class World:
    """A service that reads Ethereum from a fake, and one of its wallets."""

    def __init__(self, service: RunningService, face: Face) -> None:
        self.service, self.face = service, face
        self.fake = FakeReader()
        service.readers["eip155:1"] = self.fake
        self.wallet = ""
        self.addresses: list[str] = []

    async def call(self, operation: str, command: dict[str, Any], key: str | None = None, **more: Any) -> Outcome:
        return await self.face.call(operation, command, key=key or self.service.key, **more)

    async def ok(self, operation: str, command: dict[str, Any], key: str | None = None) -> Any:
        outcome = await self.call(operation, command, key)
        assert outcome.code == "ok", outcome
        return outcome.result

    async def prepare(self, addresses: int) -> World:
        self.wallet, self.addresses = await self.new_wallet("one", addresses)
        return self

    async def new_wallet(self, passphrase: str, addresses: int, key: str | None = None) -> tuple[str, list[str]]:
        command = {"kind": "bip39", "mnemonic": MNEMONIC, "passphrase": passphrase}
        wallet = (await self.ok("wallets.import", command, key))["id"]
        found = [
            (await self.ok("addresses.derive", {"wallet_id": wallet, **ETH, "index": index}, key))["address"]
            for index in range(addresses)
        ]
        return wallet, found

    async def balances(self, **more: Any) -> Any:
        return await self.ok("balances.wallet", {"wallet_id": self.wallet, **ETH, **more})

    async def page(self, limit: int, cursor: str | None = None, **more: Any) -> Any:
        rest = {"limit": limit, **({} if cursor is None else {"cursor": cursor}), **more}
        return await self.ok("history.wallet", {"wallet_id": self.wallet, **ETH, **rest})

    async def whole(self, limit: int) -> list[Any]:
        page = await self.page(limit)
        found = page.get("entries", [])
        for _ in range(1000):
            if "next_cursor" not in page:
                return found
            page = await self.page(limit, page["next_cursor"])
            assert len(page.get("entries", [])) <= limit
            found += page.get("entries", [])
        raise AssertionError("the history has no end")


@pytest.fixture
async def world(new_service: NewService, face_name: str) -> AsyncIterator[World]:
    async with new_service(RATES__CHAIN="off") as service:
        yield await World(service, getattr(service, face_name)).prepare(3)


@pytest.fixture
async def uncached(new_service: NewService, face_name: str) -> AsyncIterator[World]:
    async with new_service(CACHE__BALANCE="0", RATES__CHAIN="off") as service:
        yield await World(service, getattr(service, face_name)).prepare(3)


# ---- balances ----


async def test_wallet_is_summed_over_its_addresses(world: World) -> None:
    first, second, _ = world.addresses
    world.fake.held = {(first, COIN.id): 2**70, (second, COIN.id): 5, (second, USDT): 7}
    found = await world.balances(detail="addresses")
    sums = {each["asset"]: each["confirmed"] for each in found["balances"]}
    assert (sums[COIN.id], sums[USDT]) == (str(2**70 + 5), "7")
    assert found["address_count"] == 3
    held = {each["address"]: {one["asset"] for one in each["balances"]} for each in found["addresses"]}
    assert held == {first: {COIN.id}, second: {COIN.id, USDT}}
    assert found["as_of"]["height"] == 100
    assert found["source"] == "fake"
    assert not found.get("stale", False)
    assert "addresses" not in await world.balances()
    assert [each["asset"] for each in (await world.balances(tokens="none"))["balances"]] == [COIN.id]


async def test_wallet_without_addresses_asks_nobody(world: World) -> None:
    world.wallet, _ = await world.new_wallet("empty", 0)
    found = await world.balances()
    assert (found.get("address_count", 0), "as_of" in found) == (0, False)
    assert world.fake.asked["balances"] == 0


async def test_balances_come_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balances, "MOST_ADDRESSES", 2)
    world.fake.held = {(address, COIN.id): 10**at for at, address in enumerate(world.addresses)}
    first = await world.balances(tokens="none")
    second = await world.balances(tokens="none", cursor=first["next_cursor"])
    assert [page["address_count"] for page in (first, second)] == [2, 1]
    assert sum(int(page["balances"][0]["confirmed"]) for page in (first, second)) == 111
    assert "next_cursor" not in second


async def test_one_question_within_the_lifetime(world: World) -> None:
    answers = [await world.balances() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert world.fake.asked["balances"] == 1


async def test_fresh_asks_the_source_and_has_a_limit_of_its_own(new_service: NewService, face_name: str) -> None:
    async with new_service(RATES__FRESH="1/minute") as service:
        world = await World(service, getattr(service, face_name)).prepare(1)
        await world.balances()
        world.fake.held[world.addresses[0], COIN.id] = 9
        assert (await world.balances(tokens="listed", fresh=True))["balances"][0]["confirmed"] == "9"
        assert world.fake.asked["balances"] == 2
        command = {"wallet_id": world.wallet, **ETH, "fresh": True}
        refused = await world.call("balances.wallet", command)
        assert (refused.code, refused.retries) == ("rate_limited", True)
        assert (await world.balances())["balances"][0]["confirmed"] == "9"  # what was read afresh is cached


@pytest.mark.needs("redis")
async def test_two_services_ask_once(redis: RedisServer, tmp_path: Path, prepared_data: Path, face_name: str) -> None:
    shutil.copytree(prepared_data, tmp_path / "data")
    async with AsyncExitStack() as stack:
        services = [
            await stack.enter_async_context(running(tmp_path / "data", {"REDIS__URL": redis.url})) for _ in range(2)
        ]
        worlds = [World(service, getattr(service, face_name)) for service in services]
        await worlds[0].prepare(1)
        worlds[1].wallet = worlds[0].wallet
        worlds[0].fake.held[worlds[0].addresses[0], COIN.id] = 4
        one = await worlds[0].balances()
        for _ in range(6000):
            if redis.places("balance"):
                break
            await asyncio.sleep(0.01)
        assert await worlds[1].balances() == one
        assert worlds[1].fake.asked["balances"] == 0


async def test_stale_where_no_source_answers(uncached: World) -> None:
    uncached.fake.held[uncached.addresses[0], COIN.id] = 3
    assert not (await uncached.balances()).get("stale", False)
    uncached.fake.away = True
    found = await uncached.balances()
    assert found["stale"] is True
    assert found["balances"][0]["confirmed"] == "3"
    fresh = await uncached.call("balances.wallet", {"wallet_id": uncached.wallet, **ETH, "fresh": True})
    assert (fresh.code, fresh.retries) == ("node_unavailable", True)


class Drawer:
    """A cache that holds everything until a test removes it."""

    def __init__(self) -> None:
        self.kept: dict[CacheKey, bytes] = {}

    async def get(self, key: CacheKey) -> Entry | None:
        return Entry(self.kept[key], 0) if key in self.kept else None

    async def keep(self, key: CacheKey, value: bytes, *, lifetime: float | None = None) -> None:
        self.kept[key] = value

    def lose(self, kind: CacheKind, at: int) -> None:
        del self.kept[[key for key in self.kept if key.kind is kind][at]]


class TestSumsAreOfOneBlock:
    """A coin moves from one address to another while only a part of the cache is gone."""

    @pytest.fixture
    def drawer(self, monkeypatch: pytest.MonkeyPatch) -> Drawer:
        monkeypatch.setattr(reading, "_TOGETHER", 1)
        return Drawer()

    async def sum(self, drawer: Drawer, fake: FakeReader) -> tuple[int, int, bool]:
        tested = reading.Reading({ETHEREUM.caip2: fake}, drawer, {}, b"")  # type: ignore[arg-type]
        holders = [Holder(bytes([at]) * 20, f"0x{at}") for at in range(2)]
        found, stale = await tested.balances(ETHEREUM, UUID(int=1), "", holders, [COIN], fresh=False)
        return sum(each.confirmed for each in found.found), found.at.height, stale

    @pytest.mark.parametrize("gone", [0, 1])
    async def test_of_which_some_are_kept(self, drawer: Drawer, gone: int) -> None:
        before, after = {("0x0", COIN.id): 8}, {("0x1", COIN.id): 8}
        assert await self.sum(drawer, FakeReader(held=before)) == (8, 100, False)
        drawer.lose(CacheKind.BALANCE, gone)
        assert await self.sum(drawer, FakeReader(held=after, away=True)) == (8, 100, True)
        assert await self.sum(drawer, FakeReader(held=after, height=101)) == (8, 101, False)

    async def test_that_are_kept_of_two_blocks(self, drawer: Drawer) -> None:
        await self.sum(drawer, FakeReader(held={("0x0", COIN.id): 8}))
        old = dict(drawer.kept)
        drawer.kept.clear()
        await self.sum(drawer, FakeReader(held={("0x1", COIN.id): 8}, height=101))
        for kind in (CacheKind.BALANCE, CacheKind.STALE):
            key = next(key for key in old if key.kind is kind)
            drawer.kept[key] = old[key]
        with pytest.raises(NodeUnavailable):
            await self.sum(drawer, FakeReader(away=True))


async def test_nothing_is_known_where_no_source_ever_answered(world: World) -> None:
    world.fake.away = True
    for operation in ("balances.wallet", "history.wallet"):
        assert (await world.call(operation, {"wallet_id": world.wallet, **ETH})).code == "node_unavailable"
    for operation in ("networks.head", "fees.suggest"):
        assert (await world.call(operation, ETH)).code == "node_unavailable"


async def test_balance_of_a_stranger(world: World) -> None:
    world.fake.held = {(STRANGER, COIN.id): 8}
    found = await world.ok("balances.address", {**ETH, "address": STRANGER, "tokens": "none"})
    assert [each["confirmed"] for each in found["balances"]] == ["8"]
    found = await world.ok("balances.address", {**ETH, "address": STRANGER, "tokens": "all"})
    assert world.fake.asked["tokens"] == 1


# ---- ownership ----


async def test_wallets_of_another_tenant_are_not_there(world: World) -> None:
    theirs = await world.service.new_key(tenant=OTHER_TENANT)
    for operation in ("balances.wallet", "history.wallet"):
        refused = await world.call(operation, {"wallet_id": world.wallet, **ETH}, theirs)
        assert (refused.code, refused.field) == ("not_found", "wallet_id")
    assert not world.fake.asked


async def test_each_needs_its_scope(world: World) -> None:
    without = await world.service.new_key({"networks:read"})
    for operation, command in (
        ("balances.wallet", {"wallet_id": world.wallet, **ETH}),
        ("balances.address", {**ETH, "address": STRANGER}),
        ("history.wallet", {"wallet_id": world.wallet, **ETH}),
        ("history.address", {**ETH, "address": STRANGER}),
        ("transactions.state", {**ETH, "tx_id": TX_ID}),
        ("transactions.broadcast", {**ETH, "signed_tx": "0x02"}),
    ):
        assert (await world.call(operation, command, without)).code == "forbidden", operation
    assert (await world.call("networks.head", ETH, without)).code == "ok"
    assert (await world.call("fees.suggest", ETH, without)).code == "ok"


async def test_network_without_a_source(world: World) -> None:
    polygon = {"network": "polygon"}
    for operation, command in (
        ("balances.wallet", {"wallet_id": world.wallet, **polygon}),
        ("balances.address", {**polygon, "address": STRANGER}),
        ("history.wallet", {"wallet_id": world.wallet, **polygon}),
        ("history.address", {**polygon, "address": STRANGER}),
        ("transactions.state", {**polygon, "tx_id": TX_ID}),
        ("transactions.broadcast", {**polygon, "signed_tx": "0x02"}),
        ("networks.head", polygon),
        ("fees.suggest", polygon),
    ):
        refused = await world.call(operation, command)
        assert (refused.code, refused.field) == ("source_missing", "network"), operation


# ---- history ----


def scatter(world: World, seed: int) -> int:
    """Entries in few blocks, so that many share one, and their number."""
    chosen = random.Random(seed)
    assets = [COIN, Asset(USDT, "eip155:1", "USDT", 6)]
    made = {}
    for _ in range(chosen.randrange(1, 40)):
        each = entry(
            chosen.choice(world.addresses),
            chosen.choice(assets),
            chosen.choice([None, 90, 90, 91, 95]),
            f"0x{chosen.randrange(6):064x}",
            index=chosen.choice(["value", "log:9", "log:10", "log:1", "call:0", "call:0.1"]),
            position=chosen.choice([0, 0, 3]),
        )
        made[each.key] = each
    world.fake.entries = list(made.values())
    world.fake.page = chosen.choice([1, 2, 5, 1000])
    return len(made)


@pytest.mark.parametrize("seed", range(12))
async def test_pages_of_any_size_are_the_whole_history(world: World, seed: int) -> None:
    count = scatter(world, seed)
    page, world.fake.page = world.fake.page, 1000
    whole = (await world.page(100)).get("entries", [])
    assert len(whole) == count
    places = [("block" in each, -each.get("block", {}).get("height", 0)) for each in whole]
    assert places == sorted(places)
    world.fake.page = page
    for limit in (1, 2, 3, 7, 50):
        assert await world.whole(limit) == whole, limit


@pytest.mark.parametrize("gap", [3, 8, 30])
async def test_stream_of_which_nothing_is_known_yet_is_waited_for(world: World, gap: int) -> None:
    first, second, _ = world.addresses
    world.fake.entries = [entry(first, COIN, 95, "0x01"), entry(second, COIN, 90, "0x02")]
    world.fake.gaps = {first: gap}
    assert [each["tx_id"] for each in await world.whole(1)] == ["0x01", "0x02"]


async def test_one_address_of_a_wallet(world: World) -> None:
    first, second, _ = world.addresses
    world.fake.entries = [entry(first, COIN, 90, "0x01"), entry(second, COIN, 91, "0x02")]
    assert [each["tx_id"] for each in (await world.page(9, address=second))["entries"]] == ["0x02"]
    refused = await world.call("history.wallet", {"wallet_id": world.wallet, **ETH, "address": STRANGER})
    assert (refused.code, refused.field) == ("invalid_field", "address")


async def test_wallet_with_too_many_addresses_for_one_history(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_STREAMS", 2)
    refused = await world.call("history.wallet", {"wallet_id": world.wallet, **ETH})
    assert (refused.code, refused.field) == ("invalid_field", "address")


async def two_pages(world: World) -> str:
    world.fake.entries = [entry(world.addresses[0], COIN, height, f"0x{height:02x}") for height in (90, 91, 92, 93)]
    return str((await world.page(2))["next_cursor"])


async def test_cursor_is_of_one_tenant_and_one_question(world: World) -> None:
    cursor = await two_pages(world)
    other, _ = await world.new_wallet("two", 1)
    theirs = await world.service.new_key(tenant=OTHER_TENANT)
    wallet_of_theirs, _ = await world.new_wallet("one", 3, theirs)
    for operation, command, key in (
        ("history.wallet", {"wallet_id": other, **ETH}, None),
        ("history.wallet", {"wallet_id": wallet_of_theirs, **ETH}, theirs),
        ("history.address", {**ETH, "address": world.addresses[0]}, None),
        ("history.address", {**ETH, "address": world.addresses[0]}, theirs),
    ):
        refused = await world.call(operation, {**command, "cursor": cursor}, key)
        assert (refused.code, refused.field) == ("malformed_request", "cursor"), (operation, key)
    assert len((await world.page(2, cursor))["entries"]) == 2


async def test_cursor_of_one_address_is_not_that_of_another(world: World) -> None:
    """Of the same tenant. It is not secret, and useless elsewhere."""
    first, second, _ = world.addresses
    world.fake.entries = [entry(first, COIN, height, f"0x{height:02x}") for height in (90, 91)]
    page = await world.ok("history.address", {**ETH, "address": first, "limit": 1})
    refused = await world.call("history.address", {**ETH, "address": second, "cursor": page["next_cursor"]})
    assert refused.code in ("malformed_request", "cursor_stale")


async def test_forged_cursor(world: World) -> None:
    cursor = await two_pages(world)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    forged = ["x", "", "=", cursor + "A", cursor[:-8], "A" * 16_384]
    for at in (0, 15, 16, len(raw) - 1):
        changed = bytearray(raw)
        changed[at] ^= 1
        forged.append(base64.urlsafe_b64encode(changed).decode().rstrip("="))
    for each in forged:
        refused = await world.call("history.wallet", {"wallet_id": world.wallet, **ETH, "cursor": each})
        assert (refused.code, refused.field) == ("malformed_request", "cursor"), each


def test_cursor_of_the_most_and_longest_streams_can_be_handed_back() -> None:
    chosen = random.Random(7)

    def word(length: int) -> str:
        return "".join(chosen.choices("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", k=length))

    streams = [
        history._Stream(word(62), None, Page([], f"quicknode:{word(90)}", source="quicknode"), [])
        for _ in range(history.MOST_STREAMS)
    ]
    cursor = history._cursor(streams, [entry(streams[0].address, COIN, 10**6, word(88))], None)
    call: Any = SimpleNamespace(reading=SimpleNamespace(cursor_mac=lambda _: bytes(16)))
    sealed = history._sealed(call, cursor, b"")
    assert len(sealed) <= history._LONGEST_CURSOR
    assert history._opened(call, sealed, b"") == cursor


async def test_reorganised_chain_makes_the_cursor_stale(world: World) -> None:
    cursor = await two_pages(world)
    for at, each in enumerate(world.fake.entries):
        assert each.block is not None
        if each.block.height == 92:
            world.fake.entries[at] = entry(each.address, COIN, 92, each.tx_id, block=block(92, "b"))
    refused = await world.call("history.wallet", {"wallet_id": world.wallet, **ETH, "cursor": cursor})
    assert refused.code == "cursor_stale"


async def test_another_source_makes_the_cursor_stale(world: World) -> None:
    cursor = await two_pages(world)
    world.fake.name = "another"
    refused = await world.call("history.wallet", {"wallet_id": world.wallet, **ETH, "cursor": cursor})
    assert refused.code == "cursor_stale"


async def test_what_is_new_meanwhile_shifts_nothing(world: World) -> None:
    cursor = await two_pages(world)
    world.fake.entries.append(entry(world.addresses[0], COIN, 99, "0x99"))
    world.fake.entries.append(entry(world.addresses[1], COIN, None, "0x98"))
    assert [each["tx_id"] for each in (await world.page(9, cursor))["entries"]] == ["0x5b", "0x5a"]


# ---- the chain ----


async def test_head_is_kept_for_a_while(world: World) -> None:
    found = [await world.ok("networks.head", ETH) for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert (found[0]["height"], found[0]["finalized"]) == (100, 36)
    assert world.fake.asked["head"] == 1


async def test_fees_are_no_more_than_is_signed_for(world: World) -> None:
    usual = await world.ok("fees.suggest", ETH)
    assert (usual["fast"], usual.get("clamped", False)) == ("40000000000", False)


async def test_fees_that_are_too_high(new_service: NewService, face_name: str) -> None:
    async with new_service(RATES__CHAIN="off") as service:
        world = World(service, getattr(service, face_name))
        world.fake.fee = 10**17
        found = await world.ok("fees.suggest", ETH)
        networks = (await world.ok("networks.list", {}))["networks"]
        [limit] = [each["limits"]["max_fee"] for each in networks if each["name"] == "ethereum"]
        most = str(int(limit) // 21_000)
        assert [found[name] for name in ("slow", "normal", "fast")] == [most] * 3
        assert found["details"] == {"base_fee": most}
        assert found["clamped"] is True


@pytest.mark.parametrize("name", ["slow", "normal", "tip_fast"])
async def test_no_field_of_fees_is_too_high(new_service: NewService, face_name: str, name: str) -> None:
    async with new_service(RATES__CHAIN="off") as service:
        world = World(service, getattr(service, face_name))
        fees: dict[str, Any] = {"slow": 1, "normal": 2, "fast": 3} | ({} if name == "tip_fast" else {name: 10**30})
        details = {"base_fee": 1, **({name: 10**30} if name == "tip_fast" else {})}
        world.fake.suggested = Fees(**fees, unit="wei", quality=FeeQuality.ESTIMATE, details=details)
        found = await world.ok("fees.suggest", ETH)
        assert int((found | found["details"])[name]) < 10**20
        assert (found["fast"], found["details"]["base_fee"], found["clamped"]) == ("3", "1", True)


async def test_state_of_a_transaction(world: World) -> None:
    assert (await world.ok("transactions.state", {**ETH, "tx_id": TX_ID}))["state"] == "unknown"
    at = Block(36, block(36).hash, block(36).time)
    world.fake.statuses[TX_ID] = Status(State.CONFIRMED, at, 1)
    assert (await world.ok("transactions.state", {**ETH, "tx_id": TX_ID}))["state"] == "confirmed"
    world.fake.statuses[TX_ID] = Status(State.FINAL, at, 65, final=True, fee=2**65)
    for _ in range(3):
        found = await world.ok("transactions.state", {**ETH, "tx_id": TX_ID})
        assert (found["state"], found["final"], found["fee"]) == ("final", True, str(2**65))
    assert world.fake.asked["status"] == 3  # what nothing changes any more is cached


@pytest.mark.parametrize("state", [State.REPLACED, State.EXPIRED])
async def test_an_end_that_is_known_of_the_bytes_alone_is_not_kept_for_others(world: World, state: State) -> None:
    world.fake.statuses[TX_ID] = Status(state, final=True)
    for _ in range(2):
        assert (await world.ok("transactions.state", {**ETH, "tx_id": TX_ID}))["state"] == state.value
    assert world.fake.asked["status"] == 2


# ---- the API description ----


async def test_examples_are_what_the_code_says(new_service: NewService) -> None:
    """With sources that report what the examples show, for the wallet of the examples."""
    async with new_service(RATES__CHAIN="off") as service:
        world = World(service, service.http)
        usual = {name: each[USUAL] for name, each in READING.items()}
        told = {name: example.result for name, example in usual.items()}
        words = WORDS
        made = await world.ok("wallets.import", {"kind": "bip39", "mnemonic": words, "networks": ["ethereum"]})
        at = {name: told["networks.head"][name] for name in ("height", "hash", "time", "finalized")}
        [moved] = told["history.wallet"]["entries"]
        fees: dict[str, Any] = {name: int(told["fees.suggest"][name]) for name in ("slow", "normal", "fast")}
        rest = {name: int(value) for name, value in told["fees.suggest"]["details"].items()}
        held = {(moved["address"], COIN.id): int(told["balances.address"]["balances"][0]["confirmed"])}
        mined = msgspec.convert(told["transactions.state"]["block"], Block)
        world.fake.at, world.fake.held, world.fake.height = msgspec.convert(at, Head), held, at["height"]
        world.fake.suggested = Fees(**fees, unit="wei", quality=FeeQuality.ESTIMATE, details=rest)
        state = Status(State.FINAL, mined, 70, final=True, fee=441_000_000_000_000)
        out = {"direction": Direction.OUT, "amount": int(moved["amount"]), "counterparty": moved["counterparty"]}
        world.fake.entries = [
            replace(
                entry(moved["address"], COIN, 1, moved["tx_id"], **out), block=mined, status=State.FINAL,
                fee=int(moved["fee"]),
            )
        ]  # fmt: skip
        for name, example in usual.items():
            world.fake.name = "etherscan" if name.startswith("history") else "own-node"
            world.fake.statuses = {moved["tx_id"]: state} if name == "transactions.state" else {}
            command = example.command | ({"wallet_id": made["id"]} if "wallet_id" in example.command else {})
            outcome = await world.call(name, command)
            assert outcome.code == "ok", (name, outcome)
            assert json.loads(outcome.raw) == example.result, name
