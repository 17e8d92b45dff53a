"""The summary of a transaction."""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from strongroom.chains.evm import addresses, signatures
from strongroom.chains.evm.decoding import EvmTransaction, reading
from strongroom.chains.evm.transaction import TYPE_NAMES, Authorization, Signature
from strongroom.codecs import eip55, hexadecimal
from strongroom.codecs.effects import action
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
    """The call, the coins sent with it, its inner calls, and one action per authorization."""
    transaction, symbol = decoded.transaction, decoded.network.symbol
    if transaction.to is None:
        found = [_creation(decoded, sender)]
    else:
        found = [action(effect, eip55.checksum, symbol) for effect in reading(transaction, sender).effects]
    if transaction.blob_hashes:
        found[0] = replace(found[0], details={**found[0].details, "blobs": len(transaction.blob_hashes)})
    return found + [authorization(each, authority(each, made)) for each, made in transaction.authorizations]


@lru_cache(maxsize=1024)
def authority(authorization: Authorization, signature: Signature) -> bytes | None:
    """The account that signed an authorization, or None if the signature is invalid (EIP-7702, step 3)."""
    compact = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
    return signatures.recover_address(authorization.signing_hash, compact, signature.y_parity)


def _creation(decoded: EvmTransaction, sender: bytes | None) -> Action:
    transaction = decoded.transaction
    created = None if sender is None else eip55.checksum(addresses.created_by(sender, transaction.nonce))
    return Action(
        kind="contract_creation",
        from_address=None if sender is None else eip55.checksum(sender),
        contract=created,
        amount=str(transaction.value),
        asset=decoded.network.symbol,
        data_size=len(transaction.data),
    )


def authorization(entry: Authorization, signer: bytes | None) -> Action:
    """The action of an authorization. ``signer`` is None if there is no valid signature."""
    return Action(
        kind="authorization",
        from_address=None if signer is None else eip55.checksum(signer),
        contract=eip55.checksum(entry.address),
        details={"chain_id": str(entry.chain_id), "nonce": str(entry.nonce)},
    )
