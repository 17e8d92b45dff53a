"""The pool over scripted sources: who is asked, who is not, and what callers see."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from strongroom.errors import (
    CursorStale,
    NodesDisagree,
    NodeUnavailable,
    NotFound,
    SourceMissing,
    TransactionRejected,
)
from strongroom.rpc.base import Capability, NodeError, Page, Rejection, Sent, State, Status, Verdict
from strongroom.rpc.endpoint import Endpoint
from strongroom.rpc.pool import Pool
from tests.unit.rpc.scripted import (
    COIN,
    ETHEREUM,
    HOLDER,
    IDS,
    TRACKED,
    Bench,
    Scripted,
    balances,
    bench,
    error,
    for_testing,
    hang,
    head,
)

BROKEN = error(Verdict.BROKEN)
BUSY = error(Verdict.BUSY)
ELSEWHERE = error(Verdict.ELSEWHERE)
NONCE_USED = error(Verdict.NO, rejection=Rejection.NONCE_USED)


def three(question: str, *replies: object) -> tuple[Scripted, Scripted, Scripted]:
    return Scripted().will(question, *replies), Scripted(), Scripted()


def names(tested: Bench, question: str) -> str:
    return "".join(
        name for name, source in zip("abc", tested.sources, strict=False) for _ in range(source.count(question))
    )


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"strongroom_{name}", labels) or 0.0


async def test_the_first_that_answers_is_asked_alone() -> None:
    tested = bench(*three("head", head(100)))
    assert await tested.pool.head() == head(100)
    assert [each.asked for each in tested.sources] == [["pin", "head"], [], []]


async def test_answers_name_their_source() -> None:
    tested = bench(*three("balances", BROKEN))
    found = await tested.pool.balances([HOLDER], [COIN])
    assert (found.source, found.verified) == ("b", 1)


@pytest.mark.parametrize("failure", [BROKEN, BUSY, ELSEWHERE, error(Verdict.LYING), error(Verdict.OURS)])
async def test_another_is_asked_where_one_cannot_answer(failure: NodeError) -> None:
    tested = bench(*three("head", failure))
    await tested.pool.head()
    assert names(tested, "head") == "ab"


async def test_three_are_asked_at_most() -> None:
    tested = bench(*(Scripted().will("head", ELSEWHERE) for _ in range(4)))
    with pytest.raises(NodeUnavailable):
        await tested.pool.head()
    assert tested.total("head") == 3


async def test_a_mistake_of_ours_is_tried_at_one_other() -> None:
    tested = bench(*(Scripted().will("head", error(Verdict.OURS)) for _ in range(3)))
    with pytest.raises(NodeUnavailable):
        await tested.pool.head()
    assert tested.total("head") == 2
    assert tested.open_circuits() == 0


async def test_a_broken_source_is_left_alone_and_found_again() -> None:
    """And each time that it was broken it has to say anew which chain it is."""
    tested = bench(*three("head", *[BROKEN] * 6, head(100)))
    a, b, _ = tested.sources
    for _ in range(20):
        await tested.pool.head()
    assert (a.count("head"), a.count("pin"), b.count("head")) == (5, 5, 20)
    tested.clock.now += 6
    await tested.pool.head()
    assert (a.count("head"), b.count("head")) == (6, 21)
    tested.clock.now += 6
    for _ in range(5):
        await tested.pool.head()
    assert (a.count("head"), a.count("pin"), b.count("head")) == (11, 7, 21)
    assert tested.open_circuits() == 0


async def test_circuits_of_the_kinds_of_work_are_apart() -> None:
    tested = bench(Scripted().will("history", BROKEN))
    for _ in range(10):
        with pytest.raises(NodeUnavailable):
            await tested.pool.history(HOLDER, begin=None, most=10)
    await tested.pool.head()
    assert (tested.total("history"), tested.total("head")) == (5, 1)


async def test_everybody_down_is_said_at_once_and_with_a_time() -> None:
    """All circuits open: one probe each, when it is time, and no more."""
    tested = bench(*(Scripted().will("head", BROKEN) for _ in range(3)))
    for _ in range(10):
        with pytest.raises(NodeUnavailable) as caught:
            await tested.pool.head()
    assert tested.total("head") == 15
    assert caught.value.retry_after == pytest.approx(6)
    tested.clock.now += 6
    for _ in range(10):
        with pytest.raises(NodeUnavailable):
            await tested.pool.head()
    assert tested.total("head") == 18
    for source in tested.sources:
        source.will("head", head(100))
    tested.clock.now += 6
    assert await tested.pool.head() == head(100)


async def test_a_limit_is_no_failure_and_pauses_longer_each_time() -> None:
    tested = bench(*three("head", BUSY))
    a, _, _ = tested.sources
    pauses = []
    for _ in range(8):
        await tested.pool.head()
        pauses.append(tested.endpoints[0].cooling)
        await tested.pool.head()
        tested.clock.now += pauses[-1]
    assert a.count("head") == 8
    assert pauses == pytest.approx([1.2, 2.4, 4.8, 9.6, 19.2, 38.4, 72, 72])
    assert tested.open_circuits() == 0
    a.will("head", head(100), BUSY)
    await tested.pool.head()
    await tested.pool.head()
    assert tested.endpoints[0].cooling == pytest.approx(1.2)


async def test_a_node_that_says_how_long_is_believed_up_to_an_hour() -> None:
    tested = bench(Scripted().will("head", error(Verdict.BUSY, retry_after=30), error(Verdict.BUSY, retry_after=1e9)))
    for seconds in (30, 3600):
        with pytest.raises(NodeUnavailable) as caught:
            await tested.pool.head()
        assert caught.value.retry_after == pytest.approx(seconds)
        with pytest.raises(NodeUnavailable):
            await tested.pool.head()
        tested.clock.now += seconds
    assert tested.total("head") == 2


async def test_a_limit_of_our_own_leaves_nobody_alone() -> None:
    tested = bench(*three("head", error(Verdict.BUSY, "own_limit", retry_after=1.0), head(100)))
    await tested.pool.head()
    assert tested.endpoints[0].cooling == 0
    await tested.pool.head()
    assert names(tested, "head") == "aab"
    assert tested.pool.describe()[0].state == "ok"


async def test_calls_that_were_under_way_make_the_pause_no_longer() -> None:
    tested = bench(Scripted().will("head", BUSY))
    await asyncio.gather(*(tested.pool.head() for _ in range(20)), return_exceptions=True)
    assert tested.endpoints[0].cooling == pytest.approx(1.2)


async def test_a_credential_that_is_refused_is_looked_at_once_a_minute() -> None:
    tested = bench(*three("head", error(Verdict.BROKEN, "credential")))
    for _ in range(60):
        await tested.pool.head()
        tested.clock.now += 1
    assert tested.sources[0].count("head") == 1


async def test_a_method_that_a_node_does_not_know_is_asked_once() -> None:
    tested = bench(*three("fees", error(Verdict.ELSEWHERE, "no_method")))
    for _ in range(5):
        await tested.pool.fees()
    await tested.pool.head()
    assert (names(tested, "fees"), names(tested, "head")) == ("abbbbb", "a")
    tested.clock.now += 601
    await tested.pool.fees()
    assert tested.sources[0].count("fees") == 2


async def test_a_method_that_the_only_node_does_not_know_at_the_moment_is_no_missing_source() -> None:
    tested = bench(Scripted().will("broadcast", error(Verdict.ELSEWHERE, "no_method")))
    for _ in range(2):
        with pytest.raises(NodeUnavailable):
            await tested.pool.broadcast("00", IDS)
    assert tested.total("broadcast") == 1
    assert Capability.BROADCAST in tested.pool.capabilities


async def test_nobody_is_asked_what_it_cannot_tell() -> None:
    able = frozenset({Capability.HEAD})
    tested = bench(Scripted(able=able), Scripted())
    await tested.pool.fees()
    assert names(tested, "fees") == "b"
    with pytest.raises(SourceMissing):
        await bench(Scripted(able=able)).pool.fees()
    assert bench(Scripted(able=able)).pool.capabilities == able


async def test_another_chain_is_out_until_the_process_restarts() -> None:
    alarms = metric("integrity_alarms_total", kind="foreign_chain")
    tested = bench(*three("pin", error(Verdict.LYING, "chain")))
    for _ in range(10):
        await tested.pool.head()
        tested.clock.now += 100
    assert names(tested, "pin") == "ab"
    assert names(tested, "head") == "b" * 10
    assert metric("integrity_alarms_total", kind="foreign_chain") == alarms + 1
    assert tested.pool.describe()[0].state == "out"


async def test_many_that_wait_for_the_pin_of_a_hung_source_do_not_wait_one_after_another() -> None:
    tested = bench(Scripted().will("pin", hang), Scripted())
    calls = [asyncio.create_task(tested.pool.head()) for _ in range(50)]
    for _ in range(5):
        await asyncio.sleep(0)
    tested.sources[0].will("pin", BROKEN)
    calls[0].cancel()  # the next one tries it, and fails for all
    assert await asyncio.gather(*calls[1:]) == [head(100)] * 49
    assert tested.sources[0].count("pin") == 2


async def test_whoever_hangs_is_broken_after_a_while() -> None:
    hung, well = Scripted().will("head", hang), Scripted()
    tested = bench(hung, well)
    for endpoint in tested.endpoints:
        endpoint._longest = dict.fromkeys(endpoint._longest, 0.05)
    for _ in range(7):
        assert await tested.pool.head() == head(100)
    assert (hung.count("head"), well.count("head")) == (5, 7)


async def test_a_call_that_is_cancelled_is_nobodys_fault() -> None:
    tested = bench(Scripted().will("head", hang))
    for _ in range(10):
        call = asyncio.create_task(tested.pool.head())
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    assert tested.open_circuits() == 0


@pytest.mark.parametrize("bug", [KeyError("x"), RecursionError(), ValueError("node text"), NotFound("ours")])
async def test_a_reader_that_stumbles_over_an_answer_is_a_broken_answer(bug: Exception) -> None:
    tested = bench(*(Scripted().will("head", bug) for _ in range(3)))
    with pytest.raises(NodeUnavailable) as caught:
        await tested.pool.head()
    assert caught.value.__cause__ is None
    assert "text" not in repr(caught.value)


async def test_of_two_alike_the_quicker_one_is_asked() -> None:
    tested = bench(Scripted(), Scripted(), priorities=[1, 1])

    async def slow() -> Any:
        tested.clock.now += 2
        return head(100)

    tested.sources[0].will("head", slow)
    for _ in range(5):
        await tested.pool.head()
    assert names(tested, "head") == "abbbb"


async def test_an_unknown_transaction_is_asked_for_at_one_other() -> None:
    unknown, found = Status(State.UNKNOWN), Status(State.PENDING)
    tested = bench(Scripted().will("status", unknown), Scripted().will("status", found), Scripted())
    assert (await tested.pool.status(TRACKED)).state is State.PENDING
    tested = bench(*(Scripted().will("status", unknown) for _ in range(3)))
    assert (await tested.pool.status(TRACKED)).state is State.UNKNOWN
    assert tested.total("status") == 2
    tested = bench(Scripted().will("status", unknown), Scripted().will("status", BROKEN))
    assert (await tested.pool.status(TRACKED)).state is State.UNKNOWN


async def test_bytes_that_nobody_knows_are_not_found() -> None:
    with pytest.raises(NotFound):
        await bench(*(Scripted().will("transaction", ELSEWHERE) for _ in range(2))).pool.transaction("id")
    with pytest.raises(NodeUnavailable):
        await bench(Scripted().will("transaction", ELSEWHERE), Scripted().will("transaction", BROKEN)).pool.transaction(
            "id"
        )
    assert await bench(Scripted()).pool.transaction("id") == b"bytes"


async def test_the_next_page_is_of_the_same_source() -> None:
    page = Page([], next="here:1")
    tested = bench(Scripted().will("history", BROKEN), Scripted().will("history", page), Scripted())
    first = await tested.pool.history(HOLDER, begin=None, most=10)
    assert (first.source, first.next) == ("b", "b:here:1")
    await tested.pool.history(HOLDER, begin=first.next, most=10)
    assert tested.sources[1].arguments[-1] == ("here:1",)
    assert names(tested, "history") == "abb"
    with pytest.raises(CursorStale):
        await tested.pool.history(HOLDER, begin="gone:1", most=10)


async def test_health_tells_of_each_source() -> None:
    tested = bench(
        Scripted().will("head", BROKEN), Scripted(), Scripted().will("head", BUSY), Scripted(), operators="xyzz"
    )
    assert [each.state for each in tested.pool.describe()] == ["unused"] * 4
    for _ in range(6):
        await tested.pool.head()
    tested.clock.now += 3
    a, b, c, d = tested.pool.describe()
    assert (a.name, a.operator, a.state, a.circuits["read"], a.cause) == ("a", "x", "open", "open", "said")
    assert (b.state, b.cause, b.seconds_since_success, b.lag) == ("ok", None, 3, 0)
    assert (c.state, d.operator) == ("unused", "z")


async def test_everything_is_closed() -> None:
    tested = bench(Scripted(), Scripted().will("broadcast", hang))
    await tested.pool.broadcast("00", IDS)
    await tested.pool.close()
    assert all(each.closed for each in tested.sources)
    assert tested.pool._telling == set()


class TestBroadcast:
    async def test_a_hundred_times_nonce_too_low_are_a_hundred_calls_and_no_open_circuit(self) -> None:
        tested = bench(
            *(Scripted().will("broadcast", NONCE_USED).will("status", Status(State.UNKNOWN)) for _ in range(3))
        )
        for _ in range(100):
            with pytest.raises(TransactionRejected) as caught:
                await tested.pool.broadcast("00", IDS)
            assert caught.value.reason == "nonce_used"
        assert tested.total("broadcast") == 100
        assert tested.open_circuits() == 0

    @pytest.mark.parametrize("state", [State.PENDING, State.CONFIRMED, State.FINAL, State.FAILED])
    async def test_what_is_refused_because_it_is_there_is_there(self, state: State) -> None:
        tested = bench(Scripted().will("broadcast", NONCE_USED).will("status", Status(state)))
        assert await tested.pool.broadcast("00", IDS) == Sent(IDS.tx_ids[0], known=True, source="a")

    @pytest.mark.parametrize("state", [State.UNKNOWN, State.REPLACED, State.EXPIRED, State.DROPPED])
    async def test_what_is_not_there_is_refused(self, state: State) -> None:
        tested = bench(Scripted().will("broadcast", NONCE_USED).will("status", Status(state)))
        with pytest.raises(TransactionRejected):
            await tested.pool.broadcast("00", IDS)

    async def test_a_refusal_counts_without_anyone_who_can_look_it_up(self) -> None:
        tested = bench(Scripted(able=frozenset({Capability.BROADCAST})).will("broadcast", NONCE_USED))
        with pytest.raises(TransactionRejected):
            await tested.pool.broadcast("00", IDS)

    @pytest.mark.parametrize("failure", [BROKEN, BUSY, error(Verdict.LYING), error(Verdict.OURS), ELSEWHERE])
    async def test_an_unknown_outcome_is_sent_to_the_next(self, failure: NodeError) -> None:
        tested = bench(*three("broadcast", failure))
        assert await tested.pool.broadcast("00", IDS) == Sent(IDS.tx_ids[0], source="b")
        assert {each.arguments[-1] for each in tested.sources[:2]} == {("00",)}

    @pytest.mark.parametrize("failure", [BROKEN, BUSY, ELSEWHERE, error(Verdict.LYING), KeyError("x")])
    async def test_after_bytes_have_left_there_is_no_error(self, failure: Exception) -> None:
        tested = bench(*(Scripted().will("broadcast", failure) for _ in range(4)))
        assert await tested.pool.broadcast("00", IDS) == Sent(IDS.tx_ids[0], certain=False)
        assert tested.total("broadcast") == 3

    async def test_a_refusal_after_an_unknown_outcome_may_be_its_consequence(self) -> None:
        tested = bench(
            Scripted().will("broadcast", BROKEN).will("status", BROKEN),
            Scripted().will("broadcast", NONCE_USED).will("status", Status(State.UNKNOWN)),
        )
        assert await tested.pool.broadcast("00", IDS) == Sent(IDS.tx_ids[0], certain=False)
        tested.sources[1].will("status", Status(State.PENDING))
        assert await tested.pool.broadcast("00", IDS) == Sent(IDS.tx_ids[0], known=True, source="b")

    async def test_a_refusal_counts_where_another_one_could_not_take_it(self) -> None:
        tested = bench(
            Scripted().will("broadcast", ELSEWHERE).will("status", Status(State.UNKNOWN)),
            Scripted().will("broadcast", NONCE_USED).will("status", Status(State.UNKNOWN)),
        )
        with pytest.raises(TransactionRejected):
            await tested.pool.broadcast("00", IDS)

    async def test_a_refusal_that_cannot_be_looked_up_is_unknown(self) -> None:
        tested = bench(Scripted().will("broadcast", NONCE_USED).will("status", BROKEN))
        assert await tested.pool.broadcast("00", IDS) == Sent(IDS.tx_ids[0], certain=False)

    @pytest.mark.parametrize(
        ("question", "failure"),
        [("broadcast", error(Verdict.BROKEN, "unreachable")), ("pin", BROKEN), ("pin", BUSY),
         ("broadcast", error(Verdict.BUSY, "own_limit"))],
    )  # fmt: skip
    async def test_where_no_byte_has_left_there_is_one(self, question: str, failure: NodeError) -> None:
        tested = bench(*(Scripted().will(question, failure) for _ in range(3)))
        with pytest.raises(NodeUnavailable):
            await tested.pool.broadcast("00", IDS)

    async def test_one_more_operator_is_told(self) -> None:
        tested = bench(Scripted(), Scripted(), Scripted().will("broadcast", BROKEN), Scripted(), operators="xxyz")
        assert (await tested.pool.broadcast("00", IDS)).source == "a"
        await asyncio.gather(*tested.pool._telling)
        assert [each.count("broadcast") for each in tested.sources] == [1, 0, 1, 0]
        await tested.pool.close()

    async def test_not_too_many_are_told_at_once(self) -> None:
        tested = bench(Scripted(), Scripted().will("broadcast", hang))
        for _ in range(50):
            assert (await tested.pool.broadcast("00", IDS)).certain
        assert len(tested.pool._telling) == 16
        await tested.pool.close()
        assert tested.pool._telling == set()


class TestHeads:
    async def test_a_source_that_is_behind_is_asked_last(self) -> None:
        tested = bench(Scripted().will("head", head(100)), Scripted().will("head", head(110)))
        tested.clock.now += 120
        tested.sources[0].will("head", error(Verdict.ELSEWHERE), head(100))
        assert (await tested.pool.head()).height == 110
        assert (await tested.pool.head()).height == 110
        assert names(tested, "head") == "aabb"
        assert [each.lag for each in tested.pool.describe()] == [10, 0]
        assert tested.pool.describe()[0].state == "behind"
        for _ in range(3):
            await tested.pool.head()
        assert names(tested, "head") == "aabbbbb"
        tested.clock.now += 31
        tested.sources[0].will("head", head(113))
        assert (await tested.pool.head()).height == 113

    async def test_an_answer_that_is_older_than_the_last_one_is_given_only_where_there_is_no_newer_one(self) -> None:
        tested = bench(Scripted().will("head", head(101), head(100)), Scripted().will("head", head(101), head(99)))
        assert (await tested.pool.head()).height == 101
        assert (await tested.pool.head()).height == 101
        assert (await tested.pool.head()).height == 100
        assert tested.open_circuits() == 0

    async def test_nobody_goes_ten_blocks_back(self) -> None:
        tested = bench(Scripted().will("head", head(110), head(100)))
        tested.clock.now += 120
        await tested.pool.head()
        with pytest.raises(NodeUnavailable):
            await tested.pool.head()
        tested.clock.now += 61
        assert (await tested.pool.head()).height == 100

    @pytest.mark.parametrize("leap", [17, 10**6])
    async def test_a_leap_is_a_lie(self, leap: int) -> None:
        tested = bench(Scripted().will("head", head(100), head(100 + leap, at=head(100).time)), Scripted())
        await tested.pool.head()
        assert (await tested.pool.head()).height == 100
        assert tested.pool.describe()[0].cause == "height"

    @pytest.mark.parametrize("leap", [1, 16])
    async def test_a_few_blocks_at_once_are_none(self, leap: int) -> None:
        tested = bench(Scripted().will("head", head(100), head(100 + leap, at=head(100).time)))
        await tested.pool.head()
        assert (await tested.pool.head()).height == 100 + leap

    async def test_what_time_explains_is_none(self) -> None:
        """A process that was asleep, or a node that catches up: the age of its last block says how far it may go."""
        tested = bench(Scripted().will("head", head(100), head(100 + 7200)))
        await tested.pool.head()
        tested.clock.now += 86400
        assert (await tested.pool.head()).height == 7300

    async def test_a_block_of_tomorrow_is_a_lie(self) -> None:
        tested = bench(Scripted().will("head", head(100 + 7200)), Scripted())
        assert (await tested.pool.head()).height == 100

    async def test_a_first_head_that_two_others_contradict_is_forgotten(self) -> None:
        """The one who claims a huge height first makes nobody else too old for long."""
        liar = Scripted().will("head", head(10**6, at=head(100).time))
        tested = bench(liar, Scripted(), Scripted())
        assert (await tested.pool.head()).height == 10**6
        liar.will("head", BROKEN)
        found = [await tested.pool.head() for _ in range(3)]
        assert [each.height for each in found[-2:]] == [100, 100]
        liar.will("head", head(10**6, at=head(100).time))
        tested.clock.now += 40
        assert (await tested.pool.head()).height == 100
        assert tested.pool.describe()[0].cause == "height"

    async def test_a_small_lie_of_one_that_is_gone_is_forgotten(self) -> None:
        """Sixteen blocks too many are possible, and three hours ahead of the others on Bitcoin."""
        bitcoin = replace(ETHEREUM, name="bitcoin", chain="bitcoin", chain_id=None)
        tested = bench(Scripted().will("head", head(100), head(116), BROKEN), Scripted(), network=bitcoin)
        assert [(await tested.pool.head()).height for _ in range(2)] == [100, 116]
        with pytest.raises(NodeUnavailable):
            await tested.pool.head()
        tested.clock.now += 1201
        assert (await tested.pool.head()).height == 100

    async def test_times_of_bitcoin_come_in_any_order(self) -> None:
        bitcoin = replace(ETHEREUM, name="bitcoin", chain="bitcoin", chain_id=None)
        early = head(110, at=head(90).time)
        tested = bench(Scripted().will("head", ELSEWHERE, head(100)), Scripted().will("head", early), network=bitcoin)
        assert [(await tested.pool.head()).height for _ in range(2)] == [110, 110]
        assert tested.pool.describe()[0].state == "behind"

    async def test_networks_for_testing_do_as_they_please(self) -> None:
        tested = bench(
            Scripted().will("head", head(100), head(10**6, at=head(100).time), head(50)), network=for_testing()
        )
        assert [(await tested.pool.head()).height for _ in range(3)] == [100, 10**6, 50]

    async def test_balances_tell_of_a_head_too(self) -> None:
        tested = bench(
            Scripted().will("balances", balances(7, 101), balances(7, 100)),
            Scripted().will("balances", balances(8, 101)),
        )
        assert [(await tested.pool.balances([HOLDER], [COIN])).at.height for _ in range(2)] == [101, 101]

    async def test_balances_may_be_of_an_earlier_block_than_the_head(self) -> None:
        """Where they are of the last final block; that makes nobody late."""
        tested = bench(Scripted().will("head", head(119)).will("balances", balances(7, 100)))
        tested.clock.now += 12 * 19
        for _ in range(2):
            assert (await tested.pool.head()).height == 119
            assert (await tested.pool.balances([HOLDER], [COIN])).at.height == 100
        assert tested.pool.describe()[0].state == "ok"


OUTCOMES = (
    *(error(verdict, cause) for verdict in Verdict for cause in ("said", "no_method", "credential", "unreachable")),
    error(Verdict.BUSY, retry_after=7), NONCE_USED, KeyError("x"), TimeoutError(), OSError(), RecursionError(),
)  # fmt: skip
ERRORS = (NodeUnavailable, NodesDisagree, NotFound, SourceMissing, TransactionRejected)
USUAL = {
    "head": head(100), "balances": balances(7), "status": Status(State.PENDING), "transaction": b"bytes",
    "broadcast": Sent(IDS.tx_ids[0]), "pin": None,
}  # fmt: skip
CALLS: dict[str, Callable[[Pool], Awaitable[object]]] = {
    "head": lambda pool: pool.head(),
    "balances": lambda pool: pool.balances([HOLDER], [COIN]),
    "status": lambda pool: pool.status(TRACKED),
    "transaction": lambda pool: pool.transaction("id"),
    "broadcast": lambda pool: pool.broadcast("00", IDS),
    "agreed": lambda pool: pool.agreed(Capability.STATUS, lambda source: source.status(TRACKED)),
}


def whims(chance: random.Random, question: str) -> list[object]:
    """That it serves another chain is left out: it would be out for good."""
    fitting = [each for each in OUTCOMES if question != "pin" or getattr(each, "verdict", None) is not Verdict.LYING]
    return [chance.choice(fitting) if chance.random() < 0.6 else USUAL[question] for _ in range(50)]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_sources_do_callers_see_answers_and_errors_of_ours(seed: int) -> None:
    """And when all of them are well again, so is the pool."""
    chance = random.Random(seed)
    tested = bench(*(Scripted() for _ in range(4)), operators="wxyz")
    for source, question in itertools.product(tested.sources, USUAL):
        source.will(question, *whims(chance, question))
    for _ in range(300):
        question = chance.choice(list(CALLS))
        before = tested.total(question)
        with suppress(*ERRORS):
            await CALLS[question](tested.pool)
        assert tested.total(question) - before <= 3
        tested.clock.now += chance.random() * 3
    for source, question in itertools.product(tested.sources, USUAL):
        source.will(question, USUAL[question])
    tested.clock.now += 4000
    for call in list(CALLS.values()) * 2:
        await call(tested.pool)
    await tested.pool.close()


async def test_verdicts_are_counted_by_source() -> None:
    def count(source: str, verdict: str) -> float:
        return metric("rpc_calls_total", network="ethereum", source=source, question="fees", verdict=verdict)

    before = count("a", "busy"), count("b", "ok")
    await bench(*three("fees", BUSY)).pool.fees()
    assert (count("a", "busy"), count("b", "ok")) == (before[0] + 1, before[1] + 1)


def test_an_endpoint_without_operator_is_its_own() -> None:
    assert Endpoint(ETHEREUM, Scripted(), name="a").operator == "a"
