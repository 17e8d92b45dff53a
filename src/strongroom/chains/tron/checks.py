"""The rules and limits that a transaction has to meet before anything is signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from strongroom.chains.tron import contracts
from strongroom.chains.tron.contracts import RESOURCES, Contract
from strongroom.chains.tron.decoding import TronTransaction
from strongroom.chains.tron.transaction import Transaction
from strongroom.chains.tron.wire import Values
from strongroom.domain.signing import Policy
from strongroom.errors import InvalidTransaction, LimitExceeded

LIMITS: Final[dict[str, int | None]] = {
    "max_fee_limit": 15_000_000_000,
    "min_fee_limit": 1,
    "max_expiration": 86_400,
    "min_expiration": 1,
    "max_size": 65_536,
    "max_memo": 1_024,
    "unknown_calls": None,
    "high_fee_warning": 1_000_000_000,
}
"""Amounts are in sun, times in seconds and sizes in bytes.

- max_fee_limit is the most that a call may burn. The network accepts at most 15,000 TRX (developers.tron.network, fee
  limit).
- min_fee_limit is the least fee limit of a call. A call without one fails and costs money nevertheless.
- max_expiration is the time until a transaction may expire. Nodes accept 24 hours.
- min_expiration is the time that must be left.
- max_size is the size of raw_data, and max_memo that of the memo.
- unknown_calls is the number of calls that may be unknown. 0 refuses them.
- high_fee_warning is the lowest fee limit that carries a warning.
"""

Limits = Mapping[str, int | None]

_MAX_VOTES: Final = 30
_MIN_TOKEN: Final = 1_000_000
"""Ids of TRC-10 tokens are greater than this."""
_MAX_KEYS: Final = 5
_MAX_ACTIVES: Final = 8
_OPERATIONS: Final = 32
_VALUE: Final = "unsigned_tx.raw_data.contract[0].parameter.value"


def check(decoded: TronTransaction, policy: Policy, now: datetime, *, signs: bool) -> None:
    """Raises InvalidTransaction, LimitExceeded.

    If ``signs`` is false, nothing is to be signed, and the expiration is not checked.
    """
    limits = {**LIMITS, **policy.limits}
    _check_size(decoded, limits)
    if signs:
        _check_expiration(decoded.transaction, limits, now)
    _check_fee_limit(decoded.transaction, limits)
    _check_contract(decoded.transaction)
    unknown = limits["unknown_calls"]
    if unknown is not None and decoded.call is not None and decoded.call.unknown > unknown:
        raise LimitExceeded.over(
            "the call is not understood, and the limit unknown_calls refuses such calls",
            name="unknown_calls", limit=unknown, received=decoded.call.unknown, field=_VALUE,
        )  # fmt: skip


def _check_size(decoded: TronTransaction, limits: Limits) -> None:
    most, memo = limits["max_size"], limits["max_memo"]
    size, length = len(decoded.reading.raw_data), len(decoded.transaction.memo)
    if most is not None and size > most:
        raise LimitExceeded.over(
            "the transaction is over the limit max_size",
            name="max_size", limit=most, received=size, field="unsigned_tx",
        )  # fmt: skip
    if memo is not None and length > memo:
        raise LimitExceeded.over(
            "the memo is over the limit max_memo",
            name="max_memo", limit=memo, received=length, field="unsigned_tx.raw_data.data",
        )  # fmt: skip


def _check_expiration(transaction: Transaction, limits: Limits, now: datetime) -> None:
    least, most, left = limits["min_expiration"], limits["max_expiration"], transaction.expires - now
    where = "unsigned_tx.raw_data.expiration"
    if least is not None and left < timedelta(seconds=least):
        raise InvalidTransaction("the transaction has expired or is about to: build it again", field=where)
    if most is not None and left > timedelta(seconds=most):
        raise LimitExceeded.over(
            "the expiration is further in the future than the limit max_expiration",
            name="max_expiration", limit=most, received=int(left.total_seconds()), field=where,
        )  # fmt: skip


def _check_fee_limit(transaction: Transaction, limits: Limits) -> None:
    least, most, where = limits["min_fee_limit"], limits["max_fee_limit"], "unsigned_tx.raw_data.fee_limit"
    if transaction.contract is contracts.TRIGGER and least is not None and transaction.fee_limit < least:
        raise InvalidTransaction("a call needs fee_limit: without one it fails and still costs a fee", field=where)
    if most is not None and transaction.fee_limit > most:
        raise LimitExceeded.over(
            "fee_limit is over the limit max_fee_limit",
            name="max_fee_limit", limit=most, received=transaction.fee_limit, field=where,
        )  # fmt: skip


def _check_contract(transaction: Transaction) -> None:
    contract, values = transaction.contract, transaction.values
    for name in _POSITIVE.get(contract, ()):
        if not values.get(name):
            raise InvalidTransaction(f"{name} must be more than 0", field=f"{_VALUE}.{name}")
    other = _OTHER.get(contract)
    if other is not None and values[other] == transaction.owner:
        raise InvalidTransaction(
            f"{other} must differ from owner_address: the network refuses transfers to oneself",
            field=f"{_VALUE}.{other}",
        )
    special = _SPECIAL.get(contract)
    if special is not None:
        special(values)


def _check_asset(values: Values) -> None:
    """The asset must be an id in decimal digits, because names have not been unique since 2019."""
    name: bytes = values.get("asset_name", b"")
    if not (name.isdigit() and len(name) <= 19 and not name.startswith(b"0") and int(name) > _MIN_TOKEN):
        raise InvalidTransaction(
            "asset_name must be the id of a TRC-10 token, in decimal digits", field=f"{_VALUE}.asset_name"
        )


def _check_votes(values: Values) -> None:
    votes = values.get("votes", [])
    if not 0 < len(votes) <= _MAX_VOTES:
        raise InvalidTransaction(f"votes must have 1 to {_MAX_VOTES} entries", field=f"{_VALUE}.votes")
    if not all(vote.get("vote_count") for vote in votes):
        raise InvalidTransaction("vote_count must be more than 0", field=f"{_VALUE}.votes")


def _check_call(values: Values) -> None:
    token, amount = values.get("token_id", 0), values.get("call_token_value", 0)
    if bool(token) != bool(amount) or 0 < token <= _MIN_TOKEN:
        raise InvalidTransaction(
            "token_id and call_token_value must be given together, and token_id must be over 1000000",
            field=f"{_VALUE}.token_id",
        )


def _check_delegation(values: Values) -> None:
    if RESOURCES[values.get("resource", 0)] == "TRON_POWER":
        raise InvalidTransaction("only BANDWIDTH and ENERGY can be delegated", field=f"{_VALUE}.resource")


def _check_account(values: Values) -> None:
    if values.get("type", 0):
        raise InvalidTransaction("an account can only be created with the type Normal", field=f"{_VALUE}.type")


def _check_permissions(values: Values) -> None:
    """The rules of the network (java-tron, AccountPermissionUpdateActuator). Breaking them could lock an account."""
    actives = values.get("actives", [])
    if "owner" not in values or not 0 < len(actives) <= _MAX_ACTIVES:
        raise InvalidTransaction(
            f"there must be an owner permission, and 1 to {_MAX_ACTIVES} active ones", field=_VALUE
        )
    for name, kind, found in (
        ("owner", 0, [values["owner"]]),
        ("witness", 1, [values["witness"]] if "witness" in values else []),
        ("actives", 2, actives),
    ):
        for permission in found:
            _check_permission(permission, kind, f"{_VALUE}.{name}")


def _check_permission(permission: dict[str, Any], kind: int, where: str) -> None:
    keys, threshold = permission.get("keys", []), permission.get("threshold", 0)
    addresses = [key["address"] for key in keys]
    if permission.get("type", 0) != kind or permission.get("parent_id", 0):
        raise InvalidTransaction("the permission's type does not match its place", field=where)
    if not 0 < len(keys) <= _MAX_KEYS or len(set(addresses)) != len(keys):
        raise InvalidTransaction(f"a permission must have 1 to {_MAX_KEYS} different keys", field=where)
    if not 0 < threshold <= sum(key.get("weight", 0) for key in keys) or not all(key.get("weight") for key in keys):
        raise InvalidTransaction(
            "each weight must be more than 0, and together the keys must reach the threshold", field=where
        )
    if (len(permission.get("operations", b"")) == _OPERATIONS) != (kind == 2) or (
        kind != 2 and "operations" in permission
    ):
        raise InvalidTransaction(
            "an active permission must have 32 bytes of operations, and no other permission may have any", field=where
        )


_POSITIVE: Final[dict[Contract, tuple[str, ...]]] = {
    contracts.TRANSFER: ("amount",),
    contracts.TRANSFER_ASSET: ("amount",),
    contracts.FREEZE: ("frozen_balance",),
    contracts.UNFREEZE: ("unfreeze_balance",),
    contracts.DELEGATE: ("balance",),
    contracts.UNDELEGATE: ("balance",),
}
_OTHER: Final[dict[Contract, str]] = {
    contracts.TRANSFER: "to_address",
    contracts.TRANSFER_ASSET: "to_address",
    contracts.DELEGATE: "receiver_address",
    contracts.UNDELEGATE: "receiver_address",
    contracts.ACCOUNT_CREATE: "account_address",
}
"""Fields whose address must not be the owner's."""
_SPECIAL: Final[dict[Contract, Callable[[Values], None]]] = {
    contracts.TRANSFER_ASSET: _check_asset,
    contracts.VOTE_WITNESS: _check_votes,
    contracts.TRIGGER: _check_call,
    contracts.DELEGATE: _check_delegation,
    contracts.UNDELEGATE: _check_delegation,
    contracts.ACCOUNT_CREATE: _check_account,
    contracts.PERMISSION_UPDATE: _check_permissions,
}
