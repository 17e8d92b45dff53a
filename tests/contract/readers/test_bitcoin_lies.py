"""How the Bitcoin sources handle a node that lies, in each of their calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest

from strongroom.rpc.base import Holder, NodeError, Source, Tracked, Verdict
from strongroom.rpc.http import Work
from tests.contract.readers.bitcoin_world import PATIENT, World, ids, setup
from tests.support.bitcoind import Bitcoind
from tests.support.electrumx import ElectrumX
from tests.support.fake_esplora import FakeEsplora
from tests.support.liar import LIES, Lie, changed, result, weighed

pytestmark = [pytest.mark.needs("bitcoind"), pytest.mark.needs("electrumx")]

KINDS = ["core", "electrum", "esplora"]
MOST = 8 << 20
SHORT = dict.fromkeys(Work, 0.5)
HUGE = 2**256 - 1
OTHER = "ab" * 32


class Scene:
    """A chain in which one address received a payment and spent it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.holder = world.holder()
        self.coin = world.fund(self.holder)
        self.raw = world.spend(self.coin, to={self.holder: 99_999_000})
        self.tx_id = world.send(self.raw, self.holder, mine=True)
        self.unsent = world.spend((self.tx_id, 0), to={self.holder: 99_998_000})
        self.calls: Mapping[str, Callable[[Source], Awaitable[Any]]] = {
            "pin": lambda source: source.pin(),
            "head": lambda source: source.head(),
            "balances": lambda source: source.balances([self.holder], [setup().coin]),
            "history": lambda source: source.history(self.holder, begin=None, most=10),
            "used": lambda source: source.used([self.holder]),
            "fees": lambda source: source.fees(),
            "status": lambda source: source.status(Tracked(self.tx_id, ids(self.raw))),
            "unknown": lambda source: source.status(Tracked(ids(self.unsent).tx_ids[0], ids(self.unsent))),
            "transaction": lambda source: source.transaction(self.tx_id),
            "broadcast": lambda source: source.broadcast("00", ids(self.unsent)),
        }


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Bitcoind() as node, ElectrumX(node) as electrumx, FakeEsplora(node) as esplora:
        yield Scene(World(node, electrumx, esplora))


def asked_of(kind: str) -> list[str]:
    every = ["pin", "head", "balances", "history", "used", "fees", "status", "unknown", "transaction", "broadcast"]
    return [each for each in every if kind != "core" or each not in ("history", "used")]


@pytest.mark.parametrize(
    ("kind", "lie"),
    # A protocol of lines has no status, header or body to lie with.
    [(kind, lie) for kind in KINDS for lie in LIES.values() if not (kind == "electrum" and lie.http_only)],
    ids=repr,
)
async def test_every_call_with_every_lie_of_transport(kind: str, lie: Lie, scene: Scene) -> None:
    async with scene.world.lying(kind) as liar:
        liar.tell(lie)
        for name in asked_of(kind):
            source = scene.world.source(kind, liar=liar, seconds=SHORT if "slow" in lie.causes else PATIENT)
            with weighed(lie) as memory:
                error = await outcome(scene.calls[name](source))
            await source.close()
            assert memory.bytes <= MOST, name
            if lie.causes:
                assert error is not None, name
                assert error.verdict is Verdict.LYING or error.cause in lie.causes | {"bad_id"}, (name, error)
        assert liar.told
        assert not liar.trapped


async def outcome(call: Awaitable[Any]) -> NodeError | None:
    async with asyncio.timeout(60):
        try:
            await call
        except NodeError as error:
            return error
    return None


def raised(by: int) -> Callable[[int], int]:
    return lambda old: old + by


SAID: Mapping[str, list[tuple[str, bytes, Lie]]] = {
    "core": [
        ("pin", b"getblockhash", result(OTHER)),
        ("head", b"getblockchaininfo", result(-1000, "blocks")),
        ("head", b"getblockchaininfo", result(10**12, "blocks")),
        ("head", b"getblockchaininfo", result("../x", "bestblockhash")),
        ("head", b"getblockchaininfo", result(0, "time")),
        ("balances", b"scantxoutset", result(10**9, "unspents", ..., "amount")),
        ("balances", b"scantxoutset", result(-1, "unspents", ..., "amount")),
        ("balances", b"scantxoutset", result(0.000000001, "unspents", ..., "amount")),
        ("balances", b"scantxoutset", result(raised(1), "height")),
        ("balances", b"getblockheader", result(OTHER, "hash")),
        ("fees", b"estimatesmartfee", result({"feerate": HUGE})),
        ("fees", b"getmempoolinfo", result(-1, "mempoolminfee")),
        ("fees", b"getmempoolinfo", result(1e300, "minrelaytxfee")),
        ("status", b"getrawtransaction", result(OTHER, "txid")),
        ("status", b"getrawtransaction", result(-1, "fee")),
        ("status", b"getblockheader", result(-5, "height")),
        ("unknown", b"gettxspendingprevout", result([{"spendingtxid": "no id"}])),
        ("transaction", b"getrawtransaction", result(lambda old: old[:-2] + "01")),
        ("broadcast", b"sendrawtransaction", changed(value={"jsonrpc": "2.0", "id": None, "result": OTHER})),
    ],
    "electrum": [
        ("pin", b"block.header", result(lambda old: old[:-2] + "01")),
        ("head", b"headers.subscribe", result(-1000, "height")),
        ("head", b"headers.subscribe", result(10**12, "height")),
        ("head", b"headers.subscribe", result("00", "hex")),
        ("balances", b"get_balance", result(HUGE, "confirmed")),
        ("balances", b"get_balance", result(-1, "confirmed")),
        ("balances", b"get_balance", result(-HUGE, "unconfirmed")),
        ("balances", b"get_balance", result(1.5, "confirmed")),
        ("balances", b"transaction.get", result(lambda old: old[:-2] + "01")),
        ("history", b"get_history", result("no id", ..., "tx_hash")),
        ("history", b"get_history", result(10**12, ..., "height")),
        ("history", b"transaction.get", result(lambda old: old[:-2] + "01")),
        ("used", b"scripthash.subscribe", result("no hash")),
        ("used", b"scripthash.subscribe", result(7)),
        ("fees", b"estimatefee", result(HUGE)),
        ("fees", b"relayfee", result(-1)),
        ("status", b"transaction.get", result(lambda old: old[:-2] + "01")),
        ("status", b"get_history", result(-(10**12), ..., "height")),
        ("transaction", b"transaction.get", result("no hex")),
    ],
    "esplora": [
        ("head", b"/block/", changed("id", value=OTHER)),
        ("head", b"/block/", changed("height", value=-1000)),
        ("head", b"/block/", changed("timestamp", value=HUGE)),
        ("balances", b"/utxo", changed(..., "value", value=HUGE)),
        ("balances", b"/utxo", changed(..., "value", value=-1)),
        ("balances", b"/utxo", changed(..., "status", "block_height", value=-1)),
        ("history", b"/txs", changed(..., "vout", ..., "value", value=HUGE)),
        ("history", b"/txs", changed(..., "vin", ..., "prevout", "value", value=-1)),
        ("history", b"/txs", changed(..., "fee", value=HUGE)),
        ("history", b"/txs", changed(..., "txid", value="no id")),
        ("history", b"/txs", changed(..., "status", "block_hash", value=None)),
        ("used", b"/scripthash/", changed("chain_stats", "tx_count", value=-1)),
        ("used", b"/scripthash/", changed("mempool_stats", "tx_count", value="1")),
        ("fees", b"/fee-estimates", changed(value={"2": 1e300, "6": 1, "144": 1})),
        ("fees", b"/fee-estimates", changed(value={"2": -1, "6": 1, "144": 1})),
        ("status", b"/tx/", changed("txid", value=OTHER)),
        ("status", b"/tx/", changed("fee", value=-1)),
        ("status", b"/tx/", changed("status", "block_height", value=10**12)),
        ("unknown", b"/outspend/", changed(value={"spent": True, "txid": "no id", "status": {"confirmed": False}})),
    ],
}


@pytest.mark.parametrize(
    ("kind", "name", "about", "lie"), [(kind, *each) for kind, lies in SAID.items() for each in lies], ids=repr
)
async def test_impossible_answers(kind: str, name: str, about: bytes, lie: Lie, scene: Scene) -> None:
    async with scene.world.lying(kind) as liar:
        source = scene.world.source(kind, liar=liar)
        assert await outcome(scene.calls[name](source)) is None or name == "broadcast"
        liar.tell(lie, about=about)
        if kind == "electrum":
            await source.close()
        error = await outcome(scene.calls[name](source))
        await source.close()
    assert liar.told
    assert error is not None
    assert error.verdict in (Verdict.LYING, Verdict.BROKEN)


@pytest.mark.parametrize("kind", ["electrum", "esplora"])
async def test_rows_of_another_address_are_no_history_of_this_one(kind: str, scene: Scene) -> None:
    other = scene.world.fund(scene.world.holder())[0]
    lies = {
        "electrum": (b"get_history", result(other, ..., "tx_hash")),
        "esplora": (b"/txs", changed(..., "vout", ..., "scriptpubkey", value="51")),
    }
    about, lie = lies[kind]
    async with scene.world.lying(kind) as liar:
        liar.tell(lie, about=about)
        source = scene.world.source(kind, liar=liar)
        error = await outcome(source.history(scene.holder, begin=scene.tx_id if kind == "esplora" else None, most=1))
        await source.close()
    assert liar.told
    assert error is not None
    assert (error.verdict, error.cause) == (Verdict.LYING, "not_its_history")


async def test_a_page_that_never_ends_is_given_up(scene: Scene) -> None:
    """An Esplora that returns the same page for every cursor."""

    seen: list[Any] = []

    def many(page: list[Any]) -> list[Any]:
        seen.extend(page[:1])
        return seen[:1] * 25

    async with scene.world.lying("esplora") as liar:
        liar.tell(changed(value=many), about=b"/txs")
        source = scene.world.source("esplora", liar=liar)
        error = await outcome(source.history(Holder(scene.holder.canonical, scene.holder.address), begin=None, most=5))
        await source.close()
    assert error is not None
    assert error.verdict is Verdict.ELSEWHERE
    assert liar.told < 100
