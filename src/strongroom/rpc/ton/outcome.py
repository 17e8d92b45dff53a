"""What became of a transaction. That a message is on the chain does not mean that anything was paid."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from strongroom.rpc.base import State
from strongroom.rpc.ton.rows import Message, Transaction

JETTON_TRANSFER: Final = 0x0F8A7EA5
"""Owner to its jetton wallet."""
JETTON_INTERNAL: Final = 0x178D4519
"""One jetton wallet to another, or from the master."""

_FINALIZED: Final = (None, "finalized")
"""An index of before there were other kinds does not say."""


class Outcome(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    """Mode 2 of a message: where it cannot be sent, it is left out, and its number is used up all the same."""
    FAILED = "failed"
    """Rolled back. A wallet that counts only in the end (v3, v4) takes the same bytes again."""


def of(row: Transaction) -> Outcome:
    """Of a transaction that a message from outside, or a call, began."""
    compute, action = row.description.compute_ph, row.description.action
    if row.description.aborted or compute is None or not compute.success:
        return Outcome.FAILED
    if action is None:
        return Outcome.DONE
    if not action.success:
        return Outcome.FAILED
    return Outcome.SKIPPED if action.skipped_actions else Outcome.DONE


def state(row: Transaction, finalized: int) -> State:
    """How firmly it is on the chain, whatever came of it. ``finalized``: of the head."""
    if row.emulated or row.mc_block_seqno is None or row.finality == "pending":
        return State.PENDING
    final = row.finality in _FINALIZED and row.mc_block_seqno <= finalized
    return State.FINAL if final else State.CONFIRMED


def opcode(message: Message) -> int | None:
    """The first 32 bits of the body."""
    told = message.opcode
    if isinstance(told, int):
        return told % 2**32
    try:
        return None if told is None else int(told, 16) % 2**32
    except ValueError:
        return None
