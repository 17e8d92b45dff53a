"""The rules and limits that a transaction has to meet before anything is signed."""

from __future__ import annotations

from typing import Final

from strongroom.chains.solana.decoding import SolanaTransaction
from strongroom.chains.solana.message import V1
from strongroom.chains.solana.transaction import EMPTY
from strongroom.domain.signing import OurKey, Ours, Policy
from strongroom.errors import InvalidTransaction, LimitExceeded, WrongKey

LIMITS: Final[dict[str, int | None]] = {
    "max_fee": 100_000_000,
    "max_priority_fee": 100_000_000,
    "high_fee_warning": 10_000_000,
    "max_version": V1,
    "unknown_calls": None,
}
"""Amounts are in lamports.

- max_fee is the most that inclusion may cost, for all signatures and the priority fee together.
- max_priority_fee is the most that the priority fee alone may be.
- high_fee_warning is the fee above which the response carries a warning.
- max_version is the highest message version that the network accepts. It is 0 if version 1 (SIMD-0385) is not live.
- unknown_calls is the number of instructions that may be unknown. The setting ``refuse`` is 0, ``allow`` is no limit.
"""


def check(decoded: SolanaTransaction, ours: Ours | None, policy: Policy) -> None:
    """Raises InvalidTransaction, LimitExceeded, WrongKey."""
    limits = {**LIMITS, **policy.limits}
    version = limits["max_version"]
    if version is not None and decoded.message.version > version:
        raise LimitExceeded.over(
            f"message version {decoded.message.version} is not supported on this network (limit max_version)",
            name="max_version", limit=version, received=decoded.message.version, field="unsigned_tx",
        )  # fmt: skip
    if not decoded.instructions:
        raise InvalidTransaction("it has no instructions", field="unsigned_tx")
    for name, value in (("max_fee", decoded.fee), ("max_priority_fee", decoded.priority_fee)):
        most = limits[name]
        if most is not None and value > most:
            raise LimitExceeded.over(
                f"the fee can be {value} lamports, which is over the limit {name} of {most}",
                name=name, limit=most, received=value, field="unsigned_tx",
            )  # fmt: skip
    unknown = sum(not step.understood for step in decoded.steps)
    most = limits["unknown_calls"]
    if most is not None and unknown > most:
        raise LimitExceeded.over(
            f"{unknown} instructions are not understood, and the limit unknown_calls allows {most}",
            name="unknown_calls", limit=most, received=unknown, field="unsigned_tx",
        )  # fmt: skip
    _check_signatures(decoded)
    if ours is not None:
        signer(decoded, ours)


def signer(decoded: SolanaTransaction, ours: Ours) -> OurKey:
    """The wallet's key that is a required signer. Raises WrongKey unless there is exactly one."""
    keys = [key for key in ours.values() if key.public_key in decoded.message.signers]
    if len(keys) != 1:
        raise WrongKey(
            "exactly one key of the wallet must be a required signer of the transaction", field="unsigned_tx"
        )
    return keys[0]


def _check_signatures(decoded: SolanaTransaction) -> None:
    """Existing signatures must be valid, because a transaction with an invalid one can never be completed."""
    transaction = decoded.transaction
    for place, signature in enumerate(transaction.signatures):
        if signature != EMPTY and not transaction.holds(place):
            raise InvalidTransaction("a signature that it already has is not valid", field="unsigned_tx")
