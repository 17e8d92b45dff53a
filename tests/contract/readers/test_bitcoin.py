"""All Bitcoin sources give the same responses about the same chain: bitcoind, ElectrumX over it, and a fake Esplora."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from strongroom.rpc.base import (
    Capability,
    Direction,
    Entry,
    EntryKind,
    FeeQuality,
    Holder,
    NodeError,
    Rejection,
    Sent,
    Source,
    State,
    Status,
    Tracked,
    Verdict,
)
from tests.contract.readers.bitcoin_world import BITCOIN, NETWORK, World, ids, setup, tracked
from tests.support.bitcoind import COIN, Bitcoind
from tests.support.electrumx import ElectrumX
from tests.support.fake_esplora import FakeEsplora

pytestmark = [pytest.mark.needs("bitcoind"), pytest.mark.needs("electrumx")]

KINDS = ["core", "electrum", "esplora"]
INDEXED = ["electrum", "esplora"]
TBTC = setup().coin
NOBODY = "ab" * 32


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Bitcoind() as node, ElectrumX(node) as electrumx, FakeEsplora(node) as esplora:
        yield World(node, electrumx, esplora)


@pytest.fixture
async def source(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Source]:
    found = world.source(request.param)
    yield found
    await found.close()


every_source = pytest.mark.parametrize("source", KINDS, indirect=True)
indexed_source = pytest.mark.parametrize("source", INDEXED, indirect=True)


async def error_of(coroutine: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        await coroutine
    return caught.value


@every_source
async def test_capabilities(source: Source) -> None:
    missing = frozenset(Capability) - source.capabilities
    assert missing - {Capability.HISTORY, Capability.USED} == {Capability.TOKENS}
    assert (await error_of(source.tokens(Holder(b"", "")))).verdict is Verdict.ELSEWHERE


@every_source
async def test_head(source: Source, world: World) -> None:
    world.settle()
    head = await source.head()
    told = world.node.call("getblockheader", world.node.call("getbestblockhash"))
    assert (head.height, head.hash) == (told["height"], told["hash"])
    assert head.time == datetime.fromtimestamp(told["time"], UTC)
    assert head.finalized == head.height - 5


@pytest.mark.parametrize("kind", KINDS)
async def test_another_chain_is_not_taken(kind: str, world: World) -> None:
    source = world.source(kind)
    await source.pin()
    await source.close()
    for pin in ("000000000019d6689c085ae165831e93", ""):
        source = world.source(kind, pin=pin)
        assert (await error_of(source.pin())).verdict is Verdict.LYING
        await source.close()


@every_source
async def test_confirmed_and_pending(source: Source, world: World) -> None:
    spender, receiver, nobody = world.holder(), world.holder("legacy"), world.holder("bech32m")
    coin = world.fund(spender)
    kept = COIN // 2 - 700
    raw = world.spend(coin, to={receiver: COIN // 2, spender: kept})
    world.send(raw, spender, receiver)
    found = await source.balances([spender, receiver, nobody], [TBTC])
    sees_pending = Capability.HISTORY in source.capabilities
    pending = [kept - COIN, COIN // 2, 0] if sees_pending else [0, 0, 0]
    assert [each.address for each in found.found] == [spender.address, receiver.address, nobody.address]
    assert [each.confirmed for each in found.found] == [COIN, 0, 0]
    assert [each.pending for each in found.found] == pending
    assert [each.spendable for each in found.found] == [0 if sees_pending else COIN, 0, 0]
    assert found.at == await source.head()
    world.mine()
    after = await source.balances([spender, receiver], [TBTC])
    assert [(each.confirmed, each.pending) for each in after.found] == [(kept, 0), (COIN // 2, 0)]


@every_source
async def test_immature_coinbase_is_not_spendable(source: Source, world: World) -> None:
    miner = world.holder()
    [block] = world.node.call("generatetoaddress", 1, miner.address)
    world.fund(miner, 1000)
    reward = int(world.node.call("getblock", block, 2)["tx"][0]["vout"][0]["value"] * COIN)
    world.mine(97)
    [found] = (await source.balances([miner], [TBTC])).found
    assert (found.confirmed, found.spendable, found.immature) == (reward + 1000, 1000, reward)
    world.mine(1)
    [found] = (await source.balances([miner], [TBTC])).found
    assert (found.confirmed, found.spendable, found.immature) == (reward + 1000, reward + 1000, 0)


@indexed_source
async def test_used_is_what_ever_had_a_transaction(source: Source, world: World) -> None:
    emptied, paid, waiting = world.holder(), world.holder("legacy"), world.holder("bech32m")
    nobody = [world.holder() for _ in range(3)]
    world.send(world.spend(world.fund(emptied), to={paid: COIN - 1000}), emptied, paid, mine=True)
    world.fund(waiting, mine=False)
    left = [nobody[0], emptied, paid, nobody[1], waiting, nobody[2]]
    found: set[str] = set()
    while left:
        told = await source.used(left)
        assert 0 < told.asked <= len(left)
        found |= told.addresses
        left = left[told.asked :]
    assert found == {emptied.address, paid.address, waiting.address}


async def test_a_node_without_an_index_does_not_guess_what_was_used(world: World) -> None:
    source = world.source("core")
    assert (await error_of(source.used([world.holder()]))).verdict is Verdict.ELSEWHERE
    await source.close()


@every_source
async def test_no_data_for_fees_is_the_floor(source: Source) -> None:
    found = await source.fees()
    assert (found.slow, found.normal, found.fast, found.unit) == (1000, 1000, 1000, "sat/kvB")
    assert found.quality is FeeQuality.FLOOR


@every_source
async def test_broadcast_again_and_again_is_success(source: Source, world: World) -> None:
    owner = world.holder()
    raw = world.spend(world.fund(owner), to={owner: COIN - 1000})
    [tx_id, *_] = ids(raw).tx_ids
    assert await source.broadcast(raw, ids(raw)) == Sent(tx_id)
    assert (await source.broadcast(raw, ids(raw))).tx_id == tx_id
    world.mine()
    world.settle(owner, has=tx_id)
    assert await source.broadcast(raw, ids(raw)) == Sent(tx_id, known=True)
    world.send(world.spend((tx_id, 0), to={owner: COIN - 2000}), owner, mine=True)
    assert await source.broadcast(raw, ids(raw)) == Sent(tx_id, known=True), "its outputs are spent, too"


@every_source
async def test_refusals_have_reasons(source: Source, world: World) -> None:
    owner = world.holder()
    coin = world.fund(owner)
    taken, rival = (world.spend(coin, to={owner: COIN - fee}) for fee in (2000, 1900))
    free = world.spend(coin, to={owner: COIN})
    dust = world.spend(coin, to={owner: 1, world.holder(): COIN - 5000})
    forged = bytearray.fromhex(taken)
    forged[forged.index(0x30, 80) + 8] ^= 1  # within the signature
    assert await reason(source, free) is Rejection.FEE_TOO_LOW
    assert await reason(source, dust) is Rejection.POLICY
    assert await reason(source, forged.hex()) is Rejection.INVALID
    world.send(taken, owner)
    assert await reason(source, rival) is Rejection.FEE_TOO_LOW
    world.mine()
    world.settle(owner, has=ids(taken).tx_ids[0])
    assert await reason(source, rival) is Rejection.ALREADY_SPENT


async def reason(source: Source, raw: str) -> Rejection | None:
    error = await error_of(source.broadcast(raw, ids(raw)))
    assert error.verdict is Verdict.NO
    return error.rejection


@every_source
async def test_status_from_pending_to_final(source: Source, world: World) -> None:
    owner = world.holder()
    raw = world.spend(world.fund(owner), to={owner: COIN - 1234})
    assert await source.status(tracked(raw)) == Status(State.UNKNOWN)
    world.send(raw, owner)
    assert await source.status(tracked(raw)) == Status(State.PENDING, fee=1234)
    world.mine()
    world.settle(owner, has=ids(raw).tx_ids[0])
    found = await source.status(tracked(raw))
    assert (found.state, found.confirmations, found.final) == (State.CONFIRMED, 1, False)
    assert found.fee == 1234
    told = world.node.call("getblockheader", world.node.call("getbestblockhash"))
    assert found.block is not None
    assert (found.block.height, found.block.hash) == (told["height"], told["hash"])
    assert found.block.time == datetime.fromtimestamp(told["time"], UTC)
    world.mine(5)
    found = await source.status(tracked(raw))
    assert (found.state, found.confirmations, found.final) == (State.FINAL, 6, True)


@every_source
async def test_replaced_by_fee(source: Source, world: World) -> None:
    owner = world.holder()
    coin = world.fund(owner)
    first, second = (world.spend(coin, to={owner: COIN - fee}) for fee in (1000, 9000))
    world.send(first, owner)
    other = world.send(second, owner)
    found = await source.status(tracked(first))
    assert (found.state, found.replaced_by, found.final) == (State.REPLACED, other, False)
    assert await source.status(Tracked(ids(first).tx_ids[0])) == Status(State.UNKNOWN), "without bytes nothing is told"
    world.mine(6)
    found = await source.status(tracked(first))
    assert found.state is State.REPLACED
    if Capability.HISTORY in source.capabilities:  # Core does not tell which block spent it
        assert (found.replaced_by, found.confirmations, found.final) == (other, 6, True)
    else:
        assert not found.final


@every_source
async def test_reorg_takes_a_confirmation_back(source: Source, world: World) -> None:
    owner = world.holder()
    coin = world.fund(owner)
    raw, rival = (world.spend(coin, to={owner: COIN - fee}) for fee in (1000, 9000))
    tx_id = world.send(raw, owner, mine=True)
    stale = (await source.status(tracked(raw))).block
    assert stale is not None
    world.node.call("invalidateblock", stale.hash)
    world.node.call("generateblock", world.holder().address, [])
    world.node.call("generateblock", world.holder().address, [])
    world.settle(owner, has=tx_id)
    assert (await source.status(tracked(raw))).state is State.PENDING
    [balance] = (await source.balances([owner], [TBTC])).found
    assert balance.confirmed == COIN
    assert await states(source, owner) in ([(tx_id, State.PENDING), (coin[0], State.CONFIRMED)], None)
    other = world.send(rival, owner, mine=True)
    world.settle(owner, has=other, lacks=tx_id)
    found = await source.status(tracked(raw))
    assert (found.state, found.final) == (State.REPLACED, False)
    assert await reason(source, raw) is Rejection.ALREADY_SPENT, "an index that still has it is no proof"
    assert await states(source, owner) in ([(other, State.CONFIRMED), (coin[0], State.CONFIRMED)], None)


async def states(source: Source, holder: Holder) -> list[tuple[str, State]] | None:
    if Capability.HISTORY not in source.capabilities:
        return None
    return [(each.tx_id, each.status) for each in (await source.history(holder, begin=None, most=10)).entries]


@indexed_source
async def test_history_of_all_kinds(source: Source, world: World) -> None:
    owner, other = world.holder(), world.holder()
    [block] = world.node.call("generatetoaddress", 1, owner.address)
    [mined, *_] = world.node.call("getblock", block)["tx"]
    world.mine(100)
    coin = world.fund(owner)
    paid = world.send(world.spend(coin, to={other: COIN // 2, owner: COIN // 2 - 300}), owner, mine=True)
    moved = world.send(world.spend((paid, 1), to={owner: COIN // 2 - 800}), owner)
    page = await source.history(owner, begin=None, most=50)
    rows = [(each.tx_id, each.direction, each.amount, each.fee, each.status) for each in page.entries]
    assert rows == [
        (moved, Direction.SELF, 500, 500, State.PENDING),
        (paid, Direction.OUT, COIN // 2 + 300, 300, State.CONFIRMED),
        (coin[0], Direction.IN, COIN, None, State.CONFIRMED),
        (mined, Direction.IN, page.entries[-1].amount, None, State.FINAL),
    ]
    assert [each.kind for each in page.entries] == [EntryKind.TRANSFER] * 3 + [EntryKind.REWARD]
    assert page.entries[0].block is None
    assert page.entries[3].block is not None
    assert page.entries[3].block.hash == block
    assert page.next is None or not (await source.history(owner, begin=page.next, most=50)).entries
    assert page.indexed == world.node.call("getblockcount")
    [balance] = (await source.balances([owner], [TBTC])).found
    signs = {Direction.IN: 1, Direction.OUT: -1, Direction.SELF: -1}
    assert sum(signs[each.direction] * each.amount for each in page.entries) == balance.confirmed + balance.pending


@indexed_source
async def test_pages_hold_every_row_once(source: Source, world: World) -> None:
    owner = world.holder()
    made = {world.node.call("sendtoaddress", owner.address, Decimal("0.0001"), wallet="miner") for _ in range(40)}
    world.node.mine()
    for _ in range(3):
        made |= {world.fund(owner, 5000)[0] for _ in range(5)}
    made.add(world.fund(owner, 5000, mine=False)[0])
    found: list[str] = []
    begin, pages = None, 0
    while pages == 0 or begin is not None:
        page = await source.history(owner, begin=begin, most=10)
        ranks = [(each.block is None, each.block.height if each.block else 0, each.tx_id) for each in page.entries]
        assert ranks == sorted(ranks, reverse=True)
        found += [each.tx_id for each in page.entries]
        begin, pages = page.next, pages + 1
    assert pages > 2
    assert len(found) == len(set(found))
    assert set(found) == made
    world.mine()


@indexed_source
async def test_cursor_of_another_source_is_refused(source: Source, world: World) -> None:
    error = await error_of(source.history(world.holder(), begin="../../etc", most=10))
    assert error.verdict is Verdict.OURS


@every_source
async def test_transaction_is_the_one_that_was_asked_for(source: Source, world: World) -> None:
    owner = world.holder()
    tx_id, _ = world.fund(owner)
    assert (await source.transaction(tx_id)).hex() == world.node.call("getrawtransaction", tx_id)
    assert (await error_of(source.transaction(NOBODY))).verdict is Verdict.ELSEWHERE


@every_source
async def test_previous_transactions_that_a_psbt_lacks(source: Source, world: World) -> None:
    owner = world.holder("legacy")
    coins = [world.fund(owner, COIN + number) for number in range(2)]
    inputs = [{"txid": tx_id, "vout": vout} for tx_id, vout in coins]
    read = BITCOIN.decode(NETWORK, world.node.call("createpsbt", inputs, [{owner.address: 2}]))
    assert read.wants == tuple(tx_id for tx_id, _ in coins)
    found = read.with_previous({tx_id: await source.transaction(tx_id) for tx_id in read.wants})
    assert found.wants == ()
    assert [each.value for each in found.known] == [COIN, COIN + 1]


@pytest.mark.parametrize("seed", [41, 42, 43])
async def test_history_is_that_of_a_fresh_index_after_any_reorg(seed: int, world: World) -> None:
    """The fake Esplora reads the whole chain again, while the Electrum server followed it all along."""
    lived, fresh = world.source("electrum"), world.source("esplora")
    chance, owner = random.Random(seed), world.holder()
    coins = [world.fund(owner) for _ in range(3)]
    for _ in range(12):
        step = chance.choice(["pay", "spend", "mine", "reorg", "reorg"])
        if step == "pay":
            coins.append(world.fund(owner, chance.randrange(5_000, COIN), mine=False))
        elif step == "spend" and coins:
            coin = coins.pop()
            worth = world.node.call("gettxout", *coin)
            if worth is not None:
                kept = int(worth["value"] * COIN) - 1_000
                coins.append((world.send(world.spend(coin, to={owner: kept}), owner), 0))
        elif step == "mine":
            world.node.mine()
        elif step == "reorg":
            deep = chance.randrange(1, 4)
            world.node.call("invalidateblock", world.node.call("getblockhash", world.node.call("getblockcount") - deep))
            for _ in range(deep + 2):
                world.node.call("generateblock", world.holder().address, [])
        deadline = time.monotonic() + 120
        while await whole_or_moving(lived, owner) != (expected := await whole(fresh, owner)):
            assert time.monotonic() < deadline, (step, expected)
        assert expected
    await lived.close()
    await fresh.close()


async def whole(source: Source, holder: Holder) -> list[Entry]:
    found: list[Entry] = []
    begin: str | None = None
    while not found or begin is not None:
        page = await source.history(holder, begin=begin, most=5)
        found += [replace(each, counterparty=None) for each in page.entries]
        begin = page.next
    return found


async def whole_or_moving(source: Source, holder: Holder) -> list[Entry] | None:
    """During a reorganisation a server may say nothing, or be too busy to respond."""
    try:
        return await whole(source, holder)
    except NodeError as error:
        if error.verdict is not Verdict.ELSEWHERE and error.cause not in ("unreachable", "slow"):
            raise
        return None
