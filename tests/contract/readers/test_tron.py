"""Tron nodes as a source, with a FAKE node that applies the rules of java-tron to transactions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import base58
import pytest

from strongroom.domain.asset import coin_of
from strongroom.domain.secret import Secret
from strongroom.rpc.base import (
    Capability,
    FeeQuality,
    NodeError,
    Rejection,
    Sent,
    Setup,
    State,
    Tracked,
    Verdict,
)
from strongroom.rpc.http import Http
from strongroom.rpc.tron.node import Node
from tests.contract.readers.tron_world import OTHERS, TIME, TRX, USDT, key, network, pay, setup, token
from tests.support.fake_tron_node import CONFIRMATIONS, GENESIS, FakeTronNode
from tests.support.liar import Liar, Lie, changed, lying_http

COIN = coin_of(network())
A, B = key(1), key(2)
Make = Callable[..., Node]


@pytest.fixture
def fake() -> FakeTronNode:
    node = FakeTronNode(TIME)
    node.fund(A.address, 1000 * TRX)
    node.settle()
    return node


@pytest.fixture
async def liar(fake: FakeTronNode) -> AsyncIterator[Liar]:
    async with lying_http(fake.answer) as found:
        yield found


@pytest.fixture
async def make(liar: Liar) -> AsyncIterator[Make]:
    made: list[Node] = []

    def one(given: Setup | None = None) -> Node:
        made.append(Node(given or setup(), Http(Secret(liar.url))))
        return made[-1]

    yield one
    for each in made:
        await each.close()


@pytest.fixture
def node(make: Make) -> Node:
    return make()


async def refusal(coroutine: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        await coroutine
    return caught.value


async def test_what_it_can(node: Node) -> None:
    assert Capability.HISTORY not in node.capabilities
    assert (await refusal(node.history(A.holder, begin=None, most=1))).cause == "unsupported"


async def test_the_chain_is_the_configured_one(make: Make, fake: FakeTronNode) -> None:
    await make().pin()
    await make(setup(pin=GENESIS["tron-nile"])).pin()
    for pin in ("0x2b6653dc", GENESIS["tron"], "0x"):
        assert (await refusal(make(setup(pin=pin)).pin())).verdict is Verdict.LYING
    fake.genesis = None
    assert (await refusal(make().pin())).verdict is Verdict.ELSEWHERE
    fake.lite = True
    assert (await refusal(make().pin())).verdict is Verdict.ELSEWHERE


async def test_head(node: Node, fake: FakeTronNode) -> None:
    head = await node.head()
    number, block_id, time = fake.blocks[-1]
    assert (head.height, head.hash, head.finalized) == (number, block_id.hex(), number - CONFIRMATIONS)
    assert head.time.timestamp() * 1000 == time


async def test_two_addresses_for_the_two_faces(fake: FakeTronNode) -> None:
    """java-tron serves the solidified state on another port."""
    async with lying_http(fake.answer) as latest, lying_http(fake.answer) as solid:
        node = Node(setup(), Http(Secret(latest.url)), Http(Secret(solid.url)))
        await node.head()
        assert (len(latest.requests), len(solid.requests)) == (1, 1)
        await node.close()


async def test_used_is_what_has_an_account_or_a_listed_token(make: Make, fake: FakeTronNode) -> None:
    fake.token(USDT, {key(5).address: 3})
    fake.settle()
    assert fake.broadcast(bytes.fromhex(pay(fake, A, B.address, 7 * TRX)[0]))["result"]
    asked = [key(3).holder, A.holder, B.holder, key(5).holder, *(key(number).holder for number in range(10, 20))]
    found = await make(setup(tokens={})).used(asked)
    assert (found.asked, found.addresses) == (10, {A.address, B.address})
    found = await make(setup(tokens={USDT: token(USDT)})).used(asked)
    assert found.addresses == {A.address, B.address, key(5).address}


async def test_balances_of_the_coin(node: Node, fake: FakeTronNode) -> None:
    assert fake.broadcast(bytes.fromhex(pay(fake, A, B.address, 7 * TRX)[0]))["result"]
    found = await node.balances([A.holder, B.holder, key(3).holder], [COIN])
    assert [(b.confirmed, b.pending, b.spendable) for b in found.found] == [
        (1000 * TRX, -7 * TRX, 993 * TRX),
        (0, 7 * TRX, None),
        (0, 0, None),
    ]
    assert [b.details["activated"] for b in found.found] == [True, False, False]
    fake.settle()
    found = await node.balances([A.holder, B.holder], [COIN])
    assert [(b.confirmed, b.pending) for b in found.found] == [(993 * TRX, 0), (7 * TRX, 0)]
    assert found.at == await node.head()


async def test_what_is_frozen_is_told_apart(node: Node, fake: FakeTronNode) -> None:
    more = {
        "allowance": 3,
        "frozen": [{"frozen_balance": 10}],
        "frozenV2": [{}, {"type": "ENERGY", "amount": 200}, {"type": "TRON_POWER"}],
        "unfrozenV2": [{"unfreeze_amount": 50, "unfreeze_expire_time": TIME}, {"unfreeze_amount": 1}],
        "delegated_frozenV2_balance_for_bandwidth": 1000,
        "account_resource": {"delegated_frozenV2_balance_for_energy": 20000, "energy_window_size": 28800000},
    }
    fake.fund(B.address, 5, **more)
    fake.settle()
    [found] = (await node.balances([B.holder], [COIN])).found
    assert (found.confirmed, found.spendable) == (5, None)
    assert found.details == {"activated": True, "frozen": 21210, "unfreezing": 51, "allowance": 3}


async def test_a_published_account(node: Node, liar: Liar) -> None:
    """tronprotocol/documentation-en, docs/api/http/account/getaccount.md: an account on Nile."""
    address = "41dd791d6b49e190062d650e6a23c575510d35f2f9"
    published = {
        "address": address,
        "balance": 1793227200,
        "frozenV2": [{}, {"type": "ENERGY"}, {"type": "TRON_POWER"}],
        "assetV2": [{"key": "1005416", "value": 100000000}],
        "free_asset_net_usageV2": [{"key": "1005416", "value": 0}],
        "asset_optimized": True,
    }
    liar.tell(changed(value=published), about=b"/getaccount")
    holder = replace(A.holder, canonical=bytes.fromhex(address))
    [found] = (await node.balances([holder], [COIN])).found
    assert (found.confirmed, found.pending, found.details) == (1793227200, 0, {"activated": True})


@pytest.mark.parametrize("multicall", [True, False])
async def test_tokens(multicall: bool) -> None:
    fake = FakeTronNode(TIME, multicall=multicall)
    fake.token(USDT, {A.address: 5})
    fake.token(OTHERS[0], way="reverts")
    fake.token(OTHERS[1], way="short")
    assets = [token(USDT), COIN, *(token(each) for each in OTHERS)]  # the last of them is no contract
    fake.settle()
    fake.token(USDT, {A.address: 3, B.address: 2})
    async with lying_http(fake.answer) as liar:
        node = Node(setup(), Http(Secret(liar.url)))
        found = await node.balances([A.holder, B.holder], assets)
        await node.close()
    assert [(b.address, b.asset.id, b.confirmed, b.pending, b.spendable) for b in found.found] == [
        (A.address, token(USDT).id, 5, -2, 3),
        (A.address, COIN.id, 0, 0, None),
        (B.address, token(USDT).id, 0, 2, None),
        (B.address, COIN.id, 0, 0, None),
    ]
    assert set(found.unreadable) == {token(each).id for each in OTHERS}


async def test_a_token_that_one_holder_cannot_be_read_of_is_left_out_whole(make: Make, fake: FakeTronNode) -> None:
    """A sum over some holders would look like a sum over all."""
    fake.token(USDT, {A.address: 5})
    fake.token(OTHERS[0], {A.address: 7})
    fake.settle()

    async def short_of_one(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        status, told = await fake.answer(method, path, body)
        one = all(each.hex().encode() in body for each in (B.raw[1:], base58.b58decode_check(OTHERS[0])))
        return status, json.dumps(json.loads(told) | {"constant_result": [""]}).encode() if one else told

    async with lying_http(short_of_one) as liar:
        node = Node(setup(), Http(Secret(liar.url)))
        found = await node.balances([A.holder, B.holder], [token(USDT), token(OTHERS[0])])
        await node.close()
    assert [(b.address, b.asset.id, b.confirmed) for b in found.found] == [
        (A.address, token(USDT).id, 5),
        (B.address, token(USDT).id, 0),
    ]
    assert found.unreadable == [token(OTHERS[0]).id]


async def test_many_accounts_in_few_requests() -> None:
    fake = FakeTronNode(TIME, multicall=True)
    fake.most_calls = 60  # a chunk that is too large is split in halves
    fake.token(OTHERS[0], way="hungry")
    keys = [key(number) for number in range(300)]
    fake.token(USDT, {each.address: number for number, each in enumerate(keys)})
    for number, each in enumerate(keys):
        fake.fund(each.address, number * TRX)
    fake.settle()
    async with lying_http(fake.answer) as liar:
        node = Node(setup(), Http(Secret(liar.url)))
        found = await node.balances([each.holder for each in keys], [COIN, token(USDT)])
        assert [b.confirmed for b in found.found] == [n * x for n in range(300) for x in (TRX, 1)]
        assert len(liar.requests) < 50
        hungry = await node.balances([A.holder, B.holder], [token(OTHERS[0]), token(USDT)])
        assert hungry.unreadable == [token(OTHERS[0]).id]
        await node.close()


async def test_a_published_constant_call(make: Make, liar: Liar, fake: FakeTronNode) -> None:
    """tronprotocol/documentation-en, docs/api/http/smart-contract/triggerconstantcontract.md: balanceOf on Nile."""
    published = "0000000000000000000000000000000000000000000000000000000040cfcc00"
    fake.token(USDT)
    fake.settle()
    liar.tell(changed("constant_result", value=[published]), about=b"balanceOf")
    [found] = (await make().balances([A.holder], [token(USDT)])).found
    assert found.confirmed == 0x40CFCC00


async def test_a_node_without_constant_calls_does_not_make_tokens_unreadable(node: Node, liar: Liar) -> None:
    refused = {"code": "CONTRACT_VALIDATE_ERROR", "message": b"this node does not support constant".hex()}
    liar.tell(changed("result", value=refused), about=b"triggerconstantcontract")
    assert (await refusal(node.balances([A.holder], [token(USDT)]))).verdict is Verdict.ELSEWHERE


async def test_decimals_that_differ_are_an_alarm(
    make: Make, fake: FakeTronNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[str] = []
    monkeypatch.setattr("strongroom.rpc.tron.node.integrity_alarm", lambda kind, **ids: raised.append(kind))
    fake.token(USDT, decimals=18)
    fake.settle()
    node = make()
    for _ in range(2):
        found = await node.balances([A.holder], [token(USDT)])
        assert (found.found, found.unreadable) == ([], [token(USDT).id])
    assert raised == ["token_decimals"]


async def test_balances_are_read_again_where_more_became_solid(node: Node, fake: FakeTronNode, liar: Liar) -> None:
    def mine(old: Any) -> Any:
        liar.tell(None)
        fake.fund(A.address, 5)
        fake.settle()
        return old

    liar.tell(changed("balance", value=mine), about=b"walletsolidity/getaccount")
    found = await node.balances([A.holder], [COIN])
    assert [b.confirmed for b in found.found] == [5]
    assert found.at == await node.head()


async def test_fees(node: Node) -> None:
    fees = await node.fees()
    assert (fees.slow, fees.normal, fees.fast, fees.unit, fees.quality) == (100, 100, 100, "sun", FeeQuality.FIXED)
    assert fees.details == {
        "energy_fee": 100,
        "bandwidth_fee": 1000,
        "account_fee": TRX,
        "memo_fee": TRX,
        "multi_sign_fee": TRX,
    }


async def test_broadcast(node: Node, fake: FakeTronNode) -> None:
    signed, ids = pay(fake, A, B.address)
    assert await node.broadcast(signed, ids) == Sent(ids.tx_ids[0])
    assert await node.broadcast(signed, ids) == Sent(ids.tx_ids[0], known=True)
    fake.mine()
    assert await node.broadcast(signed, ids) == Sent(ids.tx_ids[0], known=True)


async def test_broadcast_of_the_form_in_json(node: Node, fake: FakeTronNode) -> None:
    """``raw_data`` may say anything, because ``raw_data_hex`` is what is signed."""
    unsigned = fake.create(A.address, B.address, TRX)
    signed, ids = A.sign(unsigned)
    signature = signed[-130:]
    form = json.dumps({**unsigned, "signature": [signature]})
    assert await node.broadcast(form, ids) == Sent(ids.tx_ids[0])
    assert (await refusal(node.broadcast("{}", ids))).verdict is Verdict.OURS


async def test_refusals(node: Node, fake: FakeTronNode) -> None:
    stranger = fake.create(A.address, B.address, TRX)
    late = pay(fake, A, B.address, 2)
    foreign = fake.create(A.address, B.address, 3)
    raw = foreign["raw_data_hex"].replace(fake.reference()["block_id"][16:32], "00" * 8)
    fake.account(A.address).bandwidth = 0
    await expect(node, B.sign(stranger), Rejection.INVALID)
    await expect(node, A.sign({"raw_data_hex": raw}), Rejection.INVALID)
    await expect(node, pay(fake, A, B.address, 10**15), Rejection.INSUFFICIENT_FUNDS)
    await expect(node, pay(fake, A, A.address), Rejection.INVALID)
    fake.account(B.address).bandwidth = 0
    await expect(node, pay(fake, B, A.address), Rejection.INSUFFICIENT_FUNDS)
    fake.mine(30)
    await expect(node, late, Rejection.EXPIRED)


async def expect(node: Node, given: Any, rejection: Rejection) -> None:
    error = await refusal(node.broadcast(*given))
    assert (error.verdict, error.rejection) == (Verdict.NO, rejection)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("SERVER_BUSY", Verdict.BUSY),
        ("NO_CONNECTION", Verdict.ELSEWHERE),
        ("NOT_ENOUGH_EFFECTIVE_CONNECTION", Verdict.ELSEWHERE),
        ("BLOCK_UNSOLIDIFIED", Verdict.ELSEWHERE),
        ("OTHER_ERROR", Verdict.BROKEN),
        ("TOO_BIG_TRANSACTION_ERROR", Verdict.NO),
    ],
)
async def test_codes(code: str, verdict: Verdict, node: Node, fake: FakeTronNode) -> None:
    fake.code = code
    assert (await refusal(node.broadcast(*pay(fake, A, B.address)))).verdict is verdict


async def test_a_request_that_is_not_understood_is_our_mistake(node: Node, fake: FakeTronNode) -> None:
    _, ids = pay(fake, A, B.address)
    assert (await refusal(node.broadcast("zz", ids))).verdict is Verdict.OURS


async def test_a_suspension(node: Node, fake: FakeTronNode) -> None:
    fake.suspended = 25
    error = await refusal(node.head())
    assert (error.verdict, error.retry_after) == (Verdict.BUSY, 25)


@pytest.mark.parametrize("status", [200, 403, 429])
@pytest.mark.parametrize(
    ("words", "pause"),
    [
        ("request rate exceeded the allowed_rps(3), and the query server is suspended for 5 s", 5),
        ("The key exceeds the frequency limit(15), and the query server is suspended for 30s", 30),
        ("Exceed the user daily usage (100000), the maximum query frequency is 1 time per second", None),
    ],
)
async def test_words_of_limits(words: str, pause: int | None, status: int, node: Node, liar: Liar) -> None:
    """Error texts as quoted in iexbase/tron-api#171, TronGrid's page on rate limits and andelf/tronpy#148."""
    liar.tell(Lie("limit", lambda _: [json.dumps({"Error": words}).encode()], status=status))
    error = await refusal(node.head())
    assert (error.verdict, error.retry_after) == (Verdict.BUSY, pause)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (404, b'{"Error": "this API is unavailable due to config"}', Verdict.ELSEWHERE),
        (403, b"<html>Forbidden</html>", Verdict.BROKEN),
        (401, b'{"error": "invalid api key"}', Verdict.BROKEN),
        (200, b'{"Error": "class java.lang.NullPointerException : null"}', Verdict.OURS),
        (503, b'{"Error": "upstream"}', Verdict.BROKEN),
    ],
)
async def test_other_refusals(status: int, body: bytes, verdict: Verdict, node: Node, liar: Liar) -> None:
    liar.tell(Lie("refusal", lambda _: [body], status=status))
    assert (await refusal(node.head())).verdict is verdict


async def test_states(node: Node, fake: FakeTronNode) -> None:
    signed, ids = pay(fake, A, B.address)
    tracked = Tracked(ids.tx_ids[0], ids)
    assert (await node.status(tracked)).state is State.UNKNOWN
    await node.broadcast(signed, ids)
    assert (await node.status(tracked)).state is State.PENDING
    fake.mine(3)
    found = await node.status(tracked)
    assert (found.state, found.confirmations, found.final, found.fee) == (State.CONFIRMED, 3, False, 0)
    assert found.block is not None
    assert (found.block.height, found.block.hash) == (fake.blocks[-3][0], fake.blocks[-3][1].hex())
    fake.mine(CONFIRMATIONS)
    found = await node.status(tracked)
    assert (found.state, found.final, found.confirmations) == (State.FINAL, True, CONFIRMATIONS + 3)


async def test_failed_is_final_where_it_is_solid(node: Node, fake: FakeTronNode) -> None:
    signed, ids = pay(fake, A, B.address)
    fake.failed.add(ids.tx_ids[0])
    await node.broadcast(signed, ids)
    fake.mine()
    found = await node.status(Tracked(ids.tx_ids[0]))
    assert (found.state, found.final) == (State.FAILED, False)
    fake.mine(CONFIRMATIONS)
    found = await node.status(Tracked(ids.tx_ids[0]))
    assert (found.state, found.final) == (State.FAILED, True)


async def test_expired_where_what_is_solid_is_past_it(node: Node, fake: FakeTronNode) -> None:
    """It expires after 20 blocks and one more minute of solidified time, for several nodes behind one address."""
    _, ids = pay(fake, A, B.address)
    tracked = Tracked(ids.tx_ids[0], ids)
    fake.mine(20 + CONFIRMATIONS)
    assert (await node.status(tracked)).state is State.UNKNOWN
    fake.mine(20)
    found = await node.status(tracked)
    assert (found.state, found.final) == (State.EXPIRED, True)
    assert (await node.status(Tracked(ids.tx_ids[0]))).state is State.UNKNOWN  # cannot be told without the bytes


async def test_what_is_solid_is_not_expired(node: Node, fake: FakeTronNode, liar: Liar) -> None:
    """It was solidified between the two questions, and a node may keep no receipts."""
    signed, ids = pay(fake, A, B.address)
    await node.broadcast(signed, ids)
    fake.mine(60)
    liar.tell(changed(value={}), about=b"gettransactioninfobyid")
    assert (await refusal(node.status(Tracked(ids.tx_ids[0], ids)))).verdict is Verdict.ELSEWHERE


async def test_what_became_solid_between_two_questions(node: Node, fake: FakeTronNode, liar: Liar) -> None:
    signed, ids = pay(fake, A, B.address)
    await node.broadcast(signed, ids)
    fake.mine(60)
    asked: list[Any] = []

    def not_yet(old: Any) -> Any:
        asked.append(old)
        return {} if len(asked) <= 2 else old

    liar.tell(changed(value=not_yet), about=b"gettransactioninfobyid")
    found = await node.status(Tracked(ids.tx_ids[0], ids))
    assert (found.state, len(asked)) == (State.FINAL, 3)


async def test_a_lite_node_cannot_say_what_was(node: Node, fake: FakeTronNode) -> None:
    _, ids = pay(fake, A, B.address)
    fake.lite = True
    error = await refusal(node.status(Tracked(ids.tx_ids[0], ids)))
    assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "pruned")


async def test_a_node_that_has_not_seen_the_time_until_then_cannot_say(node: Node, fake: FakeTronNode) -> None:
    _, ids = pay(fake, A, B.address)
    fake.mine(200)
    while fake.blocks[0][0] < fake.blocks[-1][0] - 100:
        fake.blocks.popleft()
    assert (await refusal(node.status(Tracked(ids.tx_ids[0], ids)))).cause == "pruned"


async def test_a_published_transaction(node: Node, liar: Liar, fake: FakeTronNode) -> None:
    """tronprotocol/documentation-en, docs/api/http/block-and-tx-query/gettransactioninfobyid.md: a call on Nile."""
    tx_id = "01b4cde4197b9d1a1ff09ef5d2b1d939d3ec2401b3f002ebd0802c0f30a6e4ca"
    block_id = f"{66985120:016x}" + "ab" * 24
    published = {
        "id": tx_id,
        "fee": 5254500,
        "blockNumber": 66985120,
        "blockTimeStamp": 1777437762000,
        "contractResult": [""],
        "contract_address": "419ff8fc48fb114ccd5bbdc24a86f0c73082f08825",
        "receipt": {"energy_fee": 4458500, "energy_usage_total": 44585, "net_fee": 796000, "result": "SUCCESS"},
    }
    block = {"blockID": block_id, "block_header": {"raw_data": {"number": 66985120, "timestamp": 1777437762000}}}

    async def truth(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        return 200, json.dumps(published if "gettransactioninfobyid" in path else block).encode()

    async with lying_http(truth) as published_node:
        reader = Node(setup(), Http(Secret(published_node.url)))
        found = await reader.status(Tracked(tx_id))
        await reader.close()
    assert (found.state, found.fee, found.final) == (State.FINAL, 4458500 + 796000, True)
    assert found.block is not None
    assert found.block.height == 66985120
