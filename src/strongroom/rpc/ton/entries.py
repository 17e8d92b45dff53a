"""History of one account: what each transaction brought and took, one entry per message.

Amounts in, minus amounts out, minus fees, give the balance. So money that came and bounced makes two entries, both with
a note. An aborted transaction does not mean that its money went back. An account without code keeps what it is sent
without the bounce flag.

The id of a transaction that an external message began is the one in `Signed.tx_id`, the normalised hash of that message
(TEP-467). Other transactions have their own hash as the id. The same message may begin several transactions, which the
logical time in ``index`` tells apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from strongroom.domain.asset import Asset
from strongroom.rpc.base import Block, Direction, Entry, EntryKind, Holder, Setup, State
from strongroom.rpc.ton import outcome, values
from strongroom.rpc.ton.outcome import Outcome
from strongroom.rpc.ton.rows import JettonTransfer, Message, Transaction

_COMMENTS: Final = (None, 0, 0x2167DA4B)
"""No body, a text, an encrypted text."""
_ZERO: Final = "zero_value"
_BOUNCED: Final = "bounced"


def block(row: Transaction) -> Block | None:
    """The masterchain block. Rows do not contain its hash."""
    return None if row.mc_block_seqno is None else Block(_height(row), "", values.time(row.now))


def of_transaction(setup: Setup, holder: Holder, row: Transaction, finalized: int) -> list[Entry]:
    state = outcome.state(row, finalized)
    bounced = any(each.bounced for each in row.out_msgs)
    made = [
        _entry(setup, holder, row, f"{row.lt}:out:{place}", Direction.OUT, each, state)
        for place, each in enumerate(row.internal_out)
    ]
    if row.in_msg is not None and not row.is_external:
        came = _entry(setup, holder, row, f"{row.lt}:in", Direction.IN, row.in_msg, state)
        made.insert(0, replace(came, note=_BOUNCED) if bounced else came)
    elif outcome.of(row) is not Outcome.DONE:
        made.append(replace(_nothing(setup, holder, row), status=State.FAILED))
    elif not made:
        made.append(replace(_nothing(setup, holder, row), status=state))
    if fee := values.bounded(row.fee, values.MOST_COINS):
        made[0] = replace(made[0], fee=fee)
    return made


def of_jetton(
    setup: Setup, holder: Holder, row: JettonTransfer, asset: Asset, began: Transaction, state: State
) -> Entry:
    """The entry of a jetton transfer. ``began``: the transaction of the sender's jetton wallet. ``state``: that of the
    transfer up to the recipient's wallet.
    """
    source, destination = values.canonical(row.source), values.canonical(row.destination)
    direction = Direction.OUT if source == holder.canonical else Direction.IN
    amount = values.number(row.amount, values.MOST_TOKENS)
    return Entry(
        tx_id=values.hash32(row.transaction_hash),
        index=f"{row.transaction_lt}:jetton",
        address=holder.address,
        asset=asset,
        direction=Direction.SELF if source == destination else direction,
        amount=0 if state is State.FAILED else amount,
        status=state,
        counterparty=values.shown(setup.network, destination if direction is Direction.OUT else source),
        block=block(began),
        position=row.logical,
        note="unlisted" if not asset.listed else None if amount else _ZERO,
    )


def rank(entry: Entry) -> tuple[bool, int, int, str, str]:
    """The order of pages, descending."""
    return (entry.block is None, entry.block.height if entry.block else 0, entry.position, entry.tx_id, entry.index)


def _entry(
    setup: Setup, holder: Holder, row: Transaction, index: str, direction: Direction, message: Message, state: State
) -> Entry:
    other = message.source if direction is Direction.IN else message.destination
    address = None if other is None else values.canonical(other)
    amount = values.coins(message.value)
    return replace(
        _nothing(setup, holder, row),
        index=index,
        direction=Direction.SELF if address == holder.canonical and direction is Direction.OUT else direction,
        amount=amount,
        status=state,
        kind=EntryKind.TRANSFER if message.bounced or _is_plain(message) else EntryKind.CONTRACT,
        counterparty=None if address is None else values.shown(setup.network, address),
        note=_BOUNCED if message.bounced else None if amount else _ZERO,
    )


def _is_plain(message: Message) -> bool:
    return outcome.opcode(message) in _COMMENTS


def _nothing(setup: Setup, holder: Holder, row: Transaction) -> Entry:
    """An entry for a transaction that moved nothing and cost a fee."""
    return Entry(
        tx_id=tx_id(row),
        index=f"{row.lt}:fee",
        address=holder.address,
        asset=setup.coin,
        direction=Direction.OUT,
        amount=0,
        status=State.PENDING,
        kind=EntryKind.CONTRACT,
        block=block(row),
        position=row.logical,
    )


def tx_id(row: Transaction) -> str:
    if row.in_msg is not None and row.is_external:
        return values.hash32(row.in_msg.hash_norm or row.in_msg.hash)
    return values.hash32(row.hash)


def _height(row: Transaction) -> int:
    return values.bounded(row.mc_block_seqno or 0, values.MOST_HEIGHT)
