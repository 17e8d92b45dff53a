"""What became of a transaction. A message on the chain does not mean that anything was paid."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from strongroom.rpc.base import State
from strongroom.rpc.ton.rows import Message, Transaction

JETTON_TRANSFER: Final = 0x0F8A7EA5
"""From an owner to its jetton wallet."""
JETTON_INTERNAL: Final = 0x178D4519
"""From one jetton wallet, or from the master, to another."""

_FINALIZED: Final = (None, "finalized")
"""An index from before there were other kinds does not tell."""


class Outcome(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    """A message with mode 2 is skipped if it cannot be sent, but its number is used up."""
    FAILED = "failed"
    """Rolled back. A wallet that counts only at the end (v3, v4) accepts the same bytes again."""


def of(row: Transaction) -> Outcome:
    """The outcome of a transaction that an external message or a call began."""
    compute, action = row.description.compute_ph, row.description.action
    if row.description.aborted or compute is None or not compute.success:
        return Outcome.FAILED
    if action is None:
        return Outcome.DONE
    if not action.success:
        return Outcome.FAILED
    return Outcome.SKIPPED if action.skipped_actions else Outcome.DONE


def state(row: Transaction, finalized: int) -> State:
    """How firmly it is on the chain, whatever its outcome. ``finalized``: from the head."""
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
