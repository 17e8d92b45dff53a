"""What several operators say alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from strongroom.errors import NodesDisagree, NodeUnavailable, SourceMissing
from strongroom.rpc.base import Balances, Block, Capability, FeeQuality, Fees, Source, State, Status, Verdict
from strongroom.rpc.quorum import agreement
from tests.unit.rpc.scripted import COIN, HOLDER, TRACKED, Bench, Scripted, balances, bench, error, hang, head
from tests.unit.rpc.test_pool import metric

BLOCK = Block(100, "0x1", datetime(2026, 1, 1, tzinfo=UTC))
UNKNOWN = Status(State.UNKNOWN)
CONFIRMED = Status(State.CONFIRMED, BLOCK, confirmations=3)
FINAL = Status(State.FINAL, BLOCK, confirmations=70, final=True)
EXPIRED = Status(State.EXPIRED, final=True)
ELSEWHERE = Status(State.CONFIRMED, replace(BLOCK, hash="0x2"))


def votes(*answers: Any) -> dict[str, Any]:
    return {str(at): answer for at, answer in enumerate(answers)}


@pytest.mark.parametrize(
    ("answers", "agreed"),
    [
        ([FINAL, FINAL], FINAL),
        ([CONFIRMED, FINAL], CONFIRMED),
        ([FINAL, CONFIRMED, FINAL], CONFIRMED),
        ([CONFIRMED, ELSEWHERE], None),
        ([CONFIRMED, ELSEWHERE, FINAL], CONFIRMED),
        ([FINAL, Status(State.FAILED, BLOCK, final=True)], None),
        ([UNKNOWN, UNKNOWN], UNKNOWN),
        ([UNKNOWN, FINAL], None),
        ([UNKNOWN, UNKNOWN, FINAL], None),
        ([UNKNOWN, FINAL, FINAL], FINAL),
        ([Status(State.REPLACED, replaced_by="x"), Status(State.REPLACED)], Status(State.REPLACED, replaced_by="x")),
        ([EXPIRED, EXPIRED], EXPIRED),
        ([EXPIRED, UNKNOWN, EXPIRED], EXPIRED),
        ([EXPIRED, EXPIRED, Status(State.PENDING)], None),
        ([Status(State.REPLACED), CONFIRMED, Status(State.REPLACED)], None),
        ([balances(7), balances(8)], None),
        ([balances(7), balances(8), balances(7)], balances(7)),
        ([balances(7, 101), balances(7, 100)], balances(7, 100)),
        ([balances(0), Balances(head(100), [])], balances(0)),
        ([balances(7), balances(7, unreadable=("x",))], None),
        ([head(100), head(100)], head(100)),
        ([head(100), head(100, block="0x2")], None),
        ([b"1", b"1"], b"1"),
        ([b"1", b"2"], None),
    ],
)
def test_agreement_of_two(answers: list[Any], agreed: Any) -> None:
    assert agreement(votes(*answers), 2) == agreed


def test_fees_are_nobodys_vote() -> None:
    with pytest.raises(TypeError):
        agreement(votes(Fees(1, 2, 3, "wei", FeeQuality.ESTIMATE)), 1)


async def agreed(tested: Bench) -> Balances:
    async def ask(source: Source) -> Balances:
        return await source.balances([HOLDER], [COIN])

    return await tested.pool.agreed(Capability.BALANCES, ask)


def telling(*replies: Any) -> list[Scripted]:
    return [Scripted().will("balances", each) for each in replies]


async def test_two_operators_are_asked_and_no_more() -> None:
    tested = bench(*telling(balances(7), balances(7), balances(7)))
    found = await agreed(tested)
    assert (found.found[0].confirmed, found.verified) == (7, 2)
    assert tested.total("balances") == 2


async def test_two_sources_of_one_operator_are_one_vote() -> None:
    tested = bench(*telling(balances(8), balances(8), balances(8)), operators="xxy")
    await agreed(tested)
    assert [each.count("balances") for each in tested.sources] == [1, 0, 1]
    found = await agreed(bench(*telling(balances(8), balances(8)), operators="xx"))
    assert found.verified == 1


async def test_a_third_decides() -> None:
    tested = bench(*telling(balances(10**9), balances(7), balances(7), balances(7)))
    assert (await agreed(tested)).found[0].confirmed == 7
    assert tested.total("balances") == 3


@pytest.mark.parametrize("replies", [[balances(7), balances(8)], [balances(7), balances(8), balances(9), balances(7)]])
async def test_without_a_majority_there_is_no_answer(replies: list[Balances]) -> None:
    before = metric("rpc_disagreements_total", network="ethereum", question="balances")
    with pytest.raises(NodesDisagree):
        await agreed(bench(*telling(*replies)))
    assert metric("rpc_disagreements_total", network="ethereum", question="balances") == before + 1


async def test_one_who_fails_has_no_vote() -> None:
    broken = error(Verdict.BROKEN)
    assert (await agreed(bench(*telling(balances(7), broken, balances(7))))).verified == 2
    assert (await agreed(bench(*telling(broken, balances(7), balances(7)), operators="xxy"))).verified == 2
    with pytest.raises(NodeUnavailable):
        await agreed(bench(*telling(balances(7), broken)))


async def test_one_who_serves_another_chain_leaves_the_other_one_alone() -> None:
    """One vote does not decide about money where two operators were configured."""
    tested = bench(*telling(balances(7), balances(7)))
    tested.sources[0].will("pin", error(Verdict.LYING))
    for _ in range(2):
        with pytest.raises(NodeUnavailable):
            await agreed(tested)


async def test_one_who_does_not_know_the_method_does_not_leave_the_other_one_alone_either() -> None:
    tested = bench(*telling(balances(7), error(Verdict.ELSEWHERE, "no_method")))
    for _ in range(3):
        with pytest.raises(NodeUnavailable):
            await agreed(tested)


async def test_nobody_can_tell() -> None:
    with pytest.raises(SourceMissing):
        await agreed(bench(Scripted(able=frozenset({Capability.HEAD}))))


async def test_status_is_agreed_on() -> None:
    tested = bench(
        Scripted().will("status", UNKNOWN), Scripted().will("status", FINAL), Scripted().will("status", CONFIRMED)
    )
    found = await tested.pool.agreed(Capability.STATUS, lambda source: source.status(TRACKED))
    assert (found.state, found.source) == (State.CONFIRMED, "c")


async def test_both_are_asked_at_once() -> None:
    tested = bench(*telling(hang, hang))
    call = asyncio.create_task(agreed(tested))
    for _ in range(20):
        await asyncio.sleep(0)
    assert tested.total("balances") == 2
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
