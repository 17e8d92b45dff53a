"""The history of one script: what a transaction adds to it or takes from it, as one entry."""

from __future__ import annotations

from typing import Final

from strongroom.domain.asset import Asset
from strongroom.rpc.base import Direction, Entry, EntryKind, Holder, NodeError, Status, Verdict

Rank = tuple[bool, int, str]

_INDEX: Final = "net"


def entry(
    holder: Holder,
    coin: Asset,
    tx_id: str,
    status: Status,
    *,
    received: int,
    spent: int,
    alone: bool,
    fee: int | None,
    reward: bool,
    counterparty: str | None = None,
) -> Entry:
    """The entry of one transaction. ``received``, ``spent``: satoshis in outputs of the holder's script. ``alone``:
    whether all outputs are the holder's.

    The amount is the change of the balance, so it includes the fee if the holder pays it. ``fee`` is given only for the
    holder of the first input, so that of several holders only one shows it.
    """
    net = received - spent
    direction = Direction.SELF if spent and alone else Direction.IN if net >= 0 else Direction.OUT
    return Entry(
        tx_id=tx_id,
        index=_INDEX,
        address=holder.address,
        asset=coin,
        direction=direction,
        amount=abs(net),
        status=status.state,
        kind=EntryKind.REWARD if reward else EntryKind.TRANSFER,
        counterparty=counterparty,
        fee=fee,
        block=status.block,
    )


def rank(height: int, tx_id: str) -> Rank:
    """The order of pages, descending. Rows without a block (height 0 or below) come first."""
    return (height <= 0, max(height, 0), tx_id)


def mark(of: Rank) -> str:
    """The cursor of a page that begins after this row."""
    pending, height, tx_id = of
    return f"{'pending' if pending else height}:{tx_id}"


def unmark(begin: str) -> Rank:
    height, _, tx_id = begin.partition(":")
    try:
        return rank(0 if height == "pending" else int(height), tx_id)
    except ValueError:
        raise NodeError(Verdict.OURS, "bad_cursor") from None
