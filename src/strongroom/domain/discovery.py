"""Discovery of used addresses. It keeps the progress of a walk over the indexes of an account.

As in BIP-44, the walk starts at index 0 and ends a branch after a given number of consecutive unused addresses, the
gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from strongroom.domain.scheme import MAX_INDEX, Curve, Position, Scheme

GAP: Final = 20
"""The usual gap, as in BIP-44."""
RATE: Final = 10
"""Addresses per second that a walk usually asks for, so that requests of callers find room within a source's rate."""
AT_ONCE: Final = 50
"""Addresses per step. Even if all of them are used, they fit into one audit record."""
KEYS_AT_ONCE: Final = 100
"""Public keys derived per walk if only an open wallet can derive them. This is also the largest gap."""
_KEY_SIZES: Final = {Curve.SECP256K1: 33, Curve.ED25519: 32}


class DiscoveryState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    """The gap was reached on every branch."""
    STOPPED = "stopped"
    """The walk stopped before that. The next request for it continues from there."""


class StopReason(StrEnum):
    BUDGET = "budget"
    """The allowed number of addresses was checked."""
    KEYS = "keys"
    """Every index is hardened, and all keys derived in advance were checked."""
    ARCHIVED = "archived"
    FAILED = "failed"
    """No source responded for hours, or something else kept failing."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The walk over one account on one network. It is one row, so that it cannot run twice at once."""

    id: UUID
    tenant_id: UUID
    wallet_id: UUID
    operation_id: UUID
    """The operation that last asked for the walk."""
    network: str
    """CAIP-2 id."""
    scheme: str
    account: int
    state: DiscoveryState
    reason: str | None
    """The `StopReason` if the walk has stopped."""
    gap: int
    budget: int
    """How many more addresses may be checked."""
    change: int
    """The branch being walked, 0 for receiving or 1 for change."""
    index: int
    """The next index of that branch."""
    unused: int
    """How many addresses directly before ``index`` are unused."""
    checked: int
    used: int
    keys: bytes
    """Public keys from ``index`` on, concatenated, if the account has no node to derive them from. Otherwise empty.
    Their addresses have not been handed out."""
    epoch: int
    """Increased by each change."""
    created_at: datetime


def discovery_id(wallet_id: UUID, network: str, scheme: str, account: int) -> UUID:
    """``network`` is a CAIP-2 id."""
    return uuid5(wallet_id, f"discover/{network}/{scheme}/{account}")


def window(row: Discovery, scheme: Scheme) -> list[Position]:
    """The positions to check next, never more than can still be unused before the branch ends."""
    most = min(row.gap - row.unused, row.budget, AT_ONCE, MAX_INDEX + 1 - row.index)
    if scheme.account_template is None:
        most = min(most, len(row.keys) // _KEY_SIZES[scheme.curve])
    return [Position(row.account, row.change, row.index + n) for n in range(most)]


def keys_of(row: Discovery, scheme: Scheme, count: int) -> list[bytes]:
    """The first ``count`` of the stored public keys."""
    size = _KEY_SIZES[scheme.curve]
    return [row.keys[n * size : (n + 1) * size] for n in range(count)]


def walked(row: Discovery, scheme: Scheme, told: Sequence[bool]) -> Discovery:
    """The walk after its next addresses were checked. ``told`` says which of the first in the `window` are used."""
    unused = row.unused
    for is_used in told:
        unused = 0 if is_used else unused + 1
    checked = len(told)
    row = replace(
        row,
        budget=row.budget - checked,
        index=row.index + checked,
        unused=unused,
        checked=row.checked + checked,
        used=row.used + sum(told),
        keys=row.keys[checked * _KEY_SIZES[scheme.curve] :],
        epoch=row.epoch + 1,
    )
    if row.unused >= row.gap or row.index > MAX_INDEX:
        if row.change == 1 or "{change}" not in scheme.template:
            return replace(row, state=DiscoveryState.DONE, keys=b"")
        row = replace(row, change=1, index=0, unused=0)
    if window(row, scheme):
        return row
    return stopped(row, StopReason.KEYS if row.budget else StopReason.BUDGET)


def stopped(row: Discovery, reason: StopReason) -> Discovery:
    return replace(row, state=DiscoveryState.STOPPED, reason=reason.value, keys=b"")


def resumed(row: Discovery, *, gap: int, budget: int, operation_id: UUID) -> Discovery:
    """The walk continued from where it stopped, or restarted if it was done or had another gap.

    The caller adds the keys.
    """
    goes_on = row.state is DiscoveryState.STOPPED and row.gap == gap
    row = replace(
        row,
        operation_id=operation_id,
        state=DiscoveryState.RUNNING,
        reason=None,
        budget=budget,
        epoch=row.epoch + 1,
    )
    return row if goes_on else replace(row, gap=gap, change=0, index=0, unused=0, checked=0, used=0)
