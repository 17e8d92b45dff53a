"""The walk over an account gives the result of BIP-44 with any steps, budgets and key windows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.chains.evm.schemes import BIP44, LEDGER_LIVE
from strongroom.chains.solana.schemes import PHANTOM
from strongroom.domain.discovery import (
    AT_ONCE,
    Discovery,
    DiscoveryState,
    StopReason,
    keys_of,
    resumed,
    walked,
    window,
)
from strongroom.domain.scheme import MAX_INDEX, Position, Scheme
from tests.support import rows

ASKER: Final = UUID(int=9)
SIZES: Final = {"bip44": 0, "ledger-live": 33, "phantom": 32}


def key_of(at: Position, size: int) -> bytes:
    return at.index.to_bytes(size, "big")


def supplied(row: Discovery, scheme: Scheme, most: int) -> Discovery:
    """With the keys that a request derives."""
    size = SIZES[scheme.name]
    count = min(most, row.budget) if size else 0
    return replace(row, keys=b"".join(key_of(Position(0, 0, row.index + n), size) for n in range(count)))


def plain(used: set[tuple[int, int]], gap: int, branches: int) -> tuple[set[tuple[int, int]], int]:
    """What BIP-44 finds, and how many addresses it looks at."""
    found, looked = set(), 0
    for change in range(branches):
        index = unused = 0
        while unused < gap:
            looked += 1
            if (change, index) in used:
                found.add((change, index))
                unused = 0
            else:
                unused += 1
            index += 1
    return found, looked


places = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 160)), max_size=25)


@settings(deadline=None)
@given(
    used=places,
    gap=st.integers(1, 100),
    scheme=st.sampled_from([BIP44, LEDGER_LIVE, PHANTOM]),
    budgets=st.lists(st.integers(1, 130), min_size=1, max_size=4),
    answers=st.lists(st.integers(1, AT_ONCE), min_size=1, max_size=6),
)
def test_finds_what_bip_44_finds(
    used: set[tuple[int, int]], gap: int, scheme: Scheme, budgets: list[int], answers: list[int]
) -> None:
    row = supplied(rows.discovery(scheme=scheme.name, gap=gap, budget=budgets[0]), scheme, 100)
    found: list[tuple[int, int]] = []
    looked = 0
    for step in range(10_000):
        before = row
        next_ = window(row, scheme)
        assert 0 < len(next_) <= min(AT_ONCE, row.budget)
        if SIZES[scheme.name]:
            size = SIZES[scheme.name]
            assert keys_of(row, scheme, len(next_)) == [key_of(at, size) for at in next_]
        asked = next_[: answers[step % len(answers)]]
        told = [(at.change, at.index) in used for at in asked]
        found += [(at.change, at.index) for at, is_used in zip(asked, told, strict=True) if is_used]
        looked += len(asked)
        row = walked(row, scheme, told)
        assert row.epoch == before.epoch + 1
        if row.state is DiscoveryState.DONE:
            break
        if row.state is DiscoveryState.STOPPED:
            assert row.reason == (StopReason.KEYS if row.budget else StopReason.BUDGET)
            row = resumed(row, gap=gap, budget=budgets[step % len(budgets)], operation_id=ASKER)
            row = supplied(row, scheme, 100)
    branches = 1 if SIZES[scheme.name] else 2
    expected, most = plain(used, gap, branches)
    assert len(found) == len(set(found))
    assert (set(found), looked) == (expected, most)
    assert (row.checked, row.used, row.keys) == (most, len(expected), b"")


def test_one_that_had_come_to_its_end_or_had_another_gap_begins_anew() -> None:
    row = rows.discovery(change=1, index=7, unused=3, checked=40, used=2, epoch=5, state=DiscoveryState.STOPPED)
    on = resumed(row, gap=row.gap, budget=9, operation_id=ASKER)
    assert (on.change, on.index, on.unused, on.checked, on.used) == (1, 7, 3, 40, 2)
    assert (on.state, on.reason, on.budget, on.epoch, on.operation_id) == (DiscoveryState.RUNNING, None, 9, 6, ASKER)
    for other, gap in ((row, row.gap + 1), (replace(row, state=DiscoveryState.DONE), row.gap)):
        anew = resumed(other, gap=gap, budget=9, operation_id=ASKER)
        assert (anew.change, anew.index, anew.unused, anew.checked, anew.used, anew.gap) == (0, 0, 0, 0, 0, gap)


def test_a_branch_ends_with_the_last_index() -> None:
    row = rows.discovery(index=MAX_INDEX - 1)
    assert [at.index for at in window(row, BIP44)] == [MAX_INDEX - 1, MAX_INDEX]
    row = walked(row, BIP44, [True, True])
    assert (row.state, row.change, row.index) == (DiscoveryState.RUNNING, 1, 0)
