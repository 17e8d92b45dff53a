"""The rules and limits that a transaction is held against before anything is signed."""

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
"""Lamports and counts.

max_fee: the most that inclusion may cost, for all signatures and the priority fee; max_priority_fee: the latter alone.
high_fee_warning: above it the response carries a warning. max_version: the highest version of a message that the
network takes (0 where version 1, SIMD-0385, is not live). unknown_calls: how many instructions may be signed that are
not understood; ``refuse`` is 0, ``allow`` any number.
"""


def check(decoded: SolanaTransaction, ours: Ours | None, policy: Policy) -> None:
    """Raises InvalidTransaction, LimitExceeded, WrongKey."""
    limits = {**LIMITS, **policy.limits}
    version = limits["max_version"]
    if version is not None and decoded.message.version > version:
        raise LimitExceeded(
            f"message version {decoded.message.version} is not supported on this network (limit max_version)",
            field="unsigned_tx",
        )
    if not decoded.instructions:
        raise InvalidTransaction("it has no instruction", field="unsigned_tx")
    for name, value in (("max_fee", decoded.fee), ("max_priority_fee", decoded.priority_fee)):
        most = limits[name]
        if most is not None and value > most:
            raise LimitExceeded(
                f"the fee can be {value} lamports, over the limit {name} of {most}", field="unsigned_tx"
            )
    unknown = sum(not step.understood for step in decoded.steps)
    most = limits["unknown_calls"]
    if most is not None and unknown > most:
        raise LimitExceeded(
            f"{unknown} instructions are not understood, and the limit unknown_calls is {most}", field="unsigned_tx"
        )
    _check_signatures(decoded)
    if ours is not None:
        signer(decoded, ours)


def signer(decoded: SolanaTransaction, ours: Ours) -> OurKey:
    """The one key of ours that is a required signer. Raises WrongKey."""
    keys = [key for key in ours.values() if key.public_key in decoded.message.signers]
    if len(keys) != 1:
        raise WrongKey(
            "exactly one key of the wallet must be a required signer of the transaction", field="unsigned_tx"
        )
    return keys[0]


def _check_signatures(decoded: SolanaTransaction) -> None:
    """What is signed already must hold: a transaction with a bad signature is never complete."""
    transaction = decoded.transaction
    for place, signature in enumerate(transaction.signatures):
        if signature != EMPTY and not transaction.holds(place):
            raise InvalidTransaction("a signature that is in it already does not hold", field="unsigned_tx")
