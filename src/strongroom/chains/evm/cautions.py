"""The cautions and hazards of a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.chains.evm.checks import LIMITS
from strongroom.chains.evm.decoding import EvmTransaction, reading
from strongroom.chains.evm.summary import authority
from strongroom.chains.evm.transaction import Transaction
from strongroom.domain import hazards
from strongroom.domain.cautions import caution
from strongroom.domain.signing import Policy
from strongroom.domain.summary import Caution

_LOST = {hazard.name: hazard for hazard in (hazards.TO_ZERO_ADDRESS, hazards.TO_TOKEN_CONTRACT)}


def of_transaction(decoded: EvmTransaction, sender: bytes | None, policy: Policy) -> tuple[Caution, ...]:
    """Raises OptionRequired on a hazard that the caller did not ask for."""
    transaction = decoded.transaction
    high = policy.limits.get("high_fee_warning", LIMITS["high_fee_warning"])
    found: list[Caution] = []
    if high is not None and transaction.fee > high:
        found.append(caution("high_fee"))
    if transaction.chain_id is None:
        found.append(caution("no_replay_protection"))
    found += _creation(transaction, policy) if transaction.to is None else _call(transaction, sender, policy)
    if transaction.authorizations:
        found += map(caution, _authorizations(transaction, sender))
    return tuple(found)


def _creation(transaction: Transaction, policy: Policy) -> Iterator[Caution]:
    yield caution("contract_creation")
    if not transaction.data:
        yield policy.permit(hazards.CREATION_WITHOUT_CODE, field="unsigned_tx.to")


def _call(transaction: Transaction, sender: bytes | None, policy: Policy) -> Iterator[Caution]:
    read = reading(transaction, sender)
    if transaction.data and transaction.value:
        yield caution("call_with_value")
    for code in read.cautions:
        if code in read.lost:
            yield policy.permit(_LOST[code], field="unsigned_tx.data" if transaction.data else "unsigned_tx.to")
        else:
            yield caution(code)


def _authorizations(transaction: Transaction, sender: bytes | None) -> Iterator[str]:
    yield "delegation"
    authorities = [authority(*entry) for entry in transaction.authorizations]
    chain_ids = {item.chain_id for item, _ in transaction.authorizations}
    if 0 in chain_ids:
        yield "authorization_any_chain"
    if chain_ids - {0, transaction.chain_id}:
        yield "authorization_other_chain"
    if None in authorities:
        yield "authorization_unsigned"
    expected = transaction.nonce + 1  # by EIP-7702 the sender's nonce is increased before the list is processed
    for (item, _), signer in zip(transaction.authorizations, authorities, strict=True):
        if sender is None or signer != sender or item.chain_id not in (0, transaction.chain_id):
            continue
        if item.nonce == expected:
            expected += 1
        else:
            yield "no_effect"
            return
