"""Discovery of used addresses: how far a walk over the indexes of an account has come, and what comes next.

As BIP-44 has it: indexes are walked from 0 on, and a branch is over once so many unused ones (the gap) stand in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from strongroom.domain.scheme import MAX_INDEX, Curve, Position, Scheme

AT_ONCE: Final = 50
"""Addresses of one step: all of them, if they are used, fit into one audit record."""
KEYS_AT_ONCE: Final = 100
"""Public keys that are derived for one walk where only an open wallet can derive them; no gap is wider."""
_KEY_SIZES: Final = {Curve.SECP256K1: 33, Curve.ED25519: 32}


class DiscoveryState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    """The gap was reached on every branch."""
    STOPPED = "stopped"
    """Before that; it goes on from there when it is asked for again."""


class StopReason(StrEnum):
    BUDGET = "budget"
    """As many addresses were checked as it was allowed to."""
    KEYS = "keys"
    """Every index is hardened, and those whose keys were derived are checked."""
    ARCHIVED = "archived"
    FAILED = "failed"
    """No source answered for hours, or something else kept failing."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The walk over one account on one network: one row, so that none runs twice."""

    id: UUID
    tenant_id: UUID
    wallet_id: UUID
    operation_id: UUID
    """Of whoever asked for it last."""
    network: str
    """CAIP-2 id."""
    scheme: str
    account: int
    state: DiscoveryState
    reason: str | None
    """`StopReason` of one that stopped."""
    gap: int
    budget: int
    """How many more addresses may be checked."""
    change: int
    """Branch that is being walked: 0 receiving, 1 change."""
    index: int
    """The next one of that branch."""
    unused: int
    """How many in a row before that are unused."""
    checked: int
    used: int
    keys: bytes
    """Public keys from ``index`` on, one after another, where the account's node does not give them; otherwise empty.
    Nobody has been given their addresses."""
    epoch: int
    """Goes up with each change."""
    created_at: datetime


def discovery_id(wallet_id: UUID, network: str, scheme: str, account: int) -> UUID:
    """``network``: CAIP-2 id."""
    return uuid5(wallet_id, f"discover/{network}/{scheme}/{account}")


def window(row: Discovery, scheme: Scheme) -> list[Position]:
    """The places that are to be checked next. Never more than could be unused until the branch is over."""
    most = min(row.gap - row.unused, row.budget, AT_ONCE, MAX_INDEX + 1 - row.index)
    if scheme.account_template is None:
        most = min(most, len(row.keys) // _KEY_SIZES[scheme.curve])
    return [Position(row.account, row.change, row.index + n) for n in range(most)]


def keys_of(row: Discovery, scheme: Scheme, count: int) -> list[bytes]:
    """The first of the stored public keys."""
    size = _KEY_SIZES[scheme.curve]
    return [row.keys[n * size : (n + 1) * size] for n in range(count)]


def walked(row: Discovery, scheme: Scheme, told: Sequence[bool]) -> Discovery:
    """Once it is known of the first places of the `window` whether they are used."""
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
    """From where it stopped; from the start if it had come to its end, or had another gap. Its keys come later."""
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
