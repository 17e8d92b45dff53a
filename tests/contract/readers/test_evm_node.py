"""A node of an EVM network: anvil."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import eth_abi
import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from strongroom.domain.asset import coin_of
from strongroom.rpc.base import (
    Capability,
    FeeQuality,
    NodeError,
    Rejection,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Verdict,
)
from strongroom.rpc.evm import multicall
from strongroom.rpc.evm.node import Node
from strongroom.rpc.evm.reads import Way
from tests.support import evm_chain, multicall3
from tests.support.anvil import Anvil
from tests.support.evm_chain import FROM, OTHER, holder, holders, network, setup, signed, token
from tests.support.tap import FakeMempool, Tap

pytestmark = pytest.mark.needs("anvil")

COIN = coin_of(network())
OVERRIDE_REFUSED = {"error": {"code": -32602, "message": "too many arguments, want at most 2"}}


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    with Anvil() as node:
        node.fund(FROM, 10**24)
        yield node


@pytest.fixture
def tap() -> Tap:
    return Tap()


@pytest.fixture
async def make(anvil: Anvil) -> AsyncIterator[Callable[..., Node]]:
    """Sources over the node, by setup and tap."""
    made: list[Node] = []

    def one(given: Setup | None = None, tap: Tap | None = None) -> Node:
        made.append(Node(given or setup(), evm_chain.rpc(anvil, tap)))
        return made[-1]

    yield one
    for each in made:
        await each.close()


@pytest.fixture
def node(make: Callable[..., Node], tap: Tap) -> Node:
    return make(tap=tap)


def use(way: Way, anvil: Anvil, tap: Tap) -> None:
    if way is Way.DEPLOYED:
        multicall3.deploy(anvil)
    elif way is Way.SINGLY:
        tap.before = lambda asked: OVERRIDE_REFUSED if len(asked["params"]) > 2 else None


async def verdict_of(coroutine: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        await coroutine
    return caught.value


async def test_what_it_can(node: Node) -> None:
    assert Capability.HISTORY not in node.capabilities
    assert (await verdict_of(node.history(holder(FROM), begin=None, most=1))).cause == "unsupported"


async def test_the_chain_is_the_configured_one(anvil: Anvil, node: Node, make: Callable[..., Node]) -> None:
    await node.pin()
    genesis = anvil.call("eth_getBlockByNumber", "0x0", False)["hash"]
    await make(setup(pin=genesis)).pin()
    for pin in ("1", "0x" + "11" * 32):
        error = await verdict_of(make(setup(pin=pin)).pin())
        assert error.verdict is Verdict.LYING


async def test_head_with_a_tag_and_with_a_depth(anvil: Anvil, node: Node, make: Callable[..., Node]) -> None:
    anvil.call("anvil_mine", hex(100))
    head = await node.head()
    block = anvil.call("eth_getBlockByNumber", "latest", False)
    assert (head.height, head.hash, int(head.time.timestamp())) == (100, block["hash"], int(block["timestamp"], 16))
    assert head.finalized == 36  # anvil: 64 behind
    by_depth = await make(setup(finality=12)).head()
    assert by_depth.finalized == 88


@pytest.mark.parametrize("batch", [1, 100])
@pytest.mark.parametrize("code", [-32602, -32000, -32601])
async def test_a_node_without_the_tag(anvil: Anvil, tap: Tap, code: int, batch: int) -> None:
    anvil.call("anvil_mine", hex(100))
    refusal = {"error": {"code": code, "message": "hex string without 0x prefix"}}
    tap.before = lambda asked: refusal if "finalized" in asked["params"] else None
    rpc = evm_chain.rpc(anvil, tap, batch=batch)
    head = await Node(setup(), rpc).head()
    await rpc.close()
    assert (head.height, head.finalized) == (100, 0)


async def test_nothing_is_final_where_no_block_is_called_so(anvil: Anvil, node: Node, tap: Tap) -> None:
    anvil.call("anvil_mine", hex(100))
    tap.before = lambda asked: {"result": None} if "finalized" in asked["params"] else None
    assert (await node.head()).finalized == 0


async def test_used_by_a_nonce_a_balance_or_a_listed_token(anvil: Anvil, node: Node, make: Callable[..., Node]) -> None:
    who = holders(5)
    anvil.fund(who[1].address, 7)
    anvil.call("anvil_setNonce", who[3].address, "0x1")
    found = await node.used(who)
    assert (found.asked, found.addresses) == (5, {who[1].address, who[3].address})
    echo = token(evm_chain.plant(anvil)["echo"])  # each holder has as much as the end of its own address
    found = await make(setup(echo)).used(who[:3])
    assert found.addresses == {who[1].address, who[2].address}


@pytest.mark.parametrize("way", list(Way))
async def test_balances_by_every_way(way: Way, anvil: Anvil, node: Node, tap: Tap) -> None:
    use(way, anvil, tap)
    planted = evm_chain.plant(anvil)
    tokens = {name: token(address) for name, address in planted.items()}
    who = holders(3)
    anvil.fund(who[1].address, 7)
    found = await node.balances(who, [COIN, *tokens.values()])
    assert [(b.address, b.asset.id, b.confirmed) for b in found.found] == [
        (each.address, asset.id, amount)
        for number, each in enumerate(who)
        for asset, amount in ((COIN, 7 * (number == 1)), (tokens["echo"], number))
    ]
    # "eighteen" has other decimals than pinned, and the others give no balance, which must never become 0
    assert set(found.unreadable) == {asset.id for name, asset in tokens.items() if name != "echo"}
    assert node._reads._way is way
    assert found.at == await node.head()


@pytest.mark.parametrize("way", [Way.DEPLOYED, Way.SINGLY])
@pytest.mark.parametrize("bomb", ["gas_bomb", "return_bomb"])
async def test_a_bomb_hurts_no_other_token(bomb: str, way: Way, anvil: Anvil, node: Node, tap: Tap) -> None:
    use(way, anvil, tap)
    planted = evm_chain.plant(anvil)
    who, assets = holders(300), [COIN, token(planted[bomb]), token(planted["echo"])]
    found = await node.balances(who, assets)
    assert found.unreadable == [assets[1].id]
    assert [b.confirmed for b in found.found if b.asset is assets[2]] == list(range(300))
    assert tap.calls["eth_call"] < (12 if way is Way.DEPLOYED else 310)


async def test_a_bomb_for_one_holder_alone(anvil: Anvil, node: Node, tap: Tap) -> None:
    """The first holders get a response. Holders whose response is too long are found by halving."""
    multicall3.deploy(anvil)
    code = "6004 35 61ffff 16 80 60 80 14 6018 57 6000 52 6020 6000 f3 5b 63 00200000 6000 f3"
    anvil.call("anvil_setCode", evm_chain.contract(50), "0x" + code.replace(" ", ""))
    asset = token(evm_chain.contract(50))
    found = await node.balances(holders(200), [COIN, asset])
    assert [b.asset for b in found.found] == [COIN] * 200
    assert found.unreadable == [asset.id]  # never half a sum
    assert tap.calls["eth_call"] < 60


async def test_decimals_that_differ_are_an_alarm(
    anvil: Anvil, node: Node, make: Callable[..., Node], alarms: list[str]
) -> None:
    address = evm_chain.plant(anvil)["eighteen"]
    right, wrong = token(address, 18), token(address, 6)
    assert [b.confirmed for b in (await node.balances(holders(1), [right])).found] == [18]
    assert alarms == []
    other = make()
    for _ in range(2):
        assert (await other.balances(holders(1), [wrong])).unreadable == [wrong.id]
    assert alarms == ["token_decimals"]


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    raised: list[str] = []
    monkeypatch.setattr("strongroom.rpc.evm.node.integrity_alarm", lambda kind, **ids: raised.append(kind))
    return raised


async def test_the_budget(anvil: Anvil, node: Node, tap: Tap) -> None:
    """1,000 addresses with the coin and three tokens."""
    multicall3.deploy(anvil)
    for number in range(3):
        anvil.call("anvil_setCode", evm_chain.contract(number), "0x" + evm_chain.CODES["echo"].replace(" ", ""))
    tokens = [token(evm_chain.contract(number)) for number in range(3)]
    await node.balances(holders(1), [COIN, *tokens])
    tap.calls.clear()
    found = await node.balances(holders(1000), [COIN, *tokens])
    assert len(found.found) == 4000
    assert tap.calls == {"eth_getBlockByNumber": 2, "eth_call": 8}
    assert tap.largest < 256 * 1024


async def test_all_are_of_one_block(anvil: Anvil, node: Node, tap: Tap) -> None:
    """After a reorganisation between head and balances, the balances are read again at the new head."""
    multicall3.deploy(anvil)
    anvil.call("anvil_mine", hex(5))
    who = holders(1)
    done: list[Any] = []

    def reorganise(asked: dict[str, Any]) -> None:
        if asked["method"] == "eth_call" and not done:
            done.append(anvil.call("anvil_reorg", 3, []))
            anvil.fund(who[0].address, 5)
            anvil.call("anvil_mine", hex(1))

    tap.before = reorganise
    found = await node.balances(who, [COIN])
    assert done
    assert found.at == await node.head()
    assert [b.confirmed for b in found.found] == [5]


async def test_by_number_where_hashes_are_refused(anvil: Anvil, node: Node, tap: Tap) -> None:
    multicall3.deploy(anvil)
    refusal = {"error": {"code": -32602, "message": "invalid argument 1: json: cannot unmarshal object"}}
    tap.before = lambda asked: (
        refusal if any("blockHash" in p for p in asked["params"] if isinstance(p, dict)) else None
    )
    anvil.fund(FROM, 5)
    for _ in range(2):
        assert [b.confirmed for b in (await node.balances([holder(FROM)], [COIN])).found] == [5]
    assert tap.calls["eth_call"] == 3  # one refusal, and never again


async def test_a_reorganisation_is_seen_where_hashes_are_refused(anvil: Anvil, node: Node, tap: Tap) -> None:
    multicall3.deploy(anvil)
    anvil.call("anvil_mine", hex(5))
    node._by_hash = False
    done: list[Any] = []

    def reorganise(asked: dict[str, Any]) -> None:
        if asked["method"] == "eth_call" and not done:
            done.append(anvil.call("anvil_reorg", 2, []))

    tap.before = reorganise
    found = await node.balances([holder(FROM)], [COIN])
    assert found.at == await node.head()
    assert tap.calls["eth_call"] == 2


async def test_more_than_there_is_of_the_coin_is_a_lie(anvil: Anvil, node: Node, tap: Tap) -> None:
    multicall3.deploy(anvil)
    anvil.fund(FROM, 10**33 + 1)
    assert (await verdict_of(node.balances([holder(FROM)], [COIN]))).verdict is Verdict.LYING


async def test_other_code_at_the_address_is_not_used(anvil: Anvil, node: Node) -> None:
    anvil.call("anvil_setCode", multicall.ADDRESS, "0x" + evm_chain.CODES["eighteen"].replace(" ", ""))
    anvil.fund(FROM, 5)
    assert [b.confirmed for b in (await node.balances([holder(FROM)], [COIN])).found] == [5]
    assert node._reads._way is Way.OVERRIDE


async def test_fees(anvil: Anvil, node: Node, tap: Tap) -> None:
    floor = await node.fees()
    assert floor.quality is FeeQuality.FLOOR
    for nonce, tip in enumerate([1, 2, 3, 40]):
        anvil.mined(anvil.broadcast(signed(anvil, nonce, tip=tip)[0]))
    anvil.call("anvil_mine", hex(4))  # empty blocks report rewards of 0
    fees = await node.fees()
    base = int(anvil.call("eth_feeHistory", "0x1", "latest", [])["baseFeePerGas"][-1], 16)
    tip = 2 * evm_chain.GWEI  # the lower median of four
    assert fees.details == {"base_fee": base, "tip_slow": tip, "tip_normal": tip, "tip_fast": tip}
    assert (fees.slow, fees.normal, fees.fast) == (2 * base + tip,) * 3
    assert (fees.unit, fees.quality) == ("wei", FeeQuality.ESTIMATE)
    tap.before = lambda asked: (
        {"error": {"code": -32601, "message": "no"}} if asked["method"] == "eth_feeHistory" else None
    )
    assert (await node.fees()).details == {"gas_price": int(anvil.call("eth_gasPrice"), 16)}
    tap.before = lambda asked: {"result": "0x" + "f" * 64} if asked["method"] == "eth_gasPrice" else {"result": {}}
    assert (await verdict_of(node.fees())).verdict is Verdict.LYING


async def test_a_rollup_of_the_op_stack_charges_for_data_too(anvil: Anvil, make: Callable[..., Node], tap: Tap) -> None:
    """This oracle charges per byte of the given size. Its method is that of the real one."""
    node = make(replace(evm_chain.setup(), op_stack=True), tap)
    assert (await verdict_of(node.fees())).cause == "no_oracle"
    per_byte = 7
    selected = "60003560e01c63f1c7a58b14" + "601457" + "60006000fd" + "5b"  # reverts for any other method
    asks = f"60043560{per_byte:02x}02600052" + "60206000f3"  # returns calldata[4:36] * 7
    anvil.call("anvil_setCode", "0x420000000000000000000000000000000000000f", "0x" + selected + asks)
    assert (await node.fees()).details["l1_fee"] == per_byte * 200
    tap.before = lambda asked: {"result": "0x" + "f" * 64} if asked["method"] == "eth_call" else None
    assert (await verdict_of(node.fees())).verdict is Verdict.LYING


async def test_broadcast(anvil: Anvil, node: Node, tap: Tap) -> None:
    raw, ids = signed(anvil, 0)
    anvil.call("evm_setAutomine", False)
    assert await node.broadcast(raw, ids) == Sent(ids.tx_ids[0])
    assert await node.broadcast(raw, ids) == Sent(ids.tx_ids[0], known=True)
    anvil.call("anvil_mine")
    for raw_, ids_, rejection in (
        (*signed(anvil, 0, value=2), Rejection.NONCE_USED),
        (*signed(anvil, 1, value=10**30), Rejection.INSUFFICIENT_FUNDS),
        (*signed(anvil, 1, gas=5), Rejection.INVALID),
        (*signed(anvil, 1, gas=10**9), Rejection.INVALID),
    ):
        error = await verdict_of(node.broadcast(raw_, ids_))
        assert (error.verdict, error.rejection) == (Verdict.NO, rejection)


async def test_a_node_that_names_another_hash_lies(anvil: Anvil, node: Node, tap: Tap) -> None:
    tap.after = lambda asked, answer: answer | {"result": "0x" + "12" * 32}
    assert (await verdict_of(node.broadcast(*signed(anvil, 0)))).verdict is Verdict.LYING


async def test_a_replacement_pays_ten_percent_more(anvil: Anvil, node: Node, tap: Tap) -> None:
    def fees(raw: str) -> tuple[str, int, int, int]:
        form = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        return Account.recover_transaction(raw), form["nonce"], form["maxFeePerGas"], form["maxPriorityFeePerGas"]

    FakeMempool(tap, fees)
    anvil.call("evm_setAutomine", False)
    await node.broadcast(*signed(anvil, 0, fee=100, tip=10))
    error = await verdict_of(node.broadcast(*signed(anvil, 0, fee=109, tip=11)))
    assert (error.verdict, error.rejection) == (Verdict.NO, Rejection.FEE_TOO_LOW)
    await node.broadcast(*signed(anvil, 0, fee=110, tip=11))


async def test_states(anvil: Anvil, node: Node) -> None:
    anvil.call("evm_setAutomine", False)
    raw, ids = signed(anvil, 0)
    tracked = Tracked(ids.tx_ids[0], ids)
    assert (await node.status(tracked)).state is State.UNKNOWN
    await node.broadcast(raw, ids)
    assert (await node.status(tracked)).state is State.PENDING
    anvil.call("anvil_mine", hex(3))
    mined = await node.status(tracked)
    receipt = anvil.mined(ids.tx_ids[0])
    assert (mined.state, mined.confirmations, mined.final) == (State.CONFIRMED, 3, False)
    assert mined.fee == int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert mined.block is not None
    assert mined.block.hash == receipt["blockHash"]
    anvil.call("anvil_mine", hex(64))
    assert (await node.status(tracked)).state is State.FINAL


async def test_failed_is_final_where_its_block_is(anvil: Anvil, node: Node) -> None:
    planted = evm_chain.plant(anvil)
    raw, ids = signed(anvil, 0, to=planted["reverts"])
    anvil.broadcast(raw)
    status = await node.status(Tracked(ids.tx_ids[0], ids))
    assert (status.state, status.final) == (State.FAILED, False)
    assert status.fee
    anvil.call("anvil_mine", hex(65))
    assert (await node.status(Tracked(ids.tx_ids[0], ids))).final


async def test_replaced(anvil: Anvil, node: Node, tap: Tap) -> None:
    anvil.call("evm_setAutomine", False)
    raw, ids = signed(anvil, 0)
    other, other_ids = signed(anvil, 0, fee=200, tip=50)
    anvil.broadcast(raw)
    anvil.broadcast(other)
    assert (await node.status(Tracked(ids.tx_ids[0], ids))).state is State.UNKNOWN
    anvil.call("anvil_mine", hex(1))
    status = await node.status(Tracked(ids.tx_ids[0], ids))
    assert (status.state, status.final) == (State.REPLACED, False)
    assert status.replaced_by in (None, other_ids.tx_ids[0])
    assert (await node.status(Tracked(ids.tx_ids[0]))).state is State.UNKNOWN  # cannot be told without the bytes
    anvil.call("anvil_mine", hex(64))
    assert await node.status(Tracked(ids.tx_ids[0], ids)) == Status(
        State.REPLACED, final=True, replaced_by=other_ids.tx_ids[0]
    )
    refusal = {"error": {"code": -32601, "message": "the method ots_getTransactionBySenderAndNonce does not exist"}}
    tap.before = lambda asked: refusal if asked["method"].startswith("ots_") else None
    status = await node.status(Tracked(ids.tx_ids[0], ids))
    assert (status.state, status.final) == (State.REPLACED, False), "it may be our own, whose receipt is gone"


@pytest.mark.parametrize("to", ["reverts", "echo"])
async def test_a_receipt_of_a_block_that_the_chain_does_not_have(to: str, anvil: Anvil, node: Node, tap: Tap) -> None:
    raw, ids = signed(anvil, 0, to=evm_chain.plant(anvil)[to])
    anvil.mined(anvil.broadcast(raw))
    anvil.call("anvil_mine", hex(65))
    assert (await node.status(Tracked(ids.tx_ids[0], ids))).final
    tap.after = lambda asked, answer: (
        answer
        if asked["method"] != "eth_getTransactionReceipt"
        else answer | {"result": answer["result"] | {"blockHash": "0x" + "11" * 32}}
    )
    assert (await verdict_of(node.status(Tracked(ids.tx_ids[0], ids)))).verdict is Verdict.ELSEWHERE


async def test_what_a_reorganisation_takes_away_is_unknown_again(anvil: Anvil, node: Node) -> None:
    raw, ids = signed(anvil, 0)
    anvil.mined(anvil.broadcast(raw))
    anvil.call("anvil_reorg", 1, [])
    assert (await node.status(Tracked(ids.tx_ids[0], ids))).state in (State.UNKNOWN, State.PENDING)
    anvil.call("anvil_mine", hex(2))


async def test_mined_between_two_questions(anvil: Anvil, node: Node, tap: Tap) -> None:
    raw, ids = signed(anvil, 0)

    def mine(asked: dict[str, Any]) -> None:
        if asked["method"] == "eth_getTransactionCount" and anvil.nonce(FROM) == 0:
            anvil.mined(anvil.broadcast(raw))

    tap.before = mine
    assert (await node.status(Tracked(ids.tx_ids[0], ids))).state is State.CONFIRMED


async def test_a_receipt_of_another_transaction_is_a_lie(anvil: Anvil, make: Callable[..., Node]) -> None:
    receipt = anvil.mined(anvil.broadcast(signed(anvil, 0)[0]))
    tap = Tap()
    tap.before = lambda asked: {"result": receipt}
    liar = make(tap=tap)
    assert (await verdict_of(liar.status(Tracked("0x" + "11" * 32)))).verdict is Verdict.LYING


def test_the_encoder_writes_what_the_abi_says() -> None:
    reads = [multicall.balance(bytes([n]) * 20, None if n % 2 else OTHER.lower()) for n in range(5)]
    kinds = ["(address,bool,bytes)[]"]
    assert multicall.encode(reads)[10:] == eth_abi.encode(kinds, [[(r.target, True, r.call) for r in reads]]).hex()


def test_the_decoder_reads_what_the_abi_says() -> None:
    word = (5).to_bytes(32, "big")
    given = [(True, word), (False, word), (True, b""), (True, word + word), (True, word[:31])]
    data = eth_abi.encode(["(bool,bytes)[]"], [given])
    assert multicall.decode(data, 5) == [5, None, None, None, None]
    for broken in (b"", data[:-32], data[:32], bytes(len(data))):
        with pytest.raises(NodeError):
            multicall.decode(broken, 5)
    with pytest.raises(NodeError):
        multicall.decode(data, 4)


def test_the_code_that_is_sent_is_the_one_that_is_deployed() -> None:
    assert bytes.fromhex(multicall.code()[2:]) in bytes.fromhex(multicall3.TRANSACTION[2:])
