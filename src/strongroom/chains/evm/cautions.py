"""What is allowed but a person would want to know."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.chains.evm.calls import UNLIMITED, Call
from strongroom.chains.evm.checks import LIMITS
from strongroom.chains.evm.decoding import EvmTransaction
from strongroom.chains.evm.summary import authority
from strongroom.chains.evm.transaction import Transaction
from strongroom.codecs import eip55
from strongroom.domain.signing import Policy
from strongroom.domain.summary import Caution

_ZERO = bytes(eip55.LENGTH)


def of_transaction(decoded: EvmTransaction, sender: bytes | None, policy: Policy) -> tuple[Caution, ...]:
    transaction = decoded.transaction
    high = policy.limits.get("high_fee_warning", LIMITS["high_fee_warning"])
    found: list[Caution] = []
    if high is not None and transaction.fee > high:
        found.append(Caution(code="high_fee", message="The fee can be unusually high"))
    if transaction.chain_id is None:
        found.append(Caution(code="no_replay_protection", message="Valid on every chain where the nonce fits"))
    if transaction.to is None:
        found += _creation(transaction)
    else:
        found += _target(transaction, transaction.to, sender)
        if decoded.call is not None:
            found += _call(decoded.call, transaction.to, sender)
    if transaction.authorizations:
        found += _authorizations(transaction)
    return tuple(found)


def _creation(transaction: Transaction) -> Iterator[Caution]:
    yield Caution(code="contract_creation", message="Creates a contract")
    if not transaction.data:
        yield Caution(code="creation_without_code", message="Creates a contract without code; its value is lost")


def _target(transaction: Transaction, to: bytes, sender: bytes | None) -> Iterator[Caution]:
    if to == _ZERO:
        yield Caution(code="to_zero_address", message="Goes to the zero address")
    if to == sender:
        yield Caution(code="to_self", message="Goes to the sender itself")
    if transaction.data and transaction.value:
        yield Caution(code="call_with_value", message="Calls a contract and sends coins with the call")


def _call(call: Call, contract: bytes, sender: bytes | None) -> Iterator[Caution]:
    if call.name in ("approve", "increaseAllowance", "permit"):
        amount = call.args[2] if call.name == "permit" else call.args[1]
        if amount >= UNLIMITED:
            yield unlimited_approval()
    elif call.name == "setApprovalForAll":
        if call.args[1]:
            yield Caution(code="approval_for_all", message="Lets the spender move every token of this contract")
    elif call.name != "decreaseAllowance":
        to = call.args[0] if call.name == "transfer" else call.args[1]
        if to == contract:
            yield Caution(code="to_token_contract", message="Sends tokens to their own contract, where they are lost")
        if to == _ZERO:
            yield Caution(code="to_zero_address", message="Sends tokens to the zero address")
        if to == sender:
            yield Caution(code="to_self", message="Sends tokens to the sender itself")


def _authorizations(transaction: Transaction) -> Iterator[Caution]:
    yield delegation()
    if any(item.chain_id == 0 for item, _ in transaction.authorizations):
        yield authorization_any_chain()
    if any(item.chain_id not in (0, transaction.chain_id) for item, _ in transaction.authorizations):
        yield Caution(code="authorization_other_chain", message="An authorization is for another chain: no effect")
    if any(authority(*entry) is None for entry in transaction.authorizations):
        yield Caution(code="authorization_unsigned", message="An authorization has no valid signature: no effect")


def unlimited_approval() -> Caution:
    return Caution(code="unlimited_approval", message="Lets the spender take all there is, for good")


def delegation() -> Caution:
    return Caution(code="delegation", message="Lets the code of a contract act for an account (EIP-7702)")


def authorization_any_chain() -> Caution:
    return Caution(code="authorization_any_chain", message="An authorization is valid on every chain")
