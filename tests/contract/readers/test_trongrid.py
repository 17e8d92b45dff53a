"""TronGrid as a source of history and tokens, with a FAKE of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import base58
import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.base import (
    Capability,
    Direction,
    Entry,
    EntryKind,
    Head,
    Holder,
    NodeError,
    Page,
    State,
    Verdict,
)
from strongroom.rpc.http import Http, Work
from strongroom.rpc.tron.trongrid import TronGrid
from tests.contract.readers.tron_world import OTHERS, TIME, TRX, USDT, call, give, key, pay, setup, token
from tests.support.fake_tron_node import FakeTronNode
from tests.support.fake_trongrid import FakeTronGrid
from tests.support.liar import LIES, Liar, Lie, changed, lying_http

A, B = key(1), key(2)
UNLISTED = OTHERS[0]


@pytest.fixture
def node() -> FakeTronNode:
    found = FakeTronNode(TIME)
    for each in (A, B):
        found.fund(each.address, 10_000 * TRX)
        found.account(each.address).bandwidth = 10**9
    return found


@pytest.fixture
def fake(node: FakeTronNode) -> FakeTronGrid:
    return FakeTronGrid(node)


@pytest.fixture
async def liar(fake: FakeTronGrid) -> AsyncIterator[Liar]:
    async with lying_http(fake.answer) as found:
        yield found


@pytest.fixture
async def grid(liar: Liar) -> AsyncIterator[TronGrid]:
    found = TronGrid(setup(), Http(Secret(liar.url)))
    yield found
    await found.close()


def paid(node: FakeTronNode, amount: int) -> str:
    signed, ids = pay(node, A, B.address, amount)
    assert node.broadcast(bytes.fromhex(signed))["result"]
    return ids.tx_ids[0]


async def refusal(coroutine: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        await coroutine
    return caught.value


async def everything(grid: TronGrid, most: int, who: Any = A) -> list[Entry]:
    found: list[Entry] = []
    page = await grid.history(who.holder, begin=None, most=most)
    found += page.entries
    while page.next is not None:
        page = await grid.history(who.holder, begin=page.next, most=most)
        found += page.entries
    return found


async def test_what_it_can_and_where(grid: TronGrid, liar: Liar, fake: FakeTronGrid) -> None:
    assert grid.capabilities == {Capability.HISTORY, Capability.TOKENS}
    await grid.pin()
    fake.node.genesis = "00" * 32
    assert (await refusal(grid.pin())).verdict is Verdict.LYING


async def test_an_address_without_history(grid: TronGrid) -> None:
    assert await grid.history(key(9).holder, begin=None, most=10) == Page([], None, ("pending", "internal"))


async def test_entries(grid: TronGrid, node: FakeTronNode, fake: FakeTronGrid) -> None:
    fake.info[UNLISTED] = {"symbol": "U\u202eSDT", "decimals": 6, "name": "x"}
    paid_id = paid(node, 5)
    node.mine()
    failed_id = call(node, A, USDT, B.address, 1)
    node.failed.add(failed_id)
    node.mine()
    token_id = call(node, A, USDT, B.address, 77)
    node.mine()
    spam_id = call(node, B, UNLISTED, A.address, 0)
    node.mine()
    call(node, B, USDT, A.address, 8, selector="095ea7b3")  # an approval moves nothing
    node.mine()
    given_id = give(node, A, B.address, 9)  # TRC-10: no coins
    node.mine()
    valued_id = call(node, A, OTHERS[1], B.address, 0, selector="deadbeef", value=6)
    fake.inside += [
        {"tx_id": valued_id, "sender": OTHERS[1], "to": A.address, "amount": 4, "rejected": False},
        {"tx_id": valued_id, "sender": OTHERS[1], "to": A.address, "amount": 3, "rejected": True},
        {"tx_id": valued_id, "sender": OTHERS[1], "to": A.address, "amount": 0, "rejected": False},
    ]
    node.mine()
    node.settle()
    entries = (await grid.history(A.holder, begin=None, most=50)).entries
    coin, usdt = setup().coin.id, token(USDT).id
    told = [(e.tx_id, e.asset.id, e.direction, e.amount, e.status, e.kind, e.note) for e in entries]
    inside = told[:3]
    assert {row[3:6] for row in inside} == {
        (4, State.FINAL, EntryKind.INTERNAL),
        (0, State.FAILED, EntryKind.INTERNAL),
        (6, State.FINAL, EntryKind.CONTRACT),
    }
    assert told[3:] == [
        (given_id, coin, Direction.SELF, 0, State.FINAL, EntryKind.CONTRACT, None),
        (spam_id, entries[4].asset.id, Direction.IN, 0, State.FINAL, EntryKind.TRANSFER, "zero_value"),
        (token_id, coin, Direction.OUT, 0, State.FINAL, EntryKind.CONTRACT, None),
        (token_id, usdt, Direction.OUT, 77, State.FINAL, EntryKind.TRANSFER, None),
        (failed_id, coin, Direction.OUT, 0, State.FAILED, EntryKind.CONTRACT, None),
        (paid_id, coin, Direction.OUT, 5, State.FINAL, EntryKind.TRANSFER, None),
    ]
    spam = entries[4].asset
    assert (spam.symbol, spam.listed, spam.contract, spam.decimals) == ("USDT", False, UNLISTED, 6)
    assert entries[6].asset.listed
    assert [entry.block.height for entry in entries if entry.block] == sorted(
        (entry.block.height for entry in entries if entry.block), reverse=True
    )
    assert entries[-1].counterparty == B.address
    assert entries[4].counterparty == B.address


async def test_fees_are_of_who_pays_them(grid: TronGrid, node: FakeTronNode) -> None:
    call(node, A, USDT, B.address, 1)
    node.mine()
    node.settle()
    tx_id, (number, _) = next(iter(node.mined.items()))
    fee = node._info(False, tx_id).get("fee", 0)
    ours = (await grid.history(A.holder, begin=None, most=5)).entries
    theirs = (await grid.history(B.holder, begin=None, most=5)).entries
    assert sorted((e.asset.contract is None, e.fee) for e in ours) == [(False, None), (True, fee)]
    assert [(e.direction, e.fee, e.block and e.block.height) for e in theirs] == [(Direction.IN, None, number)]


async def test_what_is_not_solid_is_not_there(grid: TronGrid, node: FakeTronNode) -> None:
    paid(node, 1)
    node.mine()
    assert (await grid.history(A.holder, begin=None, most=5)).entries == []
    node.settle()
    assert len((await grid.history(A.holder, begin=None, most=5)).entries) == 1


@pytest.mark.parametrize("most", [1, 7, 50, 100])
async def test_pages(most: int, grid: TronGrid, node: FakeTronNode, liar: Liar) -> None:
    """The result does not depend on the page size, even if a block has more rows than a page."""
    for number in range(1, 90):
        paid(node, number)
        if number % 3 == 0:
            call(node, B, USDT, A.address, number)
        if number < 30 or number > 70:
            node.mine()
    node.mine()
    node.settle()
    whole = await everything(grid, most)
    assert len(whole) == 89 + 29
    assert len({entry.key for entry in whole}) == len(whole)
    heights = [entry.block.height for entry in whole if entry.block]
    assert heights == sorted(heights, reverse=True)
    assert {entry.amount for entry in whole if entry.asset.contract is None} == set(range(1, 90))
    assert liar.trapped == 0  # URLs in a response are not followed


async def test_a_page_is_at_most_so_long(grid: TronGrid, node: FakeTronNode) -> None:
    """Each entry may cost a question."""
    for number in range(120):
        call(node, B, USDT, A.address, number + 1)
        node.mine()
    node.settle()
    page = await grid.history(A.holder, begin=None, most=100)
    assert len(page.entries) == 50
    assert node.calls["walletsolidity/gettransactioninfobyid"] == 50


async def test_more_of_one_moment_than_can_be(grid: TronGrid, fake: FakeTronGrid, node: FakeTronNode) -> None:
    tx_id = paid(node, 1)
    node.mine()
    node.settle()
    row = {"sender": B.address, "to": A.address, "rejected": False, "tx_id": tx_id}
    fake.inside += [{**row, "amount": number + 1} for number in range(500)]
    assert (await refusal(grid.history(A.holder, begin=None, most=1))).cause == "history_too_large"


async def test_tokens(grid: TronGrid, fake: FakeTronGrid) -> None:
    assert (await grid.tokens(A.holder)).found == []
    fake.held[A.address] = {USDT: "100000000", UNLISTED: str(2**256 - 1), OTHERS[1]: "0"}
    found = await grid.tokens(A.holder)
    assert [(b.asset.id, b.asset.listed, b.confirmed) for b in found.found] == [
        (token(USDT).id, True, 100000000),
        (token(UNLISTED).id, False, 2**256 - 1),
    ]
    assert isinstance(found.at, Head)


async def test_a_suspension(grid: TronGrid, node: FakeTronNode) -> None:
    node.suspended = 30
    error = await refusal(grid.history(A.holder, begin=None, most=5))
    assert (error.verdict, error.retry_after) == (Verdict.BUSY, 30)


async def test_rewards(grid: TronGrid, liar: Liar) -> None:
    row = published("ab" * 32, 1_000_001, TIME, 0, 0, A.raw.hex(), "")
    row["raw_data"]["contract"][0]["type"] = "WithdrawBalanceContract"
    liar.tell(changed("data", value=[row | {"withdraw_amount": 12}]), about=b"transactions?")
    [entry] = (await grid.history(A.holder, begin=None, most=5)).entries
    assert (entry.kind, entry.direction, entry.amount) == (EntryKind.REWARD, Direction.IN, 12)


async def test_published_rows() -> None:
    """LedgerHQ/ledger-live, libs/coin-modules/coin-tron/src/network/types.fixture.ts: of the main network."""
    ours = "4105cc125604448afeb6867eb688efb7e80411d57a"
    rows = [
        published("47086db397eac45d2fe7dacedcb6f77267d6895dce645210e495e64f8a2a7910", 62258698, 1717419792000, 0, 5,
                  "419b3281a60ab7a44f351ef2896c653f134972ad22", ours),
        published("b0b68ea41e7b46f06196ea0ff47837afe821f985eb966a4915eb3809ac893461", 62258673, 1717419717000, 1100000,
                  100000000, ours, "41f03c5fb459d4f746ff01692b940c5a8a01480db1"),
    ]  # fmt: skip

    async def truth(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if "trc20" in path:
            return 200, b'{"data":[],"success":true,"meta":{"at":1,"page_size":0}}'
        if "getblock" in path:
            head = {"number": 62300000, "timestamp": 1717544000000}
            return 200, json.dumps(
                {"blockID": f"{62300000:016x}" + "0" * 48, "block_header": {"raw_data": head}}
            ).encode()
        return 200, json.dumps({"data": rows, "success": True, "meta": {"at": 1, "page_size": 2}}).encode()

    async with lying_http(truth) as other:
        reader = TronGrid(setup("tron"), Http(Secret(other.url)))
        raw = bytes.fromhex(ours)
        entries = (await reader.history(Holder(raw, base58.b58encode_check(raw).decode()), begin=None, most=5)).entries
        await reader.close()
    assert [(e.direction, e.amount, e.fee, e.status) for e in entries] == [
        (Direction.IN, 5, None, State.FINAL),
        (Direction.OUT, 100 * TRX, 1100000, State.FINAL),
    ]


def published(tx_id: str, height: int, time: int, fee: int, amount: int, owner: str, to: str) -> dict[str, Any]:
    value = {"amount": amount, "owner_address": owner, "to_address": to}
    contract = {"parameter": {"value": value, "type_url": "type.googleapis.com/protocol.TransferContract"}}
    return {
        "ret": [{"contractRet": "SUCCESS", "fee": fee}],
        "txID": tx_id,
        "blockNumber": height,
        "block_timestamp": time,
        "raw_data": {"contract": [{**contract, "type": "TransferContract"}]},
        "internal_transactions": [],
    }


@pytest.mark.parametrize("call_", ["history", "tokens"])
@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_lies_of_transport(lie: Lie, call_: str, node: FakeTronNode, fake: FakeTronGrid, liar: Liar) -> None:
    paid(node, 1)
    node.mine()
    node.settle()
    fake.held[A.address] = {USDT: "5"}
    seconds = dict.fromkeys(Work, 1.0 if "slow" in lie.causes else 60.0)
    source = TronGrid(setup(), Http(Secret(liar.url), seconds=seconds))

    async def ask() -> Any:
        try:
            if call_ == "tokens":
                return await source.tokens(A.holder)
            return await source.history(A.holder, begin=None, most=5)
        except NodeError as error:
            return error

    true = await ask()
    liar.tell(lie, about=b"GET /v1/")
    found = await ask()
    await source.close()
    assert liar.told >= 1
    assert liar.trapped == 0
    if isinstance(found, NodeError):
        assert found.verdict is Verdict.BROKEN
        assert found.cause in (lie.causes or {"bad_answer"})
    else:
        assert not lie.causes
        assert found == true


SEMANTIC = [
    (b"transactions?", changed("data", ..., "block_timestamp", value=-1), {"impossible_time"}),
    (b"transactions?", changed("data", ..., "blockNumber", value=-1), {"out_of_range"}),
    (b"transactions?", changed("data", ..., "txID", value="12"), {"bad_hash"}),
    (b"transactions?", changed("data", 0, "block_timestamp", value=TIME - 10**9), {"bad_order"}),
    (b"transactions?", changed("data", 0, "raw_data", "contract", value=[]), {"bad_answer"}),
    (b"transactions?", changed("data", 0, "raw_data", "contract", 0, "parameter", "value", "amount", value=-1),
     {"out_of_range"}),
    (b"transactions?", changed("data", 0, "raw_data", "contract", 0, "parameter", "value", "owner_address",
                               value=key(7).raw.hex()), {"other_address"}),
    (b"transactions?", changed("data", 0, "ret", 0, "fee", value=-5), {"out_of_range"}),
    (b"trc20", changed("data", ..., "value", value="-1"), {"bad_amount"}),
    (b"trc20", changed("data", ..., "value", value="9" * 78), {"out_of_range"}),
    (b"trc20", changed("data", ..., value=lambda row: {**row, "from": USDT, "to": USDT}), {"other_address"}),
    (b"trc20", changed("data", ..., "to", value="T"), {"bad_address"}),
    (b"gettransactioninfobyid", changed("blockTimeStamp", value=TIME), {"wrong_block"}),
    (b"gettransactioninfobyid", changed("id", value="12" * 32), {"other_transaction"}),
    (b"gettransactioninfobyid", changed(value={}), {"no_receipt"}),
]  # fmt: skip


@pytest.mark.parametrize(("about", "lie", "causes"), SEMANTIC)
async def test_lies_about_the_chain(
    about: bytes, lie: Lie, causes: set[str], grid: TronGrid, node: FakeTronNode, liar: Liar
) -> None:
    for number in range(2):
        paid(node, number + 1)
        call(node, B, USDT, A.address, number + 1)
        node.mine()
    node.settle()
    liar.tell(lie, about=about)
    assert (await refusal(grid.history(A.holder, begin=None, most=5))).cause in causes


async def test_rows_that_were_not_asked_for(grid: TronGrid, node: FakeTronNode) -> None:
    paid(node, 1)
    node.mine()
    node.settle()
    page = await grid.history(A.holder, begin=str(TIME), most=5)
    assert page.entries == []
    assert (await refusal(grid.history(A.holder, begin="12x", most=5))).cause == "bad_cursor"


async def test_a_list_that_ignores_the_bound_lies(grid: TronGrid, node: FakeTronNode, liar: Liar) -> None:
    paid(node, 1)
    node.mine()
    node.settle()
    late = {"block_timestamp": TIME + 10**9, "txID": "12" * 32}
    liar.tell(changed("data", value=[late]), about=b"transactions?")
    assert (await refusal(grid.history(A.holder, begin=str(TIME), most=5))).cause == "not_what_was_asked"


async def test_tokens_of_another_account_are_a_lie(grid: TronGrid, fake: FakeTronGrid, liar: Liar) -> None:
    fake.held[A.address] = {USDT: "5"}
    liar.tell(changed("data", 0, "address", value=B.raw.hex()), about=b"/v1/")
    assert (await refusal(grid.tokens(A.holder))).verdict is Verdict.LYING
    liar.tell(changed("data", 0, "trc20", value=[{"nonsense": "5"}]), about=b"/v1/")
    assert (await refusal(grid.tokens(A.holder))).cause == "bad_address"
