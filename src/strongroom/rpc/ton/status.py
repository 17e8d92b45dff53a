"""The state of a message that was sent to a wallet, or of a transaction by its own hash.

A message can fail and still pay later. A wallet of v3 or v4 that could not send (mode 1) rolls back its count, so the
same bytes are good until `valid_until`. A message can also succeed without paying. With mode 2, what could not be sent
is skipped, and what was sent to an account without code may come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from strongroom.domain.signing import Consumed, SignedIds
from strongroom.rpc.base import Head, NodeError, State, Status, Tracked, Verdict
from strongroom.rpc.ton import entries, outcome, values
from strongroom.rpc.ton.history import arrival, passed_on
from strongroom.rpc.ton.index import Index
from strongroom.rpc.ton.outcome import Outcome
from strongroom.rpc.ton.rows import Message, Transaction, Wallet

_FOR_EVER: Final = datetime.fromtimestamp(2**32 - 1, UTC)
_NEW: Final = ("uninit", "nonexist")
_HEX: Final = frozenset("0123456789abcdef")


async def status(index: Index, tracked: Tracked) -> Status:
    if len(tracked.tx_id) != 64 or not _HEX.issuperset(tracked.tx_id):
        raise NodeError(Verdict.OURS, "bad_request")
    found = await index.receiving(tracked.tx_id)
    if not found and tracked.ids is None:
        found = list((await index.by_hash([tracked.tx_id])).values())
    if not found and tracked.ids is not None and tracked.ids.consumes:
        return await _absent(index, tracked.tx_id, tracked.ids)
    return await _included(index, found, tracked.ids) if found else Status(State.UNKNOWN)


async def _included(index: Index, found: Sequence[Transaction], ids: SignedIds | None) -> Status:
    """``found``: all transactions that the message began. At most the last one used it up."""
    if ids is not None and any(values.canonical(row.account).hex() != ids.consumes[0].address for row in found):
        raise NodeError(Verdict.LYING, "wrong_transaction")
    row = max(found, key=lambda each: (_worked(each), each.logical))
    head = await index.head()
    placed = outcome.state(row, head.finalized)
    if placed is State.PENDING:
        return Status(State.PENDING)
    block = entries.block(row)
    confirmations = max(1, head.height - block.height + 1) if block else 0
    final = placed is State.FINAL
    fee = values.bounded(row.fee, values.MOST_COINS)
    told = Status(placed, block, confirmations, final, fee)
    if not row.is_external:
        return replace(told, state=State.FAILED) if any(each.bounced for each in row.out_msgs) else told
    if not _worked(row):
        open_until = await _open_until(index, head, ids)
        return replace(told, state=State.FAILED, final=final and open_until is None, may_still_execute_until=open_until)
    if outcome.of(row) is Outcome.SKIPPED:
        return replace(told, state=State.FAILED)
    return await _delivered(index, head, row, told)


def _worked(row: Transaction) -> bool:
    return outcome.of(row) is not Outcome.FAILED


async def _delivered(index: Index, head: Head, row: Transaction, told: Status) -> Status:
    """The state, depending on what the recipients did.

    What was sent with the bounce flag may come back. Jettons may come back a step later, whatever the flag. The state
    is final once everything has arrived, or has failed in rows that are all final.
    """
    sent = {values.hash32(each.hash): each for each in row.internal_out if each.bounce or _moves_jettons(each)}
    received = await index.received(list(sent)) if sent else {}
    moves = [arrived for name, arrived in received.items() if _moves_jettons(sent[name])]
    further = await index.received([each for move in moves for each in passed_on(move)]) if moves else {}
    states = {arrival(move, further, head.finalized) for move in moves}
    if State.FAILED in states or any(each.bounced for arrived in received.values() for each in arrived.out_msgs):
        rows = (*received.values(), *further.values())
        settled = all(outcome.state(each, head.finalized) is State.FINAL for each in rows)
        return replace(told, state=State.FAILED, final=told.final and settled)
    whole = len(received) == len(sent) and states <= {State.FINAL}
    return told if whole else replace(told, state=State.CONFIRMED, final=False)


def _moves_jettons(message: Message) -> bool:
    return outcome.opcode(message) == outcome.JETTON_TRANSFER


async def _open_until(index: Index, head: Head, ids: SignedIds | None) -> datetime | None:
    """Until when the bytes of a failed message are good, or None if they no longer are."""
    if ids is None:
        return _FOR_EVER  # unknown
    spent = ids.consumes[0]
    stored = seqno_of(await index.wallet(bytes.fromhex(spent.address)))
    ours = _number(spent)
    if (ours is not None and stored is not None and stored > ours) or await _too_late(index, head, ids):
        return None
    return ids.expiry or _FOR_EVER


async def _absent(index: Index, tx_id: str, ids: SignedIds) -> Status:
    """The state of a message that was not found.

    The account is read first and then the message again, because whatever used up the number by then would be found
    now.
    """
    spent = ids.consumes[0]
    address = bytes.fromhex(spent.address)
    head = await index.head()
    wallet = await index.wallet(address)
    late = await _too_late(index, head, ids)
    ours, stored = _number(spent), seqno_of(wallet)
    replaced = ours is not None and stored is not None and stored > ours
    if not (late or replaced) or not await _covers(index, address, wallet):
        return Status(State.UNKNOWN)
    if found := await index.receiving(tx_id):
        return await _included(index, found, ids)
    return Status(State.REPLACED if replaced else State.EXPIRED, final=True)


async def _covers(index: Index, address: bytes, wallet: Wallet | None) -> bool:
    """Whether the list of transactions reaches as far as the account that was read. An index stores the two
    separately.
    """
    if wallet is None or wallet.last_transaction_lt is None:
        return True
    newest = await index.of_account(address, None, 1)
    return bool(newest) and newest[0].logical >= values.number(wallet.last_transaction_lt, values.MOST_LT)


async def _too_late(index: Index, head: Head, ids: SignedIds) -> bool:
    """Whether it has expired by the clock of the wallet's shard, which may be behind the masterchain."""
    if ids.expiry is None or head.time <= ids.expiry:
        return False
    if ids.consumes[0].address.startswith("ff"):
        return True
    return await index.shards_time(head.finalized, 0) > ids.expiry.timestamp()


def seqno_of(wallet: Wallet | None) -> int | None:
    """The number that the wallet waits for, or None if the index does not know this kind of wallet."""
    if wallet is None or wallet.status in _NEW:
        return 0
    return wallet.seqno


def _number(spent: Consumed) -> int | None:
    """None for a highload wallet, which counts differently."""
    return int(spent.sequence) if spent.sequence.isdigit() else None
