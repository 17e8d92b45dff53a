"""Bitcoin as a `Chain`, with the main network and four test networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from strongroom.chains import tx_ids
from strongroom.chains.base import AccountKeys, Decoded, ParsedAddress, Unsigned
from strongroom.chains.bitcoin import address as addresses
from strongroom.chains.bitcoin import checks, decoding, descriptor, networks, schemes, signing, summary
from strongroom.chains.bitcoin import message as messages
from strongroom.chains.bitcoin.decoding import BitcoinTransaction
from strongroom.chains.bitcoin.ownership import Ownership
from strongroom.chains.implementing import own
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import Consumed, Message, Ours, Policy, Prepared, Signed, SignedIds, SignedMessage
from strongroom.domain.summary import Caution, Summary
from strongroom.domain.wallet import PublicNode, WalletKind
from strongroom.errors import InternalError


class Bitcoin:
    """Implements `chains.base.Chain` with the modules beside this one."""

    name = networks.CHAIN
    networks: Sequence[Network] = networks.NETWORKS
    limits: Mapping[str, int | None] = checks.LIMITS
    key_formats: Sequence[str] = ("hex", "wif")
    message_formats: Sequence[str] = messages.MESSAGE_FORMATS
    statement_formats: Sequence[str] = ()
    document_formats: Sequence[str] = ()

    def network_for(self, text: str) -> Network | None:
        return None  # the prefixes of a network's addresses do not follow from its genesis hash

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]:
        return schemes.SCHEMES[keyspace]

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme:
        return schemes.SCHEMES[keyspace][schemes.DEFAULTS[kind]]

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        return addresses.parse(network, text)

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        shown = addresses.show(network, schemes.script_of(scheme, public_key))
        if shown is None:
            raise InternalError("the script of a single key has an address")
        return shown

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        return descriptor.account_keys(network, scheme, node, master_fingerprint)

    def decode(self, network: Network, unsigned: Unsigned) -> BitcoinTransaction:
        return decoding.decode(network, unsigned)

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        read = own(decoded, BitcoinTransaction)
        held = None if ours is None else Ownership(read, ours)
        signed = checks.check(read, held, policy)
        return tuple(summary.cautions(held or Ownership(read, {}), signed, policy))

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary:
        read = own(decoded, BitcoinTransaction)
        return summary.summarise(read, Ownership(read, ours or {}))

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        return signing.prepare(own(decoded, BitcoinTransaction), ours)

    def assemble(self, prepared: Prepared, signatures: Sequence[bytes]) -> Signed:
        return signing.assemble(own(prepared.template, signing.Template), signatures)

    def identify(self, network: Network, signed: str) -> SignedIds:
        found = decoding.signed(signed)
        outpoints = tuple(Consumed("", str(spending.outpoint)) for spending in found.inputs)
        return SignedIds((found.txid, found.wtxid), consumes=outpoints)

    def tx_id(self, text: str) -> str:
        return tx_ids.of_hash(text)

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        return messages.prepare(network, message, ours)

    def assemble_message(self, prepared: Prepared, signatures: Sequence[bytes]) -> SignedMessage:
        return messages.assemble(prepared, signatures)

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        return messages.verify(network, message, signature, address)
