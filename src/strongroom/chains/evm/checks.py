"""The rules and limits that a transaction has to meet before anything is signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from strongroom.chains.evm.decoding import EvmTransaction, reading, wrong_chain_id
from strongroom.chains.evm.transaction import BLOB, DYNAMIC_FEE, SET_CODE, Transaction
from strongroom.domain.signing import Policy, SignOptions
from strongroom.errors import InvalidTransaction, LimitExceeded, OptionRequired

LIMITS: Final[dict[str, int | None]] = {
    "max_fee": 10**18,
    "max_fee_percent": 100,
    "max_fee_percent_floor": 5 * 10**16,
    "max_gas": 2**24,
    "min_gas": 21_000,
    "calldata_floor": 10,
    "min_chain_id": 1,
    "max_init_code": 49_152,
    "high_fee_warning": 5 * 10**16,
    "unknown_calls": None,
}
"""Amounts are in base units, gas in gas and sizes in bytes.

- max_fee is the most that inclusion may cost.
- max_fee_percent is the same in percent of the value of a plain transfer. It applies if the fee is over
  max_fee_percent_floor, because a small transfer may cost more than it moves.
- max_gas is that of EIP-7825.
- min_gas and the intrinsic gas are the least gas. With None or 0 neither is checked.
- calldata_floor is the gas per token of calldata that must be covered (EIP-7623). It is a limit because a chain without
  Prague accepts less. Refusing such a transaction there would stop a payment, and signing one below the floor of a
  chain that has one does no harm, because it is never mined.
- max_init_code is that of EIP-3860.
- high_fee_warning is the fee above which the response carries a warning.
- unknown_calls is the number of calls that may be unknown, init code included. 0 refuses them.
"""

Limits = Mapping[str, int | None]

MAX_NONCE: Final = 2**64 - 2
"""The highest nonce of an account (EIP-2681)."""
_MAX_GAS: Final = 2**64 - 1
_BLOB_VERSION: Final = 1


def check(decoded: EvmTransaction, policy: Policy) -> None:
    """Raises InvalidTransaction, LimitExceeded, OptionRequired."""
    limits = {**LIMITS, **policy.limits}
    _check_chain(decoded, limits, policy.options)
    _check_numbers(decoded.transaction)
    _check_shape(decoded.transaction)
    _check_gas(decoded.transaction, limits)
    _check_fee(decoded.transaction, limits)
    _check_calls(decoded.transaction, limits)


def intrinsic_gas(transaction: Transaction) -> int:
    """The gas charged before any code runs (Yellow Paper, section 6.2; EIP-2028, 2930, 3860, 7702)."""
    gas = 21_000 + 4 * _tokens(transaction.data)
    if transaction.to is None:
        gas += 32_000 + 2 * -(-len(transaction.data) // 32)
    gas += sum(2_400 + 1_900 * len(keys) for _, keys in transaction.access_list)
    return gas + 25_000 * len(transaction.authorizations)


def floor_gas(transaction: Transaction, per_token: int) -> int:
    """The least gas, however little code runs (EIP-7623). It does not include the rest of the intrinsic gas."""
    return 21_000 + per_token * _tokens(transaction.data)


def _tokens(data: bytes) -> int:
    """Tokens of calldata (EIP-7623). A zero byte is one token, any other byte four."""
    return 4 * len(data) - 3 * data.count(0)


def _check_chain(decoded: EvmTransaction, limits: Limits, options: SignOptions) -> None:
    chain_id = decoded.transaction.chain_id
    if chain_id is None:
        if not options.allow_pre155:
            raise OptionRequired(
                "a legacy transaction without chainId is valid on every chain. To sign it all the "
                "same, set options.allow_pre155",
                field="unsigned_tx.chainId",
            )
        return
    if chain_id != decoded.network.chain_id:
        raise wrong_chain_id(decoded.network, chain_id, "unsigned_tx.chainId")
    minimum = limits["min_chain_id"]
    if minimum is not None and chain_id < minimum:
        raise InvalidTransaction(
            f"chainId is below the limit min_chain_id, {minimum}", field="unsigned_tx.chainId", received=str(chain_id)
        )


def _check_numbers(transaction: Transaction) -> None:
    if transaction.nonce > MAX_NONCE:
        raise InvalidTransaction("nonce must be below 2^64 - 1 (EIP-2681)", field="unsigned_tx.nonce")
    if transaction.gas > _MAX_GAS:
        raise InvalidTransaction("gas must be below 2^64", field="unsigned_tx.gas")
    if transaction.type >= DYNAMIC_FEE and transaction.max_priority_fee > transaction.max_fee:
        raise InvalidTransaction(
            "maxPriorityFeePerGas must not be more than maxFeePerGas", field="unsigned_tx.maxPriorityFeePerGas"
        )


def _check_shape(transaction: Transaction) -> None:
    if transaction.type in (BLOB, SET_CODE) and transaction.to is None:
        raise InvalidTransaction("this type of transaction cannot create a contract", field="unsigned_tx.to")
    if transaction.type == BLOB:
        if not transaction.blob_hashes:
            raise InvalidTransaction("at least one blob hash is needed", field="unsigned_tx.blobVersionedHashes")
        if any(blob_hash[0] != _BLOB_VERSION for blob_hash in transaction.blob_hashes):
            raise InvalidTransaction("a blob hash must start with 01", field="unsigned_tx.blobVersionedHashes")
    if transaction.type == SET_CODE:
        if not transaction.authorizations:
            raise InvalidTransaction("at least one authorization is needed", field="unsigned_tx.authorizationList")
        if any(item.nonce > MAX_NONCE for item, _ in transaction.authorizations):
            raise InvalidTransaction(
                "the nonce of an authorization must be below 2^64 - 1", field="unsigned_tx.authorizationList"
            )


def _check_gas(transaction: Transaction, limits: Limits) -> None:
    most, least, init_code = limits["max_gas"], limits["min_gas"], limits["max_init_code"]
    if most is not None and transaction.gas > most:
        raise LimitExceeded.over(
            "gas is over the limit max_gas",
            name="max_gas", limit=most, received=transaction.gas, field="unsigned_tx.gas",
        )  # fmt: skip
    needed = max(least or 0, intrinsic_gas(transaction), floor_gas(transaction, limits["calldata_floor"] or 0))
    if least and transaction.gas < needed:
        raise InvalidTransaction(
            f"gas is less than the {needed} that the transaction needs to start",
            field="unsigned_tx.gas", expected=str(needed), received=str(transaction.gas),
        )  # fmt: skip
    size = len(transaction.data)
    if init_code is not None and transaction.to is None and size > init_code:
        raise LimitExceeded.over(
            "the init code is over the limit max_init_code",
            name="max_init_code", limit=init_code, received=size, field="unsigned_tx.data",
        )  # fmt: skip


def _check_calls(transaction: Transaction, limits: Limits) -> None:
    most = limits["unknown_calls"]
    if most is None:
        return
    unknown = 1 if transaction.to is None else reading(transaction, None).unknown
    if unknown > most:
        raise LimitExceeded.over(
            "the call is not understood, and the limit unknown_calls refuses such calls",
            name="unknown_calls", limit=most, received=unknown, field="unsigned_tx.data",
        )  # fmt: skip


def _check_fee(transaction: Transaction, limits: Limits) -> None:
    most, percent, fee = limits["max_fee"], limits["max_fee_percent"], transaction.fee
    if most is not None and fee > most:
        raise LimitExceeded.over(
            "the fee can be over the limit max_fee",
            name="max_fee", limit=most, received=fee, field="unsigned_tx.gas",
        )  # fmt: skip
    plain = transaction.value and transaction.to is not None and not transaction.data
    over_floor = fee > (limits["max_fee_percent_floor"] or 0)
    if percent is not None and plain and over_floor and fee * 100 > transaction.value * percent:
        raise LimitExceeded.over(
            "the fee can be over the limit max_fee_percent of the value",
            name="max_fee_percent", limit=percent, received=-(-fee * 100 // transaction.value), field="unsigned_tx.gas",
        )  # fmt: skip
