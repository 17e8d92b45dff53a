"""A page of history: an account's own transactions and its jetton transfers, as far down as both lists reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from strongroom.domain.asset import Asset
from strongroom.rpc.base import Entry, Holder, NodeError, Page, Setup, State, Verdict
from strongroom.rpc.ton import entries, outcome, values
from strongroom.rpc.ton.index import Index
from strongroom.rpc.ton.jettons import Jettons
from strongroom.rpc.ton.outcome import Outcome
from strongroom.rpc.ton.rows import JettonTransfer, JettonTransfers, Transaction

_LEAST: Final = 10
_MOST: Final = 100


async def page(setup: Setup, index: Index, jettons: Jettons, holder: Holder, begin: str | None, most: int) -> Page:
    """``begin``: the highest logical time of the page. The last row of a list that was cut belongs to the next page."""
    end = None if begin is None else _end(begin)
    size = min(max(most, _LEAST), _MOST) + 1
    head = await index.head()
    own = await index.of_account(holder.canonical, end, size)
    moved = await index.transfers(holder.canonical, end, size)
    lists: Sequence[Sequence[Transaction | JettonTransfer]] = (own, moved.jetton_transfers)
    floor = max((each[-1].logical for each in lists if len(each) >= size), default=-1)
    made: list[Entry] = []
    for row in own:
        if row.logical > floor:
            made += entries.of_transaction(setup, holder, row, head.finalized)
    kept = [row for row in moved.jetton_transfers if row.logical > floor]
    made += await _jettons(setup, index, jettons, holder, JettonTransfers(kept, moved.metadata), head.finalized)
    if not made and floor >= 0:
        raise NodeError(Verdict.ELSEWHERE, "history_too_large")
    made.sort(key=entries.rank, reverse=True)
    return Page(made, None if floor < 0 else str(floor), ("pending",), indexed=head.height)


def _end(begin: str) -> int:
    if not begin.isascii() or not begin.isdigit() or len(begin) > 19 or int(begin) > values.MOST_LT:
        raise NodeError(Verdict.OURS, "bad_cursor")
    return int(begin)


async def _jettons(
    setup: Setup, index: Index, jettons: Jettons, holder: Holder, moved: JettonTransfers, finalized: int
) -> list[Entry]:
    """The jetton entries.

    The list only tells what the sender's jetton wallet was told to do. What became of it is in that transaction and in
    the one of the recipient's wallet. A transfer that the recipient's wallet refused is in the list like any other.
    """
    if not moved.jetton_transfers:
        return []
    began = await index.by_hash(sorted({values.hash32(row.transaction_hash) for row in moved.jetton_transfers}))
    received = await index.received(sorted({each for row in began.values() for each in passed_on(row)}))
    made = []
    for row in moved.jetton_transfers:
        first = began.get(values.hash32(row.transaction_hash))
        if first is None:
            raise NodeError(Verdict.ELSEWHERE, "incomplete")
        state = State.FAILED if row.transaction_aborted else arrival(first, received, finalized)
        asset: Asset = jettons.asset(values.canonical(row.jetton_master), moved.metadata)
        made.append(entries.of_jetton(setup, holder, row, asset, first, state))
    return made


def passed_on(row: Transaction) -> list[str]:
    """Hashes of the messages from one jetton wallet to another."""
    return [values.hash32(each.hash) for each in row.out_msgs if outcome.opcode(each) == outcome.JETTON_INTERNAL]


def arrival(row: Transaction, received: dict[str, Transaction], finalized: int) -> State:
    """The state of jettons that were to leave the sender's jetton wallet. ``received``: by hash of the message.

    If a wallet could not send something else, such as left-over money, that does not matter.
    """
    here = [received.get(each) for each in passed_on(row)]
    if outcome.of(row) is Outcome.FAILED or (outcome.of(row) is Outcome.SKIPPED and not here):
        return State.FAILED
    if any(each is not None and outcome.of(each) is Outcome.FAILED for each in here):
        return State.FAILED
    states = {outcome.state(each, finalized) for each in here if each is not None}
    return State.FINAL if states == {State.FINAL} and None not in here else State.CONFIRMED
