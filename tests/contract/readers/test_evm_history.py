"""Histories of EVM networks, from fakes of Etherscan and Blockscout over anvil, and from ``ots_`` and logs of anvil."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.base import Direction, Entry, EntryKind, Holder, NodeError, Page, State, Verdict
from strongroom.rpc.evm.etherscan import Etherscan
from strongroom.rpc.evm.logs import Logs
from strongroom.rpc.evm.otterscan import Otterscan
from strongroom.rpc.http import Http
from tests.support import evm_chain
from tests.support.anvil import Anvil
from tests.support.evm_chain import FROM, OTHER, holder, setup, signed, token, word
from tests.support.fake_etherscan import FakeEtherscan
from tests.support.tap import Tap

pytestmark = pytest.mark.needs("anvil")

KINDS = ["etherscan", "blockscout", "otterscan", "logs"]
THIRD = "0x1111111111111111111111111111111111111111"
US = holder(OTHER)


class Chain:
    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.nonce = 0
        self.planted = evm_chain.plant(node)
        self.listed = token(self.planted["emitter"], 6, "USDC")
        node.fund(FROM, 10**24)
        node.fund(OTHER, 10**24)

    def send(self, to: str, value: int = 0, data: str = "", **fields: Any) -> str:
        raw, ids = signed(self.node, self.nonce, to=to, value=value, data="0x" + data, **fields)
        self.nonce += 1
        self.node.broadcast(raw)
        return ids.tx_ids[0]

    def emit(self, giver: str, taker: str, amount: int) -> str:
        return self.send(self.planted["emitter"], 0, word(giver) + word(taker) + word(amount))

    def ours(self, to: str | None, value: int = 0) -> str:
        """A transaction from the holder, whose key nobody has."""
        self.node.call("anvil_impersonateAccount", OTHER)
        form = {"from": OTHER, "value": hex(value)} | ({"data": "0x00"} if to is None else {"to": to})
        return str(self.node.call("eth_sendTransaction", form))


@pytest.fixture
def chain() -> Iterator[Chain]:
    with Anvil() as node:
        yield Chain(node)


@pytest.fixture
async def make(chain: Chain) -> AsyncIterator[Callable[[str], Any]]:
    made: list[Any] = []

    def one(kind: str, *, tap: Tap | None = None, fake: FakeEtherscan | None = None, **options: Any) -> Any:
        given = setup(chain.listed)
        if kind in ("etherscan", "blockscout"):
            found = fake or FakeEtherscan(chain.node, blockscout=kind == "blockscout")
            made.append(Etherscan(given, Http(Secret("http://127.0.0.1:1/v2/api?apikey=KEY"), transport=found)))
        else:
            rpc = evm_chain.rpc(chain.node, tap)
            made.append(Otterscan(given, rpc) if kind == "otterscan" else Logs(given, rpc, **options))
        return made[-1]

    yield one
    for each in made:
        await each.close()


async def everything(source: Any, most: int, who: Holder = US) -> list[Entry]:
    found: list[Entry] = []
    begin: str | None = None
    for _ in range(1000):
        page: Page = await source.history(who, begin=begin, most=most)
        found += page.entries
        if page.next is None:
            return found
        assert page.next != begin
        begin = page.next
    raise AssertionError("it does not end")


def seen(entries: list[Entry]) -> list[tuple[Any, ...]]:
    return [(e.tx_id, e.direction, e.asset.symbol, e.amount, e.kind, e.status, e.note, e.counterparty) for e in entries]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_each_sees(kind: str, chain: Chain, make: Any) -> None:
    coins, tokens = kind != "logs", True
    internal = kind in ("etherscan", "blockscout")
    expected: list[tuple[Any, ...]] = []

    def expect(seen: bool, *row: Any) -> None:
        if seen:
            expected.insert(0, row)

    sender, payer, reverts = FROM, chain.planted["payer"], chain.planted["reverts"]
    us, ok, plain = OTHER, State.CONFIRMED, EntryKind.TRANSFER
    tx = chain.send(OTHER, 5)
    expect(coins, tx, Direction.IN, "ETH", 5, plain, ok, None, sender)
    tx = chain.ours(THIRD, 7)
    expect(coins, tx, Direction.OUT, "ETH", 7, plain, ok, None, THIRD)
    tx = chain.ours(OTHER, 9)
    expect(coins, tx, Direction.SELF, "ETH", 9, plain, ok, None, us)
    tx = chain.ours(reverts, 0)
    chain.send(THIRD, 1)
    expect(coins, tx, Direction.OUT, "ETH", 0, plain, State.FAILED, None, reverts)
    tx = chain.send(OTHER, 0)
    expect(coins, tx, Direction.IN, "ETH", 0, plain, ok, "zero_value", sender)
    tx = chain.send(payer, 11, word(OTHER))
    expect(internal, tx, Direction.IN, "ETH", 11, EntryKind.INTERNAL, ok, None, payer)
    chain.emit(FROM, THIRD, 1)
    # Erigon's index has the senders and recipients of tokens; anvil's search is of transactions and their traces
    tx = chain.emit(FROM, OTHER, 13)
    expect(tokens and kind != "otterscan", tx, Direction.IN, "USDC", 13, plain, ok, None, sender)
    tx = chain.emit(OTHER, THIRD, 0)
    expect(tokens and kind != "otterscan", tx, Direction.OUT, "USDC", 0, plain, ok, "zero_value", THIRD)
    found = await everything(make(kind), 100)
    assert seen(found) == expected
    assert all(e.asset == chain.listed for e in found if e.asset.contract is not None)
    for each in found:
        assert each.block is not None
        block = chain.node.call("eth_getBlockByNumber", hex(each.block.height), False)
        assert each.block.hash in (block["hash"], "" if each.kind is EntryKind.INTERNAL else None)
        receipt = chain.node.mined(each.tx_id)
        pays = each.asset.contract is None and receipt["from"] == us.lower()
        assert each.fee == (int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16) if pays else None)


@pytest.mark.parametrize("kind", KINDS)
async def test_pages_of_any_size_make_the_same_history(kind: str, chain: Chain, make: Any) -> None:
    for count in (1, 5, 1, 9, 3, 1, 1):
        chain.node.call("evm_setAutomine", False)
        for number in range(count):
            chain.send(OTHER, number + 1)
            if kind != "otterscan":
                chain.emit(FROM, OTHER, number)
                chain.emit(OTHER, OTHER, number)
        chain.node.call("anvil_mine", hex(1))
    source = make(kind, window=4) if kind == "logs" else make(kind)
    whole = await everything(make(kind), 25 if kind == "otterscan" else 1000)
    assert len(whole) == {"otterscan": 21, "logs": 42}.get(kind, 63)
    assert len({each.key for each in whole}) == len(whole)
    for most in (1, 2, 3, 7, 20):
        assert await everything(source, most) == whole


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_found(kind: str, chain: Chain, make: Any) -> None:
    chain.node.call("anvil_mine", hex(3))
    page = await make(kind).history(holder(THIRD), begin=None, most=10)
    assert (page.entries, page.next) == ([], None)
    assert "pending" in page.cannot_see


async def test_unlisted_tokens_are_said_to_be(chain: Chain, make: Any) -> None:
    chain.node.call("anvil_setCode", THIRD, chain.node.call("eth_getCode", chain.planted["emitter"], "latest"))
    chain.send(THIRD, 0, word(FROM) + word(OTHER) + word(5))
    for kind, symbol, decimals in (("etherscan", "FAKEb", 6), ("logs", "?", None)):
        [found] = await everything(make(kind), 10)
        assert (found.asset.symbol, found.asset.decimals, found.asset.listed) == (symbol, decimals, False)
        assert found.note == "unlisted"
        assert found.asset.contract == THIRD  # no letters, so the checksum changes nothing


async def test_more_rows_in_a_block_than_a_call_gives(chain: Chain, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.fake_etherscan.CAP", 5)
    monkeypatch.setattr("strongroom.rpc.evm.etherscan._MOST_ROWS", 5)
    chain.send(OTHER, 1)
    chain.node.call("evm_setAutomine", False)
    for number in range(12):
        chain.send(OTHER, number + 1)
    chain.node.call("anvil_mine", hex(1))
    chain.node.call("evm_setAutomine", True)
    chain.send(OTHER, 1)
    assert len(await everything(make("etherscan"), 1000)) == 14
    monkeypatch.setattr("strongroom.rpc.evm.etherscan._MOST_PAGES", 2)
    source = make("etherscan")
    first = await source.history(US, begin=None, most=1)
    second = await source.history(US, begin=first.next, most=1)
    assert (first.cannot_see, second.cannot_see) == (("pending",), ("pending", "native")), "more than it ever shows"


@pytest.mark.parametrize(
    ("says", "verdict", "cause"),
    [
        ("Max rate limit reached, please use API Key for higher rate limit", Verdict.BUSY, "rate_limited"),
        ("Max calls per sec rate limit reached (3/sec)", Verdict.BUSY, "rate_limited"),
        ("Invalid API Key (#err2)|KEY", Verdict.BROKEN, "credential"),
        ("Free API access is not supported for this chain. Please upgrade", Verdict.BROKEN, "credential"),
        ("Missing or unsupported chainid parameter (required for v2 api)", Verdict.BROKEN, "credential"),
        ("Query Timeout occured. Please select a smaller result dataset", Verdict.BROKEN, "slow"),
        ("Error! Invalid address format", Verdict.OURS, "bad_request"),
        ("whatever else", Verdict.BROKEN, "error"),
    ],
)
async def test_words_in_place_of_a_list(chain: Chain, make: Any, says: str, verdict: Verdict, cause: str) -> None:
    fake = FakeEtherscan(chain.node)
    fake.says = says
    with pytest.raises(NodeError) as caught:
        await make("etherscan", fake=fake).history(US, begin=None, most=1)
    assert (caught.value.verdict, caught.value.cause) == (verdict, cause)


async def test_rows_that_are_no_movement(chain: Chain, make: Any) -> None:
    """The first as docs.etherscan.io shows it, of 0xddbd2b932c763ba5b1b7ae3b362eac3e8d40121a."""
    us, tx = OTHER.lower(), chain.send(OTHER, 5)
    genesis = {
        "blockNumber": "0",
        "timeStamp": "1438269973",
        "hash": f"GENESIS_{us[2:]}",
        "nonce": "",
        "blockHash": "",
        "transactionIndex": "0",
        "from": "GENESIS",
        "to": us,
        "value": "10000000000000000000000",
    }
    collectible = {
        "blockNumber": "1",
        "timeStamp": "1438269973",
        "hash": tx,
        "from": THIRD,
        "to": us,
        "contractAddress": THIRD,
        "tokenID": "1",
        "tokenDecimal": "",
    }
    fake = FakeEtherscan(chain.node, blockscout=True)
    fake.more = {"txlist": [genesis], "tokentx": [collectible]}
    assert [each.tx_id for each in await everything(make("blockscout", fake=fake), 10)] == [tx]


async def test_a_creation_that_failed(chain: Chain, make: Any) -> None:
    row = {
        "blockNumber": "1",
        "timeStamp": "1438269973",
        "hash": "0x" + "12" * 32,
        "from": OTHER.lower(),
        "to": "",
        "contractAddress": "",
        "value": "7",
        "isError": "1",
        "input": "0xfe",
        "gasUsed": "3",
        "gasPrice": "2",
    }
    fake = FakeEtherscan(chain.node)
    fake.more = {"txlist": [row]}
    [found] = await everything(make("etherscan", fake=fake), 10)
    assert (found.status, found.amount, found.fee, found.counterparty) == (State.FAILED, 0, 6, None)


async def test_a_limit_that_is_reached_within_a_page(chain: Chain, make: Any) -> None:
    chain.send(OTHER, 5)
    fake = FakeEtherscan(chain.node)
    fake.allowed = 2
    with pytest.raises(NodeError) as caught:
        await make("etherscan", fake=fake).history(US, begin=None, most=1)
    assert caught.value.verdict is Verdict.BUSY


async def test_the_chain_of_an_indexer(chain: Chain, make: Any) -> None:
    await make("etherscan").pin()
    fake = FakeEtherscan(chain.node)
    chain.node.chain_id = 1
    with pytest.raises(NodeError) as caught:
        await make("etherscan", fake=fake).pin()
    assert caught.value.cause == "credential"


async def test_rows_of_another_address_are_a_lie(chain: Chain, make: Any) -> None:
    chain.send(OTHER, 5)
    fake = FakeEtherscan(chain.node)
    rows = fake._transactions
    fake._rows = lambda query: list(rows()) if query["action"] == "txlist" else []  # type: ignore[method-assign]
    with pytest.raises(NodeError) as caught:
        await make("etherscan", fake=fake).history(holder(THIRD), begin=None, most=10)
    assert caught.value.verdict is Verdict.LYING


async def test_windows_are_halved_where_the_node_wants_less(chain: Chain, make: Any) -> None:
    for number in range(20):
        chain.emit(FROM, OTHER, number + 1)
    tap = Tap()
    asked: list[int] = []

    def narrow(question: dict[str, Any]) -> dict[str, Any] | None:
        if question["method"] != "eth_getLogs":
            return None
        span = question["params"][0]
        asked.append(int(span["toBlock"], 16) - int(span["fromBlock"], 16) + 1)
        words = "query returned more than 10000 results. Try with this block range [0x1, 0x2]."
        return {"error": {"code": -32005, "message": words}} if asked[-1] > 5 else None

    tap.before = narrow
    assert len(await everything(make("logs", tap=tap, window=64), 100)) == 20
    assert max(asked) <= 64
    assert len(asked) <= 2 * 9


async def test_a_block_that_others_have_filled_is_no_fault_of_the_node(chain: Chain, make: Any) -> None:
    tap = Tap()
    words = "query returned more than 10000 results. Try with this block range [0x1, 0x2]."
    tap.before = lambda asked: (
        {"error": {"code": -32005, "message": words}} if asked["method"] == "eth_getLogs" else None
    )
    with pytest.raises(NodeError) as caught:
        await make("logs", tap=tap, window=64).history(US, begin=None, most=5)
    assert (caught.value.verdict, caught.value.cause) == (Verdict.ELSEWHERE, "history_too_large")
    tap.before = lambda asked: {"result": " " * (9 << 20)} if asked["method"] == "eth_getLogs" else None
    with pytest.raises(NodeError) as caught:
        await make("logs", tap=tap, window=1).history(US, begin=None, most=5)
    assert (caught.value.verdict, caught.value.cause) == (Verdict.ELSEWHERE, "history_too_large")


async def test_final_where_the_head_says_so(chain: Chain, make: Any) -> None:
    chain.emit(FROM, OTHER, 1)
    chain.send(OTHER, 1)
    chain.node.call("anvil_mine", hex(70))
    for kind in ("logs", "otterscan"):
        assert {each.status for each in await everything(make(kind), 10)} == {State.FINAL}


@pytest.mark.parametrize("kind", KINDS)
async def test_after_a_reorganisation_the_history_is_that_of_a_fresh_index(kind: str, chain: Chain, make: Any) -> None:
    source = make(kind)
    chain.send(OTHER, 1)
    chain.emit(FROM, OTHER, 2)
    before = await everything(source, 10)
    chain.node.call("anvil_reorg", 2, [])
    chain.nonce = chain.node.nonce(FROM)
    chain.send(OTHER, 3)
    after = await everything(source, 10)
    assert after == await everything(make(kind), 10)
    places = [{(e.block and e.block.hash, e.key) for e in entries} for entries in (before, after)]
    assert not places[0] & places[1]
