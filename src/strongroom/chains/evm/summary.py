"""What a transaction does, in the words that all chains share."""

from __future__ import annotations

from functools import lru_cache

from strongroom.chains.evm import addresses, calls, signatures
from strongroom.chains.evm.decoding import EvmTransaction
from strongroom.chains.evm.transaction import TYPE_NAMES, Authorization, Signature, Transaction
from strongroom.codecs import eip55, hexadecimal
from strongroom.domain.network import Network
from strongroom.domain.summary import Action, Fee, Summary


def summarise(decoded: EvmTransaction, sender: bytes | None, payload_hash: bytes) -> Summary:
    transaction, network = decoded.transaction, decoded.network
    text = None if sender is None else eip55.checksum(sender)
    return Summary(
        network=network.name,
        type="legacy_pre155" if transaction.chain_id is None else TYPE_NAMES[transaction.type],
        actions=_actions(decoded, sender),
        from_address=text,
        sequence=str(transaction.nonce),
        fee=Fee(
            amount=str(transaction.fee),
            asset=network.symbol,
            rate=str(transaction.price),
            limit=str(transaction.gas),
        ),
        payload_hash=hexadecimal.to_text(payload_hash),
    )


def _actions(decoded: EvmTransaction, sender: bytes | None) -> list[Action]:
    """One action of the call itself, one for value that goes with a call, one an authorization."""
    transaction, network = decoded.transaction, decoded.network
    text = None if sender is None else eip55.checksum(sender)
    found = [_main(decoded, sender, text)]
    if transaction.value and transaction.to is not None and transaction.data:
        found.append(_transfer(transaction, network, text, transaction.to))
    found += [_authorization(*entry) for entry in transaction.authorizations]
    return found


@lru_cache(maxsize=1024)
def authority(authorization: Authorization, signature: Signature) -> bytes | None:
    """The account that signed an authorization, or None where the signature is none (EIP-7702, step 3)."""
    compact = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
    return signatures.recover_address(authorization.signing_hash, compact, signature.y_parity)


def _main(decoded: EvmTransaction, sender: bytes | None, text: str | None) -> Action:
    transaction, network = decoded.transaction, decoded.network
    details = {"blobs": len(transaction.blob_hashes)} if transaction.blob_hashes else {}
    if transaction.to is None:
        created = None if sender is None else eip55.checksum(addresses.created_by(sender, transaction.nonce))
        return Action(
            kind="contract_creation",
            from_address=text,
            contract=created,
            amount=str(transaction.value),
            asset=network.symbol,
            data_size=len(transaction.data),
        )
    if not transaction.data:
        return _transfer(transaction, network, text, transaction.to, details)
    contract = eip55.checksum(transaction.to)
    if decoded.call is not None:
        return calls.action(decoded.call, text, contract)
    return Action(
        kind="contract_call",
        from_address=text,
        contract=contract,
        method=hexadecimal.to_text(transaction.data[:4]),
        data_size=len(transaction.data),
        details=details,
    )


def _transfer(
    transaction: Transaction, network: Network, text: str | None, to: bytes, details: dict[str, int] | None = None
) -> Action:
    return Action(
        kind="transfer",
        from_address=text,
        to=eip55.checksum(to),
        amount=str(transaction.value),
        asset=network.symbol,
        details=details or {},
    )


def _authorization(authorization: Authorization, signature: Signature) -> Action:
    signer = authority(authorization, signature)
    return Action(
        kind="authorization",
        from_address=None if signer is None else eip55.checksum(signer),
        contract=eip55.checksum(authorization.address),
        details={"chain_id": str(authorization.chain_id), "nonce": str(authorization.nonce)},
    )
