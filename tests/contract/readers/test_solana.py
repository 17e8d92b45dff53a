"""A node of Solana: surfpool, behind the limits that nodes have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
)

from strongroom.domain.asset import coin_of
from strongroom.rpc.base import (
    Capability,
    Direction,
    Entry,
    EntryKind,
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
from strongroom.rpc.solana.node import Node
from tests.support import solana_chain
from tests.support.fake_solana_limits import FakeLimits
from tests.support.solana_chain import (
    PROGRAMS,
    SOL,
    TOKEN,
    TOKEN_2022,
    associated,
    holder,
    network,
    pay,
    pay_tokens,
    plant,
    plant_mint,
    plant_tokens,
    setup,
    signed,
    token,
)
from tests.support.surfpool import Surfpool
from tests.support.tap import Tap

pytestmark = pytest.mark.needs("surfpool")

COIN = coin_of(network())
RENT = 890_880
SYSTEM = Pubkey.default()


@pytest.fixture(scope="module")
def surfpool() -> Iterator[Surfpool]:
    with Surfpool() as running:
        yield running


@pytest.fixture(scope="module")
def genesis(surfpool: Surfpool) -> str:
    found: str = surfpool.call("getGenesisHash")
    return found


@pytest.fixture
def limits() -> FakeLimits:
    return FakeLimits()


@pytest.fixture
def tap(limits: FakeLimits) -> Tap:
    return Tap(limits)


@pytest.fixture
async def make(surfpool: Surfpool, genesis: str, tap: Tap, limits: FakeLimits) -> AsyncIterator[Callable[..., Node]]:
    made: list[Node] = []

    def one(*tokens: Any, pin: str | None = None) -> Node:
        given: Setup = setup(genesis if pin is None else pin, *tokens)
        made.append(Node(given, solana_chain.rpc(str(surfpool._client.base_url), tap)))
        return made[-1]

    yield one
    for each in made:
        await each.close()


@pytest.fixture
def node(make: Callable[..., Node]) -> Node:
    return make()


@pytest.fixture
def payer(surfpool: Surfpool) -> Keypair:
    key = Keypair()
    surfpool.fund(str(key.pubkey()))
    return key


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    raised: list[str] = []
    monkeypatch.setattr("strongroom.rpc.solana.node.integrity_alarm", lambda kind, **ids: raised.append(kind))
    return raised


async def verdict_of(coroutine: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        await coroutine
    return caught.value


def key() -> Pubkey:
    return Keypair().pubkey()


def method(name: str, answer: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda asked: answer if asked["method"] == name else None


async def test_what_it_can(node: Node) -> None:
    assert Capability.TRANSACTION not in node.capabilities
    assert (await verdict_of(node.transaction("1"))).cause == "unsupported"


async def test_the_chain_is_the_configured_one(genesis: str, make: Callable[..., Node]) -> None:
    await make().pin()
    await make(pin=genesis[:32]).pin()
    for pin in ("", network().caip2.partition(":")[2], genesis[:31] + ("x" if genesis[31] != "x" else "y")):
        assert (await verdict_of(make(pin=pin).pin())).verdict is Verdict.LYING


async def test_head(surfpool: Surfpool, node: Node) -> None:
    before = surfpool.call("getLatestBlockhash")["context"]["slot"]
    head = await node.head()
    latest = surfpool.call("getLatestBlockhash")
    assert before <= head.height <= latest["context"]["slot"]
    assert head.finalized == pytest.approx(head.height - 31, abs=20)
    assert head.finalized <= head.height
    if latest["context"]["slot"] == head.height:
        assert head.hash == latest["value"]["blockhash"]
    assert abs(head.time.timestamp() - surfpool.call("getBlockTime", before)) < 3600


async def test_used_is_what_has_an_account_or_one_of_a_listed_token(
    surfpool: Surfpool, make: Callable[..., Node], payer: Keypair
) -> None:
    mint = plant_mint(surfpool, key())
    owner, nobody = key(), key()
    plant_tokens(surfpool, associated(owner, mint), mint, owner, 0)
    who = [holder(each) for each in (nobody, payer.pubkey(), owner)]
    assert (await make().used(who)).addresses == {str(payer.pubkey())}
    found = await make(token(mint)).used(who)
    assert (found.asked, found.addresses) == (3, {str(payer.pubkey()), str(owner)})
    many = [holder(key()) for _ in range(250)]
    assert (await make().used(many)).asked == 200


async def test_balances_of_the_coin(surfpool: Surfpool, node: Node, payer: Keypair) -> None:
    nonce, nobody, poor = key(), key(), key()
    plant(surfpool, nonce, Pubkey.default(), bytes(80), lamports=2_000_000)
    plant(surfpool, poor, Pubkey.default(), b"", lamports=5)
    who = [holder(each) for each in (payer.pubkey(), nonce, nobody, poor)]
    found = await node.balances(who, [COIN])
    assert [(b.address, b.confirmed, b.spendable) for b in found.found] == [
        (str(payer.pubkey()), 10 * SOL, 10 * SOL - RENT),
        (str(nonce), 2_000_000, 0),  # owned by a program, or with data, so no transfer can spend it
        (str(nobody), 0, 0),
        (str(poor), 5, 0),
    ]
    assert found.unreadable == []


@pytest.mark.parametrize("program", PROGRAMS, ids=["spl-token", "token-2022"])
async def test_balances_of_tokens(program: Pubkey, surfpool: Surfpool, node: Node) -> None:
    mint = plant_mint(surfpool, key(), program)
    owner, frozen, sold, none, coins = (key() for _ in range(5))
    plant_tokens(surfpool, associated(owner, mint, program), mint, owner, 7_000_000, program)
    plant_tokens(surfpool, associated(frozen, mint, program), mint, frozen, 5, program, state=2)
    plant_tokens(surfpool, associated(sold, mint, program), mint, key(), 9, program)
    plant(surfpool, associated(coins, mint, program), Pubkey.default(), b"", SOL)
    plant_tokens(surfpool, key(), mint, owner, 3, program)  # not the associated one
    asset = token(mint)
    found = await node.balances([holder(each) for each in (owner, frozen, sold, none, coins)], [COIN, asset])
    assert [(b.confirmed, b.spendable) for b in found.found if b.asset is asset] == [
        (7_000_000, None), (5, 0), (0, None), (0, None), (0, None)
    ]  # fmt: skip
    assert [b.asset for b in found.found] == [COIN, asset] * 5
    assert found.unreadable == []


async def test_what_is_no_mint_is_unreadable(surfpool: Surfpool, node: Node) -> None:
    not_a_mint, closed = key(), key()
    plant(surfpool, not_a_mint, Pubkey.default(), bytes(82))
    plant(surfpool, closed, TOKEN, bytes(82))
    assets = [token(each) for each in (not_a_mint, closed, key())]
    found = await node.balances([holder(key())], [COIN, *assets])
    assert [b.asset for b in found.found] == [COIN]
    assert found.unreadable == [asset.id for asset in assets]


async def test_decimals_that_differ_are_an_alarm(surfpool: Surfpool, node: Node, alarms: list[str]) -> None:
    mint = plant_mint(surfpool, key(), decimals=9)
    for _ in range(2):
        assert (await node.balances([holder(key())], [token(mint, 6)])).unreadable == [token(mint, 6).id]
    assert alarms == ["token_decimals"]
    assert (await node.balances([holder(key())], [token(mint, 9)])).unreadable == []


async def test_an_account_of_another_mint_is_a_lie(surfpool: Surfpool, node: Node) -> None:
    mint, owner = plant_mint(surfpool, key()), key()
    plant_tokens(surfpool, associated(owner, mint), key(), owner, 7)
    assert (await verdict_of(node.balances([holder(owner)], [token(mint)]))).verdict is Verdict.LYING


async def test_the_budget(surfpool: Surfpool, node: Node, tap: Tap, limits: FakeLimits) -> None:
    """1,000 owners with the coin and two tokens."""
    assets = [COIN, token(plant_mint(surfpool, key())), token(plant_mint(surfpool, key(), TOKEN_2022))]
    await node.balances([holder(key())], assets)
    tap.calls.clear()
    found = await node.balances([holder(Pubkey(number.to_bytes(32, "big"))) for number in range(1, 1001)], assets)
    assert len(found.found) == 3000
    assert tap.calls == {"getLatestBlockhash": 1, "getSlot": 1, "getMultipleAccounts": 31}  # one of them: the clock
    assert limits.refused == []


async def test_all_tokens(surfpool: Surfpool, make: Callable[..., Node]) -> None:
    listed, other, empty = (plant_mint(surfpool, key(), program) for program in (TOKEN, TOKEN_2022, TOKEN))
    owner = key()
    plant_tokens(surfpool, associated(owner, listed), listed, owner, 7)
    plant_tokens(surfpool, key(), listed, owner, 3, state=2)
    plant_tokens(surfpool, associated(owner, other, TOKEN_2022), other, owner, 11, TOKEN_2022)
    plant_tokens(surfpool, associated(owner, empty), empty, owner, 0)
    found = await make(token(listed)).tokens(holder(owner))
    assert [(b.asset.contract, b.confirmed, b.spendable, b.asset.listed, b.asset.decimals) for b in found.found] == [
        (str(listed), 10, 7, True, 6),
        (str(other), 11, None, False, 6),
    ]
    assert found.found[1].asset.symbol == "?"
    assert (await make().tokens(holder(key()))).found == []


async def test_a_listed_token_with_other_decimals_is_not_shown(
    surfpool: Surfpool, make: Callable[..., Node], alarms: list[str]
) -> None:
    mint, owner = plant_mint(surfpool, key(), decimals=9), key()
    plant_tokens(surfpool, associated(owner, mint), mint, owner, 7)
    found = await make(token(mint, 6)).tokens(holder(owner))
    assert (found.found, found.unreadable, alarms) == ([], [token(mint).id], ["token_decimals"])


async def test_fees(node: Node, tap: Tap) -> None:
    floor = await node.fees()
    assert (floor.slow, floor.fast, floor.quality) == (0, 0, FeeQuality.FLOOR)
    assert floor.details == {"lamports_per_signature": 5000}

    def fees(*paid: int) -> None:
        rows = [{"slot": n, "prioritizationFee": fee} for n, fee in enumerate(paid)]
        tap.before = method("getRecentPrioritizationFees", {"result": rows})

    fees(0, 0, *range(1000, 0, -10), 0)
    fees_ = await node.fees()
    assert (fees_.slow, fees_.normal, fees_.fast) == (250, 500, 900)
    assert (fees_.unit, fees_.quality) == ("micro-lamport/CU", FeeQuality.ESTIMATE)
    for lie in ((2**64,), (-1,), (10**11,)):
        fees(*lie)
        assert (await verdict_of(node.fees())).verdict is Verdict.LYING


async def test_broadcast(surfpool: Surfpool, node: Node, payer: Keypair) -> None:
    to = key()
    raw, ids = signed(surfpool, payer, pay(payer, to, SOL))
    assert await node.broadcast(raw, ids) == Sent(ids.tx_ids[0])
    assert await wait_for(node, ids.tx_ids[0])
    assert surfpool.balance(str(to)) == SOL


async def wait_for(node: Node, tx_id: str) -> Status:
    for _ in range(3000):
        found = await node.status(Tracked(tx_id))
        if found.state not in (State.UNKNOWN, State.PENDING):
            return found
    raise AssertionError("never run")


def at_least_confirmed(state: State) -> State:
    """Blocks become final while a test runs."""
    return State.CONFIRMED if state is State.FINAL else state


async def test_refusals(surfpool: Surfpool, node: Node, payer: Keypair) -> None:
    poor = Keypair()
    for raw, ids in (
        signed(surfpool, payer, pay(payer, key(), 100 * SOL)),
        signed(surfpool, payer, pay(payer, key(), 1)),  # less than the recipient needs for its rent
        signed(surfpool, poor, pay(poor, key(), SOL)),
    ):
        error = await verdict_of(node.broadcast(raw, ids))
        assert (error.verdict, error.rejection) == (Verdict.NO, Rejection.INSUFFICIENT_FUNDS)
    raw, ids = signed(surfpool, payer, pay(payer, key(), SOL))
    for broken in (raw[:20] + ("A" if raw[20] != "A" else "B") + raw[21:], raw[:-8]):
        error = await verdict_of(node.broadcast(broken, ids))
        assert (error.verdict, error.rejection) == (Verdict.NO, Rejection.INVALID)
    raw, ids = signed(surfpool, payer, pay(payer, key(), SOL), blockhash=str(key()))
    assert (await verdict_of(node.broadcast(raw, ids))).verdict is Verdict.ELSEWHERE


async def test_a_node_that_names_another_signature_lies(
    surfpool: Surfpool, node: Node, payer: Keypair, tap: Tap
) -> None:
    tap.after = lambda asked, answer: answer | {"result": "1" * 64}
    error = await verdict_of(node.broadcast(*signed(surfpool, payer, pay(payer, key(), SOL))))
    assert error.verdict is Verdict.LYING


async def test_states(surfpool: Surfpool, node: Node, payer: Keypair) -> None:
    raw, ids = signed(surfpool, payer, pay(payer, key(), SOL))
    tx_id = ids.tx_ids[0]
    assert (await node.status(Tracked(tx_id, ids))).state is State.UNKNOWN
    surfpool.send(raw)
    found = await node.status(Tracked(tx_id, ids))
    assert (found.state, found.final, found.fee) == (State.CONFIRMED, False, 5000)
    assert found.confirmations >= 1
    [row] = surfpool.call("getSignatureStatuses", [tx_id])["value"]
    assert found.block is not None
    assert found.block.height == row["slot"]
    travel(surfpool, 100)
    found = await node.status(Tracked(tx_id, ids))
    assert (found.state, found.final, found.fee) == (State.FINAL, True, 5000)
    assert found.confirmations > 32


def travel(surfpool: Surfpool, slots: int) -> None:
    at = surfpool.call("getLatestBlockhash")["context"]["slot"]
    surfpool.call("surfnet_timeTravel", {"absoluteSlot": at + slots})


async def test_failed_costs_its_fee_and_is_final_where_its_slot_is(
    surfpool: Surfpool, node: Node, payer: Keypair
) -> None:
    raw, ids = signed(surfpool, payer, pay(payer, key(), 100 * SOL))
    surfpool.call("sendTransaction", raw, {"encoding": "base64", "skipPreflight": True})
    found = await wait_for(node, ids.tx_ids[0])
    assert (found.state, found.final, found.fee) == (State.FAILED, False, 5000)
    travel(surfpool, 100)
    assert (await node.status(Tracked(ids.tx_ids[0]))).final


async def test_expired(surfpool: Surfpool, node: Node, payer: Keypair, tap: Tap) -> None:
    raw, ids = signed(surfpool, payer, pay(payer, key(), SOL))
    tx_id = ids.tx_ids[0]
    height = surfpool.call("getEpochInfo", {"commitment": "finalized"})["blockHeight"]
    later = Tracked(tx_id, ids, valid_until_height=height + 10**6)
    assert (await node.status(later)).state is State.UNKNOWN
    gone = Tracked(tx_id, ids, valid_until_height=0)
    travel(surfpool, 100)
    archive = {"result": 0}
    tap.before = lambda asked: archive if asked["method"] == "getFirstAvailableBlock" else None
    assert await node.status(gone) == Status(State.EXPIRED, final=True)
    assert (await node.status(Tracked(tx_id))).state is State.UNKNOWN

    def run(asked: dict[str, Any]) -> dict[str, Any] | None:
        if asked["method"] == "getEpochInfo":
            surfpool.send(raw)
        return archive if asked["method"] == "getFirstAvailableBlock" else None

    tap.before = run  # it was included in the last possible block
    assert (await node.status(gone)).state is State.CONFIRMED


async def test_durable_nonce(surfpool: Surfpool, node: Node, payer: Keypair, tap: Tap) -> None:
    """The nonce account is on the chain. A source with every block says that an advanced nonce is final."""
    nonce = Keypair()
    create = create_account(
        CreateAccountParams(
            from_pubkey=payer.pubkey(), to_pubkey=nonce.pubkey(), lamports=SOL // 100, space=80, owner=SYSTEM
        )
    )
    authority = InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=payer.pubkey())
    surfpool.send(signed(surfpool, payer, create, initialize_nonce_account(authority), others=(nonce,))[0])
    travel(surfpool, 100)
    data = surfpool.account(str(nonce.pubkey()))
    assert data is not None
    held = Hash(data[40:72])
    advance = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=payer.pubkey())
    )
    used, other = (
        signed(surfpool, payer, advance, pay(payer, key(), lamports), blockhash=str(held))
        for lamports in (SOL, 2 * SOL)
    )
    lost = Tracked(other[1].tx_ids[0], other[1])
    assert await node.status(lost) == Status(State.UNKNOWN)
    recent = signed(surfpool, payer, advance, pay(payer, key(), SOL))[1]  # a blockhash where the nonce should be
    assert await node.status(Tracked(recent.tx_ids[0], recent)) == Status(State.UNKNOWN)
    surfpool.send(used[0])
    travel(surfpool, 100)
    assert (await node.status(Tracked(used[1].tx_ids[0], used[1]))).state in (State.CONFIRMED, State.FINAL)
    for first, final in ((0, True), (5000, False)):
        answers = {"getFirstAvailableBlock": {"result": first}, "getBlock": {"result": {"blockHeight": 4000}}}
        tap.before = lambda asked, answers=answers: answers.get(asked["method"])  # type: ignore[misc]
        assert await node.status(lost) == Status(State.REPLACED, final=final)


@pytest.mark.parametrize(
    ("first", "height", "state"),
    [(850, None, State.EXPIRED), (5000, 850, State.EXPIRED), (5000, 851, State.UNKNOWN), (5000, None, State.UNKNOWN)],
)
async def test_who_has_pruned_it_does_not_say_that_it_expired(
    first: int, height: int | None, state: State, node: Node, tap: Tap
) -> None:
    """It was valid for 150 blocks, up to height 1,000. The node keeps blocks from a slot and a height on."""
    answers: dict[str, Any] = {
        "getEpochInfo": {"absoluteSlot": 9000, "blockHeight": 2000},
        "getSignatureStatuses": {"context": {"slot": 9000}, "value": [None]},
        "getFirstAvailableBlock": first,
        "getBlock": {"blockHeight": height},
    }
    tap.before = lambda asked: {"result": answers[asked["method"]]}
    assert await node.status(Tracked("1" * 64, valid_until_height=1000)) == Status(state, final=state is State.EXPIRED)
    refusal = {"error": {"code": -32601, "message": "Method not found"}}
    tap.before = lambda asked: (
        refusal if asked["method"] == "getFirstAvailableBlock" else {"result": answers[asked["method"]]}
    )
    assert await node.status(Tracked("1" * 64, valid_until_height=1000)) == Status(State.UNKNOWN)


async def test_who_is_behind_does_not_say_that_it_expired(node: Node, tap: Tap) -> None:
    tap.after = lambda asked, answer: (
        answer if asked["method"] != "getEpochInfo" else answer | {"result": {"absoluteSlot": 10**9, "blockHeight": 9}}
    )
    error = await verdict_of(node.status(Tracked("1" * 64, valid_until_height=0)))
    assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "behind")


async def test_status_where_transactions_are_not_kept(surfpool: Surfpool, node: Node, payer: Keypair, tap: Tap) -> None:
    tx_id = surfpool.send(signed(surfpool, payer, pay(payer, key(), SOL))[0])
    tap.before = method("getTransaction", {"error": {"code": -32011, "message": "not available"}})
    found = await node.status(Tracked(tx_id))
    assert (found.state, found.fee) == (State.CONFIRMED, None)


async def test_limits_are_kept_and_told_from_failures(node: Node, limits: FakeLimits, surfpool: Surfpool) -> None:
    limits.unhealthy = True
    for question in (node.head(), node.fees(), node.balances([holder(key())], [COIN])):
        error = await verdict_of(question)
        assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "behind")
    limits.unhealthy = False
    limits.lag = 5
    error = await verdict_of(node.balances([holder(key())], [COIN]))
    assert (error.verdict, error.cause) == (Verdict.ELSEWHERE, "behind")


async def test_an_answer_older_than_asked_for_is_not_taken(node: Node, tap: Tap) -> None:
    def older(asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked["method"] == "getMultipleAccounts":
            answer["result"]["context"]["slot"] = 1
        return answer

    tap.after = older
    assert (await verdict_of(node.balances([holder(key())], [COIN]))).cause == "behind"


async def test_a_provider_that_takes_no_batches(surfpool: Surfpool, genesis: str, limits: FakeLimits) -> None:
    node = Node(setup(genesis), solana_chain.rpc(str(surfpool._client.base_url), limits, batch=10))
    error = await verdict_of(node.balances([holder(key())], [COIN]))
    await node.close()
    assert error.verdict is Verdict.OURS
    assert limits.refused == ["batch"]


async def test_history(surfpool: Surfpool, make: Callable[..., Node], payer: Keypair, tap: Tap) -> None:
    mint, spam = plant_mint(surfpool, key()), plant_mint(surfpool, key(), TOKEN_2022)
    owner, other = Keypair(), Keypair()
    surfpool.fund(str(owner.pubkey()), 2 * SOL)
    ours, theirs = associated(owner.pubkey(), mint), associated(payer.pubkey(), mint)
    unasked, spammer = key(), key()
    plant_tokens(surfpool, ours, mint, owner.pubkey(), 0)
    plant_tokens(surfpool, theirs, mint, payer.pubkey(), 1000)
    plant_tokens(surfpool, unasked, spam, owner.pubkey(), 0, TOKEN_2022)
    plant_tokens(surfpool, spammer, spam, payer.pubkey(), 1000, TOKEN_2022)
    sent = [
        surfpool.send(signed(surfpool, payer, pay_tokens(theirs, ours, payer.pubkey(), 70))[0]),
        surfpool.send(signed(surfpool, owner, pay(owner, other.pubkey(), SOL))[0]),
        surfpool.send(signed(surfpool, payer, pay_tokens(spammer, unasked, payer.pubkey(), 9, TOKEN_2022))[0]),
        surfpool.send(signed(surfpool, owner, pay_tokens(ours, theirs, owner.pubkey(), 30))[0]),
    ]
    failing, ids = signed(surfpool, owner, pay(owner, other.pubkey(), 100 * SOL))
    surfpool.call("sendTransaction", failing, {"encoding": "base64", "skipPreflight": True})
    node = make(token(mint))
    await wait_for(node, ids.tx_ids[0])
    page = await node.history(holder(owner.pubkey()), begin=None, most=20)
    [airdrop] = [e for e in page.entries if e.amount == 2 * SOL]
    seen = [
        (e.tx_id, e.asset.contract, e.direction, e.amount, e.counterparty, e.fee, at_least_confirmed(e.status), e.note)
        for e in page.entries
    ]
    who, there = str(payer.pubkey()), str(other.pubkey())
    done = State.CONFIRMED
    expected = [
        (ids.tx_ids[0], None, Direction.SELF, 0, None, 5000, State.FAILED, None),
        (sent[3], str(mint), Direction.OUT, 30, who, None, done, None),
        (sent[3], None, Direction.SELF, 0, None, 5000, done, None),
        (sent[2], str(spam), Direction.IN, 9, who, None, done, "unlisted"),
        (sent[1], None, Direction.OUT, SOL, there, 5000, done, None),
        (sent[0], str(mint), Direction.IN, 70, who, None, done, None),
        (airdrop.tx_id, None, Direction.IN, 2 * SOL, airdrop.counterparty, None, done, None),
    ]
    assert sorted(seen, key=repr) == sorted(expected, key=repr)
    assert list(dict.fromkeys(each[0] for each in seen)) == list(dict.fromkeys(each[0] for each in expected))
    assert page.next is None
    assert page.cannot_see == ("older", "closed_accounts")
    assert {e.kind for e in page.entries if not e.amount} == {EntryKind.CONTRACT}
    assert len({e.key for e in page.entries}) == len(page.entries)
    pages: list[Entry] = []
    begin = None
    while True:
        tap.calls.clear()
        part = await node.history(holder(owner.pubkey()), begin=begin, most=2)
        assert tap.calls["getTransaction"] <= 2
        pages += part.entries
        if (begin := part.next) is None:
            break
    assert [replace(e, status=at_least_confirmed(e.status)) for e in pages] == [
        replace(e, status=at_least_confirmed(e.status)) for e in page.entries
    ]
    travel(surfpool, 100)
    page = await node.history(holder(owner.pubkey()), begin=None, most=20)
    assert {e.status for e in page.entries} == {State.FINAL, State.FAILED}
