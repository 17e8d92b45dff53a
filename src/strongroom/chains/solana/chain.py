"""Solana as a `Chain`, with its main network, devnet and testnet."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from strongroom.chains import tx_ids
from strongroom.chains.base import AccountKeys, Decoded, ParsedAddress, Unsigned
from strongroom.chains.implementing import message_key, only_signature, own, to_sign
from strongroom.chains.solana import addresses, checks, decoding, messages, networks, schemes, summary, transaction
from strongroom.chains.solana.decoding import SolanaTransaction
from strongroom.chains.solana.transaction import EMPTY, Transaction
from strongroom.codecs import base58
from strongroom.codecs.ed25519 import verifies
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import (
    Algorithm,
    Consumed,
    Guard,
    Message,
    OurKey,
    Ours,
    Policy,
    Prepared,
    Purpose,
    Signed,
    SignedIds,
    SignedMessage,
)
from strongroom.domain.summary import Action, Caution, Summary
from strongroom.domain.wallet import PublicNode, WalletKind
from strongroom.errors import InternalError, UnknownScheme

EVERY_CLUSTER: Final = "solana:0"
"""In place of a CAIP-2 id, for a guard that holds on all clusters."""


@dataclass(frozen=True, slots=True)
class _Template:
    decoded: SolanaTransaction
    key: OurKey


class Solana:
    """Implements `chains.base.Chain` with the modules beside this one."""

    name = networks.CHAIN
    networks: Sequence[Network] = networks.NETWORKS
    limits: Mapping[str, int | None] = checks.LIMITS
    key_formats: Sequence[str] = ("hex", "base58", "json")
    message_formats: Sequence[str] = messages.FORMATS
    document_formats: Sequence[str] = ()
    statement_formats: Sequence[str] = ()

    def network_for(self, text: str) -> Network | None:
        return None

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]:
        return schemes.SCHEMES

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme:
        return schemes.DEFAULTS[kind]

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        return addresses.parse(text)

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        return addresses.show(public_key)

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        raise UnknownScheme("ed25519 keys have no extended public key", field="scheme")

    def decode(self, network: Network, unsigned: Unsigned) -> SolanaTransaction:
        return decoding.decode(network, unsigned)

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        read = own(decoded, SolanaTransaction)
        checks.check(read, ours, policy)
        return summary.cautions(read, _signer(read, ours), policy)

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary:
        read = own(decoded, SolanaTransaction)
        return summary.summarise(read, _signer(read, ours))

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        read = own(decoded, SolanaTransaction)
        key, payload = checks.signer(read, ours), read.transaction.signed_bytes
        if read.message.serialize() != payload:
            raise InternalError("a message that was read is not written the same")
        return Prepared(
            network=read.network,
            to_sign=(to_sign(key, Algorithm.ED25519, payload, Purpose.TRANSACTION),),
            summary=summary.summarise(read, key.public_key),
            template=_Template(read, key),
            guards=_guards(read, key, payload),
        )

    def assemble(self, prepared: Prepared, made: Sequence[bytes]) -> Signed:
        template, signature = own(prepared.template, _Template), only_signature(made)
        decoded, place = template.decoded, template.decoded.message.keys.index(template.key.public_key)
        signed = decoded.transaction.with_signatures({place: signature})
        if not signed.holds(place) or transaction.parse(signed.serialize()) != signed:
            raise InternalError("a signature is not valid")
        return _signed(decoded, signed, signature)

    def identify(self, network: Network, signed: str) -> SignedIds:
        found = decoding.signed(signed)
        nonce = decoding.nonce_of(found.message)
        consumes = () if nonce is None else (Consumed(nonce.account.hex(), base58.encode(nonce.value)),)
        signers = tuple(key.hex() for key in found.message.signers)
        return SignedIds((base58.encode(found.signatures[0]),), consumes=consumes, signers=signers)

    def tx_id(self, text: str) -> str:
        return tx_ids.of_signature(text)

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        key = message_key(ours)
        address = base58.encode(key.public_key)
        payload = messages.payload(message, address)
        action = Action(kind="message", data_size=len(message.data), spender=messages.domain(message))
        shown = Summary(network=network.name, type=message.format, actions=[action], from_address=address)
        return Prepared(network, (to_sign(key, Algorithm.ED25519, payload, Purpose.MESSAGE),), shown, key), ()

    def assemble_message(self, prepared: Prepared, made: Sequence[bytes]) -> SignedMessage:
        key, signature, [wanted] = own(prepared.template, OurKey), only_signature(made), prepared.to_sign
        if not verifies(key.public_key, signature, wanted.payload):
            raise InternalError("a signature is not valid")
        return SignedMessage(base58.encode(signature), base58.encode(key.public_key), None)

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        signer = addresses.parse(address).canonical
        return verifies(signer, messages.signature(signature), messages.payload(message, address))


def _signer(decoded: SolanaTransaction, ours: Ours | None) -> bytes | None:
    return None if ours is None else checks.signer(decoded, ours).public_key


def _guards(decoded: SolanaTransaction, key: OurKey, payload: bytes) -> tuple[Guard, ...]:
    """The guards of a durable nonce are its value, because it is used up. A recent blockhash is not used up, so the
    guard is the message itself, which may be signed again.

    A message does not name its cluster, so a nonce has another guard that is the same for all of them. Otherwise
    naming a second cluster would sign a second transaction for the nonce.
    """
    digest, network = sha256(payload).digest(), decoded.network
    if decoded.nonce is None:
        return (Guard(network.keyspace, network.caip2, key.public_key.hex(), digest.hex(), digest),)
    place = (decoded.nonce.account.hex(), base58.encode(decoded.nonce.value), digest)
    return tuple(Guard(network.keyspace, chain_id, *place) for chain_id in (network.caip2, EVERY_CLUSTER))


def _signed(decoded: SolanaTransaction, signed: Transaction, made: bytes) -> Signed:
    """The signed transaction. Its id is the fee payer's signature, and None until that is present."""
    first = signed.signatures[0]
    details: dict[str, object] = {
        "signature": base58.encode(made),
        "signatures": [None if each == EMPTY else base58.encode(each) for each in signed.signatures],
        "fee_lamports": str(decoded.fee),
    }
    if decoded.last_valid_block_height is not None:
        details["last_valid_block_height"] = str(decoded.last_valid_block_height)
    return Signed(
        raw=base64.b64encode(signed.serialize()).decode(),
        tx_id=None if first == EMPTY else base58.encode(first),
        complete=EMPTY not in signed.signatures,
        details=details,
    )
