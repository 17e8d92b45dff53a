"""History of one script: what a transaction adds to it or takes from it, as one entry."""

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
    """``received``, ``spent``: satoshis of outputs of the holder's script; ``alone``: no output is another's.

    The amount is what the balance changes by: the fee is part of it where the holder pays it. ``fee``: where the first
    input is the holder's, so that of several holders one alone shows it.
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
    """Pages are in descending order of it: what is in no block (height 0 or below) comes first."""
    return (height <= 0, max(height, 0), tx_id)


def mark(of: Rank) -> str:
    """Where the next page begins: after that row."""
    pending, height, tx_id = of
    return f"{'pending' if pending else height}:{tx_id}"


def unmark(begin: str) -> Rank:
    height, _, tx_id = begin.partition(":")
    try:
        return rank(0 if height == "pending" else int(height), tx_id)
    except ValueError:
        raise NodeError(Verdict.OURS, "bad_cursor") from None
