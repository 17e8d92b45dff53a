"""Tron as a `Chain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from strongroom.chains import tx_ids
from strongroom.chains.base import AccountKeys, Decoded, ParsedAddress, Unsigned
from strongroom.chains.evm import signatures as ecdsa
from strongroom.chains.implementing import message_key, only_signature, own, to_sign
from strongroom.chains.tron import (
    addresses,
    cautions,
    checks,
    decoding,
    jsonform,
    messages,
    networks,
    schemes,
    signatures,
    summary,
    transaction,
)
from strongroom.chains.tron.decoding import TronTransaction
from strongroom.chains.tron.messages import ReadMessage
from strongroom.chains.tron.wire import WireError
from strongroom.codecs import bip32, hexadecimal
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import (
    Algorithm,
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
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import PublicNode, WalletKind
from strongroom.errors import InternalError, InvalidMessage, InvalidTransaction


@dataclass(frozen=True, slots=True)
class _Template:
    decoded: TronTransaction
    key: OurKey


@dataclass(frozen=True, slots=True)
class _MessageTemplate:
    message: ReadMessage
    key: OurKey


class Tron:
    """Implements `chains.base.Chain` with the modules beside this one."""

    name = networks.CHAIN
    networks: Sequence[Network] = networks.NETWORKS
    limits: Mapping[str, int | None] = checks.LIMITS
    key_formats: Sequence[str] = ("hex",)
    message_formats: Sequence[str] = messages.MESSAGE_FORMATS
    document_formats: Sequence[str] = messages.DOCUMENT_FORMATS
    statement_formats: Sequence[str] = ()

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

    def decode(self, network: Network, unsigned: Unsigned) -> TronTransaction:
        return decoding.decode(network, unsigned)

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        read = own(decoded, TronTransaction)
        checks.check(read, policy, now, signs=ours is not None)
        return cautions.of_transaction(read, None if ours is None else decoding.signer(read, ours), policy, now)

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary:
        return summary.summarise(own(decoded, TronTransaction))

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        read = own(decoded, TronTransaction)
        key, network = decoding.signer(read, ours), read.network
        if read.transaction.raw_data() != read.reading.raw_data:
            raise InvalidTransaction("the transaction is not in its canonical form", field="unsigned_tx")
        return Prepared(
            network=network,
            to_sign=(to_sign(key, Algorithm.ECDSA, read.tx_id, Purpose.TRANSACTION),),
            summary=summary.summarise(read),
            template=_Template(read, key),
            guards=(  # Tron uses nothing up, so the guard is the transaction itself, which may be signed again
                Guard(
                    keyspace=network.keyspace,
                    chain_id=network.caip2,
                    address=key.address.hex(),
                    sequence=read.tx_id.hex(),
                    payload_hash=read.tx_id,
                ),
            ),
        )

    def assemble(self, prepared: Prepared, made: Sequence[bytes]) -> Signed:
        template = own(prepared.template, _Template)
        read, key, reading = template.decoded, template.key, template.decoded.reading
        signature = signatures.made(read.tx_id, only_signature(made), key.public_key)
        every = (*reading.signatures, signature)
        raw = transaction.serialise(reading.raw_data, every)
        if transaction.split(raw) != (reading.raw_data, every):
            raise InternalError("the signed transaction is not the one that was checked")
        alone = not read.transaction.permission_id and key.address == read.transaction.owner and len(every) == 1
        details: dict[str, object] = {
            "signature": signature.hex(),
            "signatures": [one.hex() for one in every],
            "signed_by": [addresses.to_text(one) for one in (*read.signers, key.address)],
            "raw_data_hex": reading.raw_data.hex(),
            "broadcast_hex": raw.hex(),
            "expiration": read.transaction.expiration,
            "permission_id": read.transaction.permission_id,
            "transaction": jsonform.write(reading, every),
        }
        return Signed(raw.hex(), read.tx_id.hex(), alone, details)

    def identify(self, network: Network, signed: str) -> SignedIds:
        raw_data, made = decoding.signed(signed)
        tx_id = transaction.tx_id(raw_data)
        if not made or len(made) > transaction.MAX_SIGNATURES:
            raise InvalidTransaction("the transaction is not signed", field="signed_tx")
        signers = [signatures.signer(tx_id, one) for one in made]
        if None in signers:
            raise InvalidTransaction("a signature is not valid", field="signed_tx")
        try:
            expiration = transaction.expiration_of(raw_data)
        except WireError as error:
            raise InvalidTransaction(str(error), field="signed_tx") from None
        named = tuple(each.hex() for each in signers if each is not None)
        return SignedIds((tx_id.hex(),), expiry=transaction.moment(expiration), signers=named)

    def tx_id(self, text: str) -> str:
        return tx_ids.of_hash(text)

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        key = message_key(ours)
        read = messages.read(network, message)
        prepared = Prepared(
            network=network,
            to_sign=(to_sign(key, Algorithm.ECDSA, read.digest, Purpose.MESSAGE),),
            summary=Summary(
                network=network.name,
                type=read.type,
                actions=list(read.actions),
                from_address=addresses.to_text(key.address),
                payload_hash=hexadecimal.to_text(read.digest),
            ),
            template=_MessageTemplate(read, key),
        )
        return prepared, read.cautions

    def assemble_message(self, prepared: Prepared, made: Sequence[bytes]) -> SignedMessage:
        template = own(prepared.template, _MessageTemplate)
        digest, key = template.message.digest, template.key
        return SignedMessage(
            signature=hexadecimal.to_text(signatures.made(digest, only_signature(made), key.public_key)),
            address=addresses.to_text(key.address),
            digest=hexadecimal.to_text(digest),
        )

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        expected = addresses.parse(address).canonical
        digest = messages.read(network, message).digest
        try:
            compact, y_parity = ecdsa.from_text(signature)
        except ValueError as error:
            raise InvalidMessage(str(error), field="signature") from None
        key = ecdsa.recover(digest, compact, y_parity)
        return key is not None and addresses.from_public_key(key) == expected
