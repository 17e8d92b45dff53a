"""Effects, which describe what calls and typed data do independently of the chain that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from strongroom.domain.summary import Action

MAX_LISTED: Final = 32
"""Items of a list that a summary shows. If there are more, it shows their number too."""

UNLIMITED: Final = 2**95
"""The smallest allowance that counts as unlimited.

It is below every number that wallets and contracts use to mean unlimited, which are 2^256 - 1, 2^255 - 1, 2^160 - 1
(Permit2), 2^128 - 1 and 2^96 - 1 (tokens that count in uint96). It is about 40 billion of a token with 18 decimals.
"""
SENTINELS: Final = frozenset({2**64 - 1, 2**63 - 1})
"""Smaller numbers that mean unlimited too, but only exactly these."""

ZERO: Final = bytes(20)
APPROVE: Final = "token_approve"
TRANSFERS: Final = frozenset({"token_transfer", "token_transfer_from"})
_OF_COINS: Final = frozenset({"transfer", "offer", "consideration", "refund", "fee"})
"""Kinds in which no asset means the native coin."""
_ROLES: Final = frozenset({"from", "to", "spender", "token", "amount", "approved", "allowed"})
_INNER: Final = frozenset({"target", "value", "data", "calls", "operation", "commands", "inputs", "mode"})


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a call does. Chains show it with `action`."""

    kind: str
    method: str | None = None
    contract: bytes | None = None
    from_: bytes | None = None
    to: bytes | None = None
    spender: bytes | None = None
    amount: int | None = None
    asset: bytes | None = None
    """The token, or None for the native coin."""
    data_size: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def is_unlimited(amount: int) -> bool:
    return amount >= UNLIMITED or amount in SENTINELS


def effect_of(kind: str, method: str, contract: bytes | None, sender: bytes | None, row: Mapping[str, Any]) -> Effect:
    """The effect of named arguments. ``row`` uses the names that `codecs.known` defines."""
    amount, token = row.get("amount"), row.get("token")
    details = {name: value for name, value in row.items() if name not in _ROLES | _INNER and value is not None}
    if "approved" in row:
        details["all"] = row["approved"]
    if "allowed" in row:
        details["allowed"] = row["allowed"]
    tokens = kind == APPROVE or kind in TRANSFERS
    if "token_id" in row:
        details["amount"], amount = 1 if amount is None else amount, None
    elif amount is not None and not tokens and token is None:
        details["amount"], amount = amount, None
    return Effect(
        kind=kind,
        method=method,
        contract=contract,
        from_=row.get("from", sender),
        to=row.get("to"),
        spender=row.get("spender"),
        amount=amount,
        asset=token if token is not None or not tokens else contract,
        details=details,
    )


def approval_cautions(row: Mapping[str, Any]) -> Iterator[str]:
    if is_unlimited(row.get("amount") or 0) or row.get("allowed"):
        yield "unlimited_approval"
    if row.get("approved"):
        yield "approval_for_all"


def action(effect: Effect, show: Callable[[bytes], str], symbol: str) -> Action:
    """The effect as a summary shows it. ``show`` formats a 20-byte address, and ``symbol`` is that of the coin."""

    def shown(address: bytes | None) -> str | None:
        return None if address is None else show(address)

    asset = shown(effect.asset)
    return Action(
        kind=effect.kind,
        from_address=shown(effect.from_),
        to=shown(effect.to),
        amount=None if effect.amount is None else str(effect.amount),
        asset=symbol if asset is None and effect.kind in _OF_COINS else asset,
        spender=shown(effect.spender),
        contract=shown(effect.contract),
        method=effect.method,
        data_size=effect.data_size,
        details={name: _shown(value, show) for name, value in effect.details.items()},
    )


def expand(named: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """The effects in the arguments, one mapping each. Every item of ``details`` is merged with the names outside it.

    Several ``details`` at the same level are combined item by item. Raises ValueError if their lengths differ.
    """
    common = {name: value for name, value in named if name != "details"}
    rows: list[dict[str, Any]] = [{}]
    for name, value in named:
        if name != "details":
            continue
        items = value if value and isinstance(value[0], list) else [value] if value else []
        found = [row for item in items for row in expand(item)]
        if len(rows) == 1 < len(found):
            rows *= len(found)
        if len(found) not in (1, len(rows)):
            raise ValueError("lists that belong together differ in length")
        rows = [{**row, **more} for row, more in zip(rows, found * (len(rows) // len(found)), strict=True)]
    return [{**common, **row} for row in rows]


def _shown(value: Any, show: Callable[[bytes], str]) -> Any:
    """A JSON value, with integers as text, 20 bytes as an address and other bytes as hex."""
    if isinstance(value, list):
        listed = [_shown(item, show) for item in value[:MAX_LISTED]]
        return listed if len(value) <= MAX_LISTED else [*listed, f"… {len(value)} in all"]
    if isinstance(value, bytes):
        return show(value) if len(value) == len(ZERO) else f"0x{value.hex()}"
    return value if isinstance(value, bool) else str(value)
