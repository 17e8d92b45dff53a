"""All TON sources give the same responses about the same chain, with transfers that @ton/ton signed.

They are both APIs of a fake toncenter over TON's virtual machine.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytoniq_core import Address, begin_cell

from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Capability,
    Direction,
    Entry,
    EntryKind,
    FeeQuality,
    NodeError,
    Page,
    Rejection,
    Sent,
    Source,
    State,
    Status,
    Tracked,
    Verdict,
)
from tests.contract.readers.ton_world import (
    COIN,
    TO,
    TON,
    Owner,
    World,
    friendly,
    holder,
    ids,
    listed,
    pay,
    somebody,
    tracked,
)
from tests.support.fake_toncenter import FakeToncenter
from tests.support.ton import Machine

pytestmark = pytest.mark.needs("ton-sandbox")

KINDS = ["toncenter3", "toncenter2"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Machine() as machine, FakeToncenter(machine) as toncenter:
        yield World(machine, toncenter)


@pytest.fixture
async def source(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Source]:
    """A source for toncenter v3, unless the test says otherwise."""
    found = world.source(getattr(request, "param", "toncenter3"))
    yield found
    await found.close()
    fake = world.toncenter
    fake.busy, fake.hidden, fake.node, fake.lag, fake.says_finality, fake.claims = set(), set(), True, 0, True, []


every_source = pytest.mark.parametrize("source", KINDS, indirect=True)


async def error_of(coroutine: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        await coroutine
    return caught.value


async def seen_at(source: Source, owner: Owner, **more: Any) -> list[Entry]:
    page: Page = await source.history(owner.holder, begin=None, most=50, **more)
    return list(page.entries)


def sum_of(found: list[Entry]) -> int:
    signs = {Direction.IN: 1, Direction.OUT: -1, Direction.SELF: -1}
    coins = [each for each in found if each.asset == COIN]
    return sum(signs[each.direction] * each.amount - (each.fee or 0) for each in coins)


@every_source
async def test_head(source: Source, world: World) -> None:
    told = world.machine.ask("head")
    head = await source.head()
    assert (head.height, head.finalized) == (told["height"], told["height"])
    assert head.time == datetime.fromtimestamp(told["now"], UTC)
    assert len(head.hash) == 64


@pytest.mark.parametrize("kind", KINDS)
async def test_another_network_is_not_taken(kind: str, world: World) -> None:
    source = world.source(kind)
    await source.pin()
    await source.close()
    for pin in ("-3", "17", ""):
        source = world.source(kind, pin=pin)
        assert (await error_of(source.pin())).verdict is Verdict.LYING
        assert (await error_of(source.head())).verdict is Verdict.LYING
        await source.close()


@every_source
async def test_balances_in_the_order_asked_and_absent_is_zero(source: Source, world: World) -> None:
    rich, new, nobody = world.owner(), world.owner(funds=TON), world.owner(funds=0)
    world.machine.send(rich.sign(pay(), seqno=0))
    asked = [nobody.holder, rich.holder, new.holder]
    found = await source.balances(asked, [COIN])
    assert [each.address for each in found.found] == [each.address for each in asked]
    told = int(world.machine.ask("balance", address=rich.raw))
    assert [each.confirmed for each in found.found] == [0, told, TON]
    assert [each.details["status"] for each in found.found] == ["uninit", "active", "uninit"]
    assert found.at == await source.head()


@every_source
async def test_used_is_what_has_an_account(source: Source, world: World) -> None:
    rich, new, nobody = world.owner(), world.owner(funds=TON), world.owner(funds=0)
    world.machine.send(rich.sign(pay(), seqno=0))
    found = await source.used([nobody.holder, rich.holder, new.holder])
    assert (found.asked, found.addresses) == (3, {rich.holder.address, new.holder.address})
    many = [holder(somebody()) for _ in range(8)]
    told = await source.used(many)
    assert (told.asked in (5, 8), told.addresses) == (True, set())


async def test_used_is_what_has_a_listed_jetton(world: World) -> None:
    owner = world.owner(funds=0)
    source = world.source("toncenter3", listed(world.jetton(owner)))
    assert (await source.used([owner.holder])).addresses == {owner.holder.address}
    await source.close()


async def test_many_addresses_are_asked_for_in_parts(source: Source, world: World) -> None:
    rich = world.owner(funds=7)
    asked = [holder(somebody()) for _ in range(120)] + [rich.holder]
    world.toncenter.requests.clear()
    found = await source.balances(asked, [COIN])
    assert [each.confirmed for each in found.found] == [0] * 120 + [7]
    assert world.toncenter.requests.count("/api/v3/accountStates") == 2
    assert len(world.toncenter.requests) == 3


@every_source
async def test_fees_are_a_constant_that_is_enough(source: Source, world: World) -> None:
    found = await source.fees()
    assert (found.unit, found.quality) == ("nanoton", FeeQuality.FIXED)
    assert found.slow == found.normal == found.fast
    owner = world.owner("v5r1")
    before = int(world.machine.ask("balance", address=owner.raw))
    world.machine.send(owner.sign(pay(amount=1), seqno=0))
    after = int(world.machine.ask("balance", address=owner.raw))
    assert before - after - 1 < found.normal


@every_source
@pytest.mark.parametrize("contract", ["v3r2", "v4r2", "v5r1"])
async def test_broadcast_again_is_success(source: Source, world: World, contract: str) -> None:
    raw = world.owner(contract).sign(pay(), seqno=0)
    [tx_id, *_] = ids(raw).tx_ids
    assert await source.broadcast(raw, ids(raw)) == Sent(tx_id)
    assert await source.broadcast(raw, ids(raw)) == Sent(tx_id, known=True)


@every_source
@pytest.mark.parametrize("contract", ["v3r2", "v4r2", "v5r1"])
async def test_refusals_have_reasons(source: Source, world: World, contract: str) -> None:
    owner = world.owner(contract)
    world.machine.send(owner.sign(pay(), seqno=0))
    assert await reason(source, owner.sign(pay(amount=5), seqno=0)) is Rejection.NONCE_USED
    if source.capabilities >= {Capability.HISTORY}:
        error = await error_of(source.broadcast(*of(owner.sign(pay(amount=6), seqno=7))))
        assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "behind"), "a gap, or an index that lags"
    else:
        assert await reason(source, owner.sign(pay(amount=6), seqno=7)) is Rejection.NONCE_GAP
    assert await reason(source, owner.sign(pay(), seqno=1, until=int(time.time()) - 60)) is Rejection.EXPIRED
    assert await reason(source, world.owner(contract, funds=0).sign(pay(), seqno=0)) is Rejection.INSUFFICIENT_FUNDS


async def reason(source: Source, raw: str) -> Rejection | None:
    error = await error_of(source.broadcast(raw, ids(raw)))
    assert error.verdict is Verdict.NO
    return error.rejection


def of(raw: str) -> tuple[str, SignedIds]:
    return raw, ids(raw)


@pytest.mark.parametrize("contract", ["v3r2", "v4r2", "v5r1"])
@pytest.mark.parametrize("known", ["nothing", "the account"])
async def test_an_index_behind_the_node_refuses_nothing(
    source: Source, world: World, contract: str, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wallet's own message used the seqno, but the list of transactions lags, and the account may too."""
    owner = world.owner(contract)
    raw = owner.sign(pay(), seqno=0)
    world.machine.send(raw)
    rows = [row for row in world.machine.ask("ledger", since=0) if row["account"] == owner.raw.upper()]
    world.toncenter.hidden = {row["hash"] for row in rows if row["in_msg"]["source"] is None}
    if known == "nothing":
        wallet = {"address": owner.raw.upper(), "status": "uninit", "last_transaction_lt": rows[0]["lt"]}
        monkeypatch.setattr(world.toncenter, "_wallets", lambda _: [wallet])
    error = await error_of(source.broadcast(*of(raw)))
    assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "behind")
    world.toncenter.hidden = set()
    assert await source.broadcast(*of(raw)) == Sent(tracked(raw).tx_id, known=True)


@pytest.mark.parametrize("source", ["toncenter2"], indirect=True)
async def test_a_node_behind_the_one_that_refused_proves_nothing(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, ask = world.owner(), world.toncenter.ask
    world.machine.send(owner.sign(pay(), seqno=0))
    monkeypatch.setattr(world.toncenter, "ask", lambda what, **more: 0 if what == "seqno" else ask(what, **more))
    error = await error_of(source.broadcast(*of(owner.sign(pay(amount=5), seqno=0))))
    assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "behind")


async def test_a_refusal_that_cannot_be_looked_up_is_none(source: Source, world: World) -> None:
    raw = world.owner().sign(pay(), seqno=0)
    world.machine.send(raw)
    world.toncenter.busy = {"transactionsByMessage", "messages"}
    error = await error_of(source.broadcast(raw, ids(raw)))
    assert (error.verdict, error.retry_after) == (Verdict.BUSY, None)


async def test_status_of_a_transfer(source: Source, world: World) -> None:
    owner = world.owner()
    raw = owner.sign(pay(), seqno=0)
    assert await source.status(tracked(raw)) == Status(State.UNKNOWN)
    before = int(world.machine.ask("balance", address=owner.raw))
    world.machine.send(raw)
    found = await source.status(tracked(raw))
    told = world.machine.ask("head")
    assert (found.state, found.final, found.confirmations) == (State.FINAL, True, 1)
    assert found.fee == before - int(world.machine.ask("balance", address=owner.raw)) - TON // 100
    assert found.block is not None
    assert found.block.height == told["height"]
    assert found == await source.status(Tracked(tracked(raw).tx_id)), "it can be told without the bytes"
    [entry, *_] = await seen_at(source, owner)
    assert entry.tx_id == tracked(raw).tx_id


@pytest.mark.parametrize("source", ["toncenter2"], indirect=True)
async def test_without_an_index_little_is_told(source: Source, world: World) -> None:
    owner = world.owner()
    raw, empty = owner.sign(pay(), seqno=0), owner.sign(pay(amount=10**15), seqno=1)
    assert await source.status(tracked(raw)) == Status(State.UNKNOWN)
    world.machine.send(raw)
    assert await source.status(tracked(raw)) == Status(State.CONFIRMED)
    world.machine.send(empty)
    assert (await error_of(source.status(tracked(empty)))).verdict is Verdict.ELSEWHERE
    assert (await error_of(source.status(Tracked("ab" * 32)))).verdict is Verdict.ELSEWHERE
    assert (await error_of(source.balances([owner.holder], [listed(TO)]))).verdict is Verdict.ELSEWHERE
    assert Capability.HISTORY not in source.capabilities


async def test_what_failed_may_still_pay(source: Source, world: World) -> None:
    """With v4R2, mode 1 and too little money, a fee is lost, and the same bytes pay later once there is enough."""
    until = int(world.machine.ask("head")["now"]) + 3000
    owner, to = world.owner(funds=TON), somebody()
    raw = owner.sign(pay(to, 100 * TON), seqno=0, mode=1, until=until)
    [done] = world.machine.send(raw)
    assert (done["aborted"], done["action"]) == (True, 37)
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.FAILED, False)
    assert found.may_still_execute_until == datetime.fromtimestamp(until, UTC)
    assert found.fee
    [failed, _] = await seen_at(source, owner)
    assert (failed.status, failed.amount, failed.fee) == (State.FAILED, 0, found.fee)
    unknown = await source.status(Tracked(tracked(raw).tx_id))
    assert (unknown.state, unknown.final) == (State.FAILED, False), "nobody knows how long the bytes are good"

    world.machine.ask("fund", address=owner.raw, amount=str(200 * TON))
    assert await source.broadcast(raw, ids(raw)) == Sent(tracked(raw).tx_id)
    assert int(world.machine.ask("balance", address=to)) == 100 * TON
    found = await source.status(tracked(raw))
    assert (found.state, found.final, found.may_still_execute_until) == (State.FINAL, True, None)
    seen = await seen_at(source, owner)
    assert [each.amount for each in seen if each.tx_id == tracked(raw).tx_id] == [100 * TON, 0]
    assert len({each.key for each in seen}) == len(seen)
    assert sum_of(seen) == int(world.machine.ask("balance", address=owner.raw))


async def test_what_failed_is_final_when_it_is_too_late_or_replaced(source: Source, world: World) -> None:
    until = int(world.machine.ask("head")["now"]) + 100
    late, replaced = world.owner(funds=TON), world.owner(funds=TON)
    first, second = (each.sign(pay(amount=100 * TON), seqno=0, mode=1, until=until) for each in (late, replaced))
    world.machine.send(first)
    world.machine.send(second)
    world.machine.send(replaced.sign(pay(), seqno=0, until=until))
    found = await source.status(tracked(second))
    assert (found.state, found.final, found.may_still_execute_until) == (State.FAILED, True, None)
    world.machine.ask("now", at=until + 30)
    world.toncenter.lag = 60
    assert not (await source.status(tracked(first))).final, "the wallet's shard may be behind"
    world.toncenter.lag = 0
    found = await source.status(tracked(first))
    assert (found.state, found.final, found.may_still_execute_until) == (State.FAILED, True, None)


@pytest.mark.parametrize("contract", ["v4r2", "v5r1"])
async def test_a_message_that_was_skipped_paid_nothing(source: Source, world: World, contract: str) -> None:
    owner = world.owner(contract, funds=TON)
    raw = owner.sign(pay(amount=100 * TON), seqno=0, mode=3)
    [done] = world.machine.send(raw)
    assert (done["aborted"], done["compute"], done["action"], done["sent"]) == (False, 0, 0, [])
    found = await source.status(tracked(raw))
    assert (found.state, found.final, found.may_still_execute_until) == (State.FAILED, True, None)
    assert await source.broadcast(raw, ids(raw)) == Sent(tracked(raw).tx_id, known=True)
    [failed, came] = await seen_at(source, owner)
    assert (failed.status, failed.amount, failed.fee) == (State.FAILED, 0, found.fee)
    assert (came.status, came.direction, came.amount) == (State.FINAL, Direction.IN, TON)


async def test_money_that_comes_back_was_not_paid(source: Source, world: World) -> None:
    owner = world.owner()
    raw = owner.sign(pay(somebody(), TON // 2, bounce=True), seqno=0)
    world.machine.send(raw)
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.FAILED, True)
    back, sent, came = await seen_at(source, owner)
    assert (back.direction, back.note, back.tx_id != sent.tx_id) == (Direction.IN, "bounced", True)
    assert (sent.direction, sent.amount, came.amount) == (Direction.OUT, TON // 2, 5 * TON)
    assert sum_of([back, sent, came]) == int(world.machine.ask("balance", address=owner.raw))


async def test_what_has_not_arrived_is_not_final(source: Source, world: World) -> None:
    owner = world.owner()
    world.machine.send(owner.sign(pay(), seqno=0))
    other = world.owner()
    raw = other.sign(pay(owner.raw, bounce=True), seqno=0)
    world.machine.send(raw)
    [arrived] = [row["hash"] for row in world.machine.ask("ledger", since=0)
                 if row["in_msg"]["source"] == other.raw.upper()]  # fmt: skip
    world.toncenter.hidden = {arrived}
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.CONFIRMED, False)
    world.toncenter.hidden = set()
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.FINAL, True)


async def test_replaced_by_another_of_its_number(source: Source, world: World) -> None:
    owner = world.owner()
    raw = owner.sign(pay(amount=1), seqno=0)
    world.machine.send(owner.sign(pay(amount=2), seqno=0))
    assert await source.status(tracked(raw)) == Status(State.REPLACED, final=True)
    assert await source.status(Tracked(tracked(raw).tx_id)) == Status(State.UNKNOWN)


async def test_an_index_that_is_behind_the_account_proves_nothing(source: Source, world: World) -> None:
    owner = world.owner()
    raw = owner.sign(pay(), seqno=0)
    world.machine.send(raw)
    [hash_] = [row["hash"] for row in world.machine.ask("ledger", since=0)
               if row["account"] == owner.raw.upper() and row["in_msg"]["source"] is None]  # fmt: skip
    world.toncenter.hidden = {hash_}
    assert await source.status(tracked(raw)) == Status(State.UNKNOWN)


async def test_expired_by_the_clock_of_the_shards(source: Source, world: World) -> None:
    until = int(world.machine.ask("head")["now"]) + 100
    new, used = world.owner(funds=0), world.owner()
    world.machine.send(used.sign(pay(), seqno=0, until=until))
    messages = [new.sign(pay(), seqno=0, until=until), used.sign(pay(), seqno=1, until=until)]
    for raw in messages:
        assert await source.status(tracked(raw)) == Status(State.UNKNOWN)
    world.machine.ask("now", at=until + 30)
    world.toncenter.lag = 60
    for raw in messages:
        assert await source.status(tracked(raw)) == Status(State.UNKNOWN)
    world.toncenter.lag = 0
    for raw in messages:
        assert await source.status(tracked(raw)) == Status(State.EXPIRED, final=True)


async def test_a_limit_on_one_question_is_got_round(source: Source, world: World) -> None:
    raw = world.owner().sign(pay(), seqno=0)
    world.machine.send(raw)
    world.toncenter.busy = {"transactionsByMessage"}
    assert (await source.status(tracked(raw))).state is State.FINAL


async def test_history_adds_up_to_the_balance(source: Source, world: World) -> None:
    """Deposits to an account without code abort, but the money stays."""
    owner, other = world.owner("v5r1"), world.owner()
    world.machine.send(other.sign(pay(owner.raw, 3, comment="rent"), seqno=0))
    world.machine.send(owner.sign(pay(other.raw, TON), pay(owner.raw, 5), pay(amount=7, comment="x"), seqno=0))
    world.machine.ask("fund", address=owner.raw, amount="0")
    found = await seen_at(source, owner)
    assert sum_of(found) == int(world.machine.ask("balance", address=owner.raw))
    assert [(each.direction, each.amount, each.note) for each in found] == [
        (Direction.IN, 0, "zero_value"),
        (Direction.IN, 5, None),
        (Direction.OUT, 7, None),
        (Direction.SELF, 5, None),
        (Direction.OUT, TON, None),
        (Direction.IN, 3, None),
        (Direction.IN, 5 * TON, None),
    ]
    assert {each.kind for each in found} == {EntryKind.TRANSFER}
    assert {each.status for each in found} == {State.FINAL}
    assert sum(each.fee is not None for each in found if each.direction is not Direction.IN) == 1
    assert found[4].counterparty == other.holder.address
    assert found[5].counterparty == other.holder.address
    assert len({each.key for each in found}) == len(found)


async def test_money_that_bounced_off_a_wallet_is_two_entries_that_cancel(source: Source, world: World) -> None:
    owner = world.owner(funds=0)
    world.machine.ask("fund", address=owner.raw, amount=str(TON), bounce=True)
    found = await seen_at(source, owner)
    assert [(each.direction, each.note) for each in found] == [(Direction.OUT, "bounced"), (Direction.IN, "bounced")]
    assert sum_of(found) == int(world.machine.ask("balance", address=owner.raw)) == 0


async def test_pages_hold_every_row_once(source: Source, world: World) -> None:
    owner = world.owner()
    master = world.jetton(owner)
    for amount in range(1, 26):
        world.machine.ask("fund", address=owner.raw, amount=str(amount))
        if amount % 5 == 0:
            world.machine.send(send(world, owner, master, somebody(), amount, seqno=amount // 5 - 1))
    found: list[Entry] = []
    begin, pages = None, 0
    while pages == 0 or begin is not None:
        page = await source.history(owner.holder, begin=begin, most=10)
        found += page.entries
        begin, pages = page.next, pages + 1
    assert pages > 2
    assert len({each.key for each in found}) == len(found)
    assert sum_of(found) == int(world.machine.ask("balance", address=owner.raw))
    assert sum(each.asset.contract is not None for each in found) == 5
    heights = [each.block.height for each in found if each.block]
    assert heights == sorted(heights, reverse=True)
    assert page.indexed == world.machine.ask("head")["height"]
    assert page.cannot_see == ("pending",)


async def test_cursor_of_another_source_is_refused(source: Source, world: World) -> None:
    for begin in ("../../etc", "-1", "9" * 30):
        error = await error_of(source.history(world.owner(funds=0).holder, begin=begin, most=10))
        assert error.verdict is Verdict.OURS


def send(
    world: World,
    owner: Owner,
    master: str,
    to: str,
    amount: int,
    *,
    seqno: int,
    coins: int = TON // 10,
    spare: int = 1,
    bounce: bool = True,
) -> str:
    """A transfer of jettons by the owner's jetton wallet."""
    body = begin_cell().store_uint(0x0F8A7EA5, 32).store_uint(7, 64).store_coins(amount).store_address(Address(to))
    body.store_address(Address(owner.raw)).store_bit(0).store_coins(spare).store_bit(0)
    wallet = world.machine.ask("jettonWallet", master=master, owner=owner.raw)
    message = pay(wallet, coins, bounce=bounce, payload=base64_of(body.end_cell()))
    return owner.sign(message, seqno=seqno)


def base64_of(cell: Any) -> str:
    return base64.b64encode(cell.to_boc()).decode()


async def test_jettons(world: World) -> None:
    owner, other = world.owner(), world.owner("v5r1")
    master, spam = world.jetton(owner, 1000), world.jetton(owner, 5, symbol="<b>USDT", decimals="9")
    token = listed(master)
    source = world.source("toncenter3", token)
    world.machine.send(send(world, owner, master, other.raw, 400, seqno=0))
    found = await source.balances([other.holder, owner.holder, world.owner(funds=0).holder], [token, COIN])
    amounts = [each.confirmed for each in found.found]
    assert amounts[::2] == [400, 600, 0]
    assert [each.asset for each in found.found] == [token, COIN] * 3
    assert found.found[0].details["wallet_checked"] is True
    every = {each.asset.contract: each for each in (await source.tokens(owner.holder)).found}
    assert every.keys() == {friendly(master), friendly(spam)}
    assert (every[friendly(master)].asset, every[friendly(master)].confirmed) == (token, 600)
    unlisted = every[friendly(spam)].asset
    assert (unlisted.listed, unlisted.symbol, unlisted.decimals) == (False, "bUSDT", 9)
    [sent] = [each for each in await seen_at(source, owner) if each.asset == token]
    [came] = [each for each in await seen_at(source, other) if each.asset == token]
    assert (sent.direction, sent.amount, sent.status) == (Direction.OUT, 400, State.FINAL)
    assert (came.direction, came.amount, came.status) == (Direction.IN, 400, State.FINAL)
    assert (sent.counterparty, came.counterparty) == (other.holder.address, owner.holder.address)
    await source.close()


async def test_a_wallet_that_its_master_does_not_know_holds_nothing(world: World) -> None:
    owner = world.owner()
    master = world.jetton(world.owner())
    token = listed(master)
    world.toncenter.claims = [
        {"address": somebody().upper(), "balance": "1000000", "owner": owner.raw.upper(), "jetton": master}
    ]
    source = world.source("toncenter3", token)
    assert [each.confirmed for each in (await source.balances([owner.holder], [token])).found] == [0]
    assert (await source.tokens(owner.holder)).found == []
    await source.close()
    world.toncenter.node = False
    source = world.source("toncenter3", token)
    for balances in (await source.balances([owner.holder], [token]), await source.tokens(owner.holder)):
        assert (list(balances.found), list(balances.unreadable)) == ([], [token.id]), "no node can be asked"
    await source.close()
    world.toncenter.claims, world.toncenter.node = [], True


async def test_two_wallets_of_an_unlisted_jetton_are_not_told_apart(world: World) -> None:
    owner = world.owner()
    spam, good = world.jetton(owner, 5, symbol="SPAM", decimals="9"), world.jetton(owner, 7)
    claim = {"address": somebody().upper(), "balance": "1000000", "owner": owner.raw.upper(), "jetton": spam}
    world.toncenter.claims = [claim]
    source = world.source("toncenter3", listed(good))
    balances = await source.tokens(owner.holder)
    world.toncenter.claims = []
    assert [(each.asset, each.confirmed) for each in balances.found] == [(listed(good), 7)]
    assert [each.rpartition(":")[2] for each in balances.unreadable] == [friendly(spam)]
    await source.close()


async def test_what_is_no_master_or_has_other_decimals_is_not_shown(world: World) -> None:
    owner = world.owner()
    good, wrong, none = listed(world.jetton(owner)), listed(world.jetton(owner), decimals=9), listed(somebody())
    source = world.source("toncenter3", good, wrong, none)
    found = await source.balances([owner.holder], [wrong, good, none])
    assert [each.asset for each in found.found] == [good]
    assert set(found.unreadable) == {wrong.id, none.id}
    await source.close()


async def test_jettons_that_did_not_arrive_were_not_paid(world: World) -> None:
    """With too little money for the second step, the recipient's wallet refuses, and the sender's takes them back."""
    owner, other = world.owner(), world.owner()
    master = world.jetton(owner, 1000)
    token = listed(master)
    source = world.source("toncenter3", token)
    raw = send(world, owner, master, other.raw, 5000, seqno=0)
    world.machine.send(raw)
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.FAILED, True), "more than there is: refused by its own wallet"
    assert [each for each in await seen_at(source, owner) if each.asset == token] == []
    raw = send(world, owner, master, other.raw, 400, seqno=1)
    world.machine.send(raw)
    wallet = world.machine.ask("jettonWallet", master=master, owner=other.raw).upper()
    [step] = [row for row in world.machine.ask("ledger", since=0) if row["account"] == wallet]
    world.toncenter.hidden = {step["hash"]}
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.CONFIRMED, False)
    [moved] = [each for each in await seen_at(source, other) if each.asset == token]
    assert (moved.status, moved.amount) == (State.CONFIRMED, 400)
    world.toncenter.hidden = set()
    assert (await source.status(tracked(raw))).final
    await source.close()


async def test_jettons_are_followed_whatever_the_flag_says(world: World) -> None:
    owner, other = world.owner(), world.owner()
    master = world.jetton(owner, 1000)
    source = world.source("toncenter3", listed(master))
    raw = send(world, owner, master, other.raw, 5000, seqno=0, bounce=False)
    world.machine.send(raw)
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.FAILED, True), "more than there is"
    raw = send(world, owner, master, other.raw, 400, seqno=1, bounce=False)
    world.machine.send(raw)
    wallet = world.machine.ask("jettonWallet", master=master, owner=other.raw).upper()
    [step] = [row for row in world.machine.ask("ledger", since=0) if row["account"] == wallet]
    world.toncenter.hidden = {step["hash"]}
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.CONFIRMED, False)
    world.toncenter.hidden = set()
    assert (await source.status(tracked(raw))).final
    await source.close()


async def test_what_failed_is_not_final_before_its_rows_are(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = world.owner()
    raw = owner.sign(pay(somebody(), TON // 2, bounce=True), seqno=0)
    world.machine.send(raw)
    whole = world.toncenter._all

    def bounced_is_young(**more: Any) -> list[dict[str, Any]]:
        return [row | ({} if row["in_msg"]["source"] is None else {"finality": "confirmed"}) for row in whole(**more)]

    monkeypatch.setattr(world.toncenter, "_all", bounced_is_young)
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.FAILED, False)
    monkeypatch.undo()
    assert (await source.status(tracked(raw))).final


async def test_older_indexes_do_not_speak_of_finality(source: Source, world: World) -> None:
    raw = world.owner().sign(pay(), seqno=0)
    world.machine.send(raw)
    world.toncenter.says_finality = False
    assert (await source.status(tracked(raw))).final


async def test_idle_costs_nothing_and_a_status_two_requests(source: Source, world: World) -> None:
    raw = world.owner().sign(pay(), seqno=0)
    world.machine.send(raw)
    world.toncenter.requests.clear()
    await source.status(tracked(raw))
    assert world.toncenter.requests == ["/api/v3/transactionsByMessage", "/api/v3/masterchainInfo"]
