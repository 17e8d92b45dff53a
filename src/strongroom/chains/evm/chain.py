"""The EVM family as a `Chain`, that is, Ethereum and every network with the same transaction formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from strongroom.chains import tx_ids
from strongroom.chains.base import AccountKeys, Decoded, ParsedAddress, Unsigned
from strongroom.chains.evm import (
    addresses,
    cautions,
    checks,
    decoding,
    guards,
    messages,
    networks,
    schemes,
    signatures,
    summary,
)
from strongroom.chains.evm.decoding import EvmTransaction
from strongroom.chains.evm.messages import ReadMessage
from strongroom.chains.evm.transaction import BLOB, Signature, Transaction, parse
from strongroom.chains.implementing import message_key, only_signature, own, to_sign
from strongroom.codecs import bip32, eip55, hexadecimal
from strongroom.codecs.keccak import keccak256
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import (
    Algorithm,
    Consumed,
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
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import PublicNode, WalletKind
from strongroom.errors import InternalError, InvalidMessage, InvalidTransaction

_SIDECAR: Final = "not included: add it for the network form"


@dataclass(frozen=True, slots=True)
class _Template:
    transaction: Transaction
    sender: OurKey
    digest: bytes


@dataclass(frozen=True, slots=True)
class _MessageTemplate:
    message: ReadMessage
    sender: OurKey


class Evm:
    """Implements `chains.base.Chain` with the modules beside this one."""

    name = networks.CHAIN
    networks: Sequence[Network] = networks.NETWORKS
    limits: Mapping[str, int | None] = checks.LIMITS
    key_formats: Sequence[str] = ("hex",)
    message_formats: Sequence[str] = messages.MESSAGE_FORMATS
    statement_formats: Sequence[str] = ()
    document_formats: Sequence[str] = messages.DOCUMENT_FORMATS

    def network_for(self, text: str) -> Network | None:
        return networks.network_for(text)

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]:
        return schemes.SCHEMES

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme:
        return schemes.DEFAULTS[kind]

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        return addresses.parse(text)

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        return addresses.show(addresses.from_public_key(public_key))

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        return AccountKeys(bip32.xpub(node))

    def decode(self, network: Network, unsigned: Unsigned) -> EvmTransaction:
        return decoding.decode(network, unsigned)

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        read = own(decoded, EvmTransaction)
        checks.check(read, policy)
        return cautions.of_transaction(read, _sender(read, ours), policy)

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary:
        read = own(decoded, EvmTransaction)
        return summary.summarise(read, _sender(read, ours), keccak256(read.transaction.payload()))

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        read = own(decoded, EvmTransaction)
        sender = decoding.signer(read, ours)
        transaction, network, payload = read.transaction, read.network, read.transaction.payload()
        if read.serialised not in (None, payload):
            raise InvalidTransaction("the transaction is not in its canonical form", field="unsigned_tx")
        digest = keccak256(payload)
        return Prepared(
            network=network,
            to_sign=(to_sign(sender, Algorithm.ECDSA, digest, Purpose.TRANSACTION),),
            summary=summary.summarise(read, sender.address, digest),
            template=_Template(transaction, sender, digest),
            guards=guards.of_transaction(network, transaction, sender.address, digest),
        )

    def assemble(self, prepared: Prepared, made: Sequence[bytes]) -> Signed:
        template = own(prepared.template, _Template)
        transaction = template.transaction
        compact, y_parity = signatures.verified(template.digest, only_signature(made), template.sender.public_key)
        signature = Signature(y_parity, int.from_bytes(compact[:32], "big"), int.from_bytes(compact[32:], "big"))
        raw = transaction.signed(signature)
        if parse(raw) != (transaction, signature):
            raise InternalError("the signed transaction is not the one that was checked")
        details: dict[str, object] = {
            "from": eip55.checksum(template.sender.address),
            "type": hex(transaction.type),
            "nonce": hex(transaction.nonce),
            "v": hex(transaction.v(signature)),
            "r": hexadecimal.to_text(compact[:32]),
            "s": hexadecimal.to_text(compact[32:]),
            "yParity": hex(y_parity),
            "signing_hash": hexadecimal.to_text(template.digest),
        }
        if transaction.type == BLOB:
            details["sidecar"] = _SIDECAR
        return Signed(hexadecimal.to_text(raw), hexadecimal.to_text(keccak256(raw)), True, details)

    def identify(self, network: Network, signed: str) -> SignedIds:
        raw, transaction, signature = decoding.signed(network, signed)
        digest = keccak256(transaction.payload())
        compact = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
        sender = signatures.recover_address(digest, compact, signature.y_parity)
        if sender is None:
            raise InvalidTransaction("the signature is not valid", field="signed_tx")
        consumed = Consumed(sender.hex(), str(transaction.nonce))
        return SignedIds((hexadecimal.to_text(keccak256(raw)),), consumes=(consumed,))

    def tx_id(self, text: str) -> str:
        return tx_ids.of_hash(text, prefix="0x")

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        sender = message_key(ours)
        read = messages.read(network, message)
        prepared = Prepared(
            network=network,
            to_sign=(to_sign(sender, Algorithm.ECDSA, read.digest, Purpose.MESSAGE),),
            summary=Summary(
                network=network.name,
                type=read.format,
                actions=list(read.actions),
                from_address=eip55.checksum(sender.address),
                payload_hash=hexadecimal.to_text(read.digest),
            ),
            template=_MessageTemplate(read, sender),
            guards=(
                ()
                if read.authorization is None
                else guards.of_authorization(network, read.authorization, sender.address)
            ),
        )
        return prepared, read.cautions

    def assemble_message(self, prepared: Prepared, made: Sequence[bytes]) -> SignedMessage:
        template = own(prepared.template, _MessageTemplate)
        message = template.message
        compact, y_parity = signatures.verified(message.digest, only_signature(made), template.sender.public_key)
        details = dict(message.details)
        if message.format == messages.EIP7702:
            r, s = hexadecimal.to_text(compact[:32]), hexadecimal.to_text(compact[32:])
            details |= {"y_parity": y_parity, "r": r, "s": s}
        return SignedMessage(
            signature=signatures.to_text(compact, y_parity),
            address=eip55.checksum(template.sender.address),
            digest=hexadecimal.to_text(message.digest),
            details=details,
        )

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        expected = addresses.parse(address).canonical
        digest = messages.read(network, message).digest
        try:
            compact, y_parity = signatures.from_text(signature)
        except ValueError as error:
            raise InvalidMessage(str(error), field="signature") from None
        return signatures.recover_address(digest, compact, y_parity) == expected


def _sender(decoded: EvmTransaction, ours: Ours | None) -> bytes | None:
    return decoded.sender if ours is None else decoding.signer(decoded, ours).address
