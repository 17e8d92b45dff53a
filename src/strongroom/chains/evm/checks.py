"""The rules and limits that a transaction is held against before anything is signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from strongroom.chains.evm.decoding import EvmTransaction, reading
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
"""Base units, gas and bytes.

max_fee: the most that inclusion may cost. max_fee_percent: the same in percent of the value of a plain transfer, once
the fee is over max_fee_percent_floor (a small transfer may cost more than it moves). max_gas: EIP-7825. min_gas: less
is refused, and so is less than the intrinsic gas; None or 0 lets any gas pass. calldata_floor: gas a token of calldata
that the gas must cover besides (EIP-7623); a limit, since a chain without Prague takes less, and refusing what is valid
there stops a payment, while what is under the floor of a chain that has one is never mined. max_init_code: EIP-3860.
high_fee_warning: above it the response carries a warning. unknown_calls: how many calls that are not understood a
transaction may make, init code included; 0 refuses them.
"""

Limits = Mapping[str, int | None]

MAX_NONCE: Final = 2**64 - 2
"""EIP-2681."""
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
    """What is charged before any code runs (Yellow Paper 6.2; EIP-2028, 2930, 3860, 7702)."""
    gas = 21_000 + 4 * _tokens(transaction.data)
    if transaction.to is None:
        gas += 32_000 + 2 * -(-len(transaction.data) // 32)
    gas += sum(2_400 + 1_900 * len(keys) for _, keys in transaction.access_list)
    return gas + 25_000 * len(transaction.authorizations)


def floor_gas(transaction: Transaction, per_token: int) -> int:
    """What the gas must cover however little code runs (EIP-7623); the rest of the intrinsic gas is not in it."""
    return 21_000 + per_token * _tokens(transaction.data)


def _tokens(data: bytes) -> int:
    """A byte that is not zero counts four (EIP-7623; the prices are those of EIP-2028)."""
    return 4 * len(data) - 3 * data.count(0)


def _check_chain(decoded: EvmTransaction, limits: Limits, options: SignOptions) -> None:
    chain_id = decoded.transaction.chain_id
    if chain_id is None:
        if not options.allow_pre155:
            raise OptionRequired(
                "a legacy transaction without chainId is valid on every chain; allow_pre155 signs it all the same",
                field="unsigned_tx.chainId",
            )
        return
    if chain_id != decoded.network.chain_id:
        raise InvalidTransaction("chainId is not that of the network", field="unsigned_tx.chainId")
    minimum = limits["min_chain_id"]
    if minimum is not None and chain_id < minimum:
        raise InvalidTransaction("chainId is too low", field="unsigned_tx.chainId")


def _check_numbers(transaction: Transaction) -> None:
    if transaction.nonce > MAX_NONCE:
        raise InvalidTransaction("nonce is below 2^64 - 1 (EIP-2681)", field="unsigned_tx.nonce")
    if transaction.gas > _MAX_GAS:
        raise InvalidTransaction("gas is below 2^64", field="unsigned_tx.gas")
    prices = (transaction.value, transaction.price, transaction.max_priority_fee, transaction.max_fee_per_blob_gas)
    if max(prices) >= 2**256:
        raise InvalidTransaction("value and prices are below 2^256", field="unsigned_tx.value")
    if transaction.type >= DYNAMIC_FEE and transaction.max_priority_fee > transaction.max_fee:
        raise InvalidTransaction(
            "maxPriorityFeePerGas is at most maxFeePerGas", field="unsigned_tx.maxPriorityFeePerGas"
        )


def _check_shape(transaction: Transaction) -> None:
    if transaction.type in (BLOB, SET_CODE) and transaction.to is None:
        raise InvalidTransaction("this type of transaction cannot create a contract", field="unsigned_tx.to")
    if transaction.type == BLOB:
        if not transaction.blob_hashes:
            raise InvalidTransaction("at least one blob hash is needed", field="unsigned_tx.blobVersionedHashes")
        if any(blob_hash[0] != _BLOB_VERSION for blob_hash in transaction.blob_hashes):
            raise InvalidTransaction("a blob hash starts with 01", field="unsigned_tx.blobVersionedHashes")
    if transaction.type == SET_CODE:
        if not transaction.authorizations:
            raise InvalidTransaction("at least one authorization is needed", field="unsigned_tx.authorizationList")
        if any(item.nonce > MAX_NONCE for item, _ in transaction.authorizations):
            raise InvalidTransaction(
                "the nonce of an authorization is below 2^64 - 1", field="unsigned_tx.authorizationList"
            )


def _check_gas(transaction: Transaction, limits: Limits) -> None:
    most, least, init_code = limits["max_gas"], limits["min_gas"], limits["max_init_code"]
    if most is not None and transaction.gas > most:
        raise LimitExceeded("gas is over the limit max_gas", field="unsigned_tx.gas")
    floor = floor_gas(transaction, limits["calldata_floor"] or 0)
    if least and transaction.gas < max(least, intrinsic_gas(transaction), floor):
        raise InvalidTransaction("gas is less than the transaction needs to start", field="unsigned_tx.gas")
    if init_code is not None and transaction.to is None and len(transaction.data) > init_code:
        raise LimitExceeded("the init code is over the limit max_init_code", field="unsigned_tx.data")


def _check_calls(transaction: Transaction, limits: Limits) -> None:
    most = limits["unknown_calls"]
    if most is not None and (1 if transaction.to is None else reading(transaction, None).unknown) > most:
        raise LimitExceeded(
            "the call is not understood, and the limit unknown_calls refuses it", field="unsigned_tx.data"
        )


def _check_fee(transaction: Transaction, limits: Limits) -> None:
    most, percent, fee = limits["max_fee"], limits["max_fee_percent"], transaction.fee
    if most is not None and fee > most:
        raise LimitExceeded("the fee can be over the limit max_fee", field="unsigned_tx.gas")
    plain = transaction.value and transaction.to is not None and not transaction.data
    over_floor = fee > (limits["max_fee_percent_floor"] or 0)
    if percent is not None and plain and over_floor and fee * 100 > transaction.value * percent:
        raise LimitExceeded("the fee can be over max_fee_percent of the value", field="unsigned_tx.gas")
