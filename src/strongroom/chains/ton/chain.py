"""TON as a `Chain`. Wallets are contracts, and a transfer is a message that a key signs for its wallet."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from strongroom.chains import tx_ids
from strongroom.chains.base import AccountKeys, Decoded, ParsedAddress, Unsigned
from strongroom.chains.implementing import message_key, only_signature, own, to_sign
from strongroom.chains.ton import addresses, boc, build, checks, messages, networks, schemes, signed, summary, transfer
from strongroom.chains.ton.addresses import TonAddress
from strongroom.chains.ton.cell import Cell, CellError
from strongroom.chains.ton.contracts import CONTRACTS, HIGHLOAD_V3, Account
from strongroom.chains.ton.messages import ReadMessage
from strongroom.chains.ton.transfer import TonTransfer
from strongroom.codecs.ed25519 import verifies
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
from strongroom.errors import InternalError, InvalidMessage, InvalidTransaction, UnknownScheme, WrongKey

_PUBLIC_KEY: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Template:
    transfer: TonTransfer
    account: Account
    sender: OurKey
    unsigned: Cell


@dataclass(frozen=True, slots=True)
class _MessageTemplate:
    message: ReadMessage
    sender: OurKey


class Ton:
    """Implements `chains.base.Chain` with the modules beside this one."""

    name = networks.CHAIN
    networks: Sequence[Network] = networks.NETWORKS
    limits: Mapping[str, int | None] = checks.LIMITS
    key_formats: Sequence[str] = ("hex",)
    message_formats: Sequence[str] = messages.MESSAGE_FORMATS
    statement_formats: Sequence[str] = messages.STATEMENT_FORMATS
    document_formats: Sequence[str] = ()

    def network_for(self, text: str) -> Network | None:
        return None

    def schemes(self, keyspace: str) -> Mapping[str, Scheme]:
        return schemes.SCHEMES[keyspace]

    def default_scheme(self, keyspace: str, kind: WalletKind) -> Scheme:
        return schemes.SCHEMES[keyspace][schemes.DEFAULTS[kind]]

    def parse_address(self, network: Network, text: str) -> ParsedAddress:
        return addresses.show(network, addresses.read(network, text))

    def render(self, network: Network, scheme: Scheme, public_key: bytes) -> ParsedAddress:
        account = schemes.account(scheme.name)
        found = addresses.show(network, TonAddress(account.address(network.testnet, public_key)), "wallet")
        details = {
            **found.details,
            "contract": account.contract.name,
            "wallet_id": account.wallet_id(network.testnet),
        }
        return replace(found, details=details)

    def account_keys(
        self, network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None
    ) -> AccountKeys:
        raise UnknownScheme("this chain has no extended public keys", field="scheme")

    def decode(self, network: Network, unsigned: Unsigned) -> TonTransfer:
        return transfer.decode(network, unsigned)

    def check(self, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime) -> tuple[Caution, ...]:
        read = own(decoded, TonTransfer)
        if ours is None:
            return checks.check(read, None, policy, now)
        return checks.check(read, _account(read, _sender(read, ours)), policy, now)

    def summarise(self, decoded: Decoded, ours: Ours | None) -> Summary:
        read = own(decoded, TonTransfer)
        if ours is None:
            return summary.summarise(read, read.sender, None, None)
        return self.prepare(decoded, ours).summary

    def prepare(self, decoded: Decoded, ours: Ours) -> Prepared:
        read = own(decoded, TonTransfer)
        sender = _sender(read, ours)
        account = _account(read, sender)
        try:
            unsigned = build.unsigned_body(read, account, sender.address)
            unmade = build.signed_body(account, unsigned, bytes(64))
            checks.check_size(_external(read, account, sender, unmade))
        except CellError as error:
            raise InvalidTransaction(str(error), field="unsigned_tx.messages") from None
        return Prepared(
            network=read.network,
            to_sign=(to_sign(sender, Algorithm.ED25519, unsigned.hash, Purpose.TRANSACTION),),
            summary=summary.summarise(read, sender.address, account.contract.name, unsigned.hash),
            template=_Template(read, account, sender, unsigned),
            guards=(
                Guard(
                    keyspace=read.network.keyspace,
                    chain_id=read.network.caip2,
                    address=sender.address.hex(),
                    sequence=read.sequence,
                    payload_hash=unsigned.hash,
                ),
            ),
        )

    def assemble(self, prepared: Prepared, made: Sequence[bytes]) -> Signed:
        template = own(prepared.template, _Template)
        read, account, sender = template.transfer, template.account, template.sender
        signature = _verified(made, sender, template.unsigned.hash)
        body = build.signed_body(account, template.unsigned, signature)
        message = _external(read, account, sender, body)
        raw = boc.to_base64(message)
        tx_id = build.normalised_hash(sender.address, body).hex()
        if self.identify(read.network, raw).tx_ids != (tx_id, message.hash.hex()):
            raise InternalError("the signed message is not the one that was checked")
        details: dict[str, object] = {
            "from": addresses.shown(read.network, sender.address),
            "from_raw": addresses.raw(sender.address),
            "message_hash": message.hash.hex(),
            "normalized_hash": tx_id,
            "signing_hash": template.unsigned.hash.hex(),
            "body_hash": body.hash.hex(),
            "signature": signature.hex(),
            "contract": account.contract.name,
            "wallet_id": account.wallet_id(read.network.testnet),
            "sequence": read.sequence,
        }
        if read.valid_until is not None:
            details["valid_until"] = read.valid_until
        return Signed(raw, tx_id, True, details)

    def identify(self, network: Network, text: str) -> SignedIds:
        return signed.identify(network, text)

    def tx_id(self, text: str) -> str:
        return tx_ids.of_message(text)

    def prepare_message(self, network: Network, message: Message, ours: Ours) -> tuple[Prepared, tuple[Caution, ...]]:
        sender = message_key(ours)
        read = messages.read(message, sender.address)
        prepared = Prepared(
            network=network,
            to_sign=(to_sign(sender, Algorithm.ED25519, read.payload, Purpose.MESSAGE),),
            summary=Summary(
                network=network.name,
                type=read.format,
                actions=[read.action],
                from_address=addresses.shown(network, sender.address),
                payload_hash=None if read.digest is None else read.digest.hex(),
            ),
            template=_MessageTemplate(read, sender),
        )
        return prepared, read.cautions

    def assemble_message(self, prepared: Prepared, made: Sequence[bytes]) -> SignedMessage:
        template = own(prepared.template, _MessageTemplate)
        message, sender = template.message, template.sender
        signature = _verified(made, sender, message.payload)
        digest = None if message.digest is None else message.digest.hex()
        details: dict[str, object] = {
            "address_raw": addresses.raw(sender.address),
            "public_key": sender.public_key.hex(),
        }
        if digest is not None:
            details["hash"] = digest
        return SignedMessage(
            signature=base64.b64encode(signature).decode(),
            address=addresses.shown(prepared.network, sender.address),
            digest=digest,
            details=details,
        )

    def verify_message(self, network: Network, message: Message, signature: str, address: str) -> bool:
        """Like `Chain.verify_message`. A key cannot be found from an address, so the caller names it.

        The address must be that of a wallet of this key.
        """
        signer = addresses.read(network, address).canonical
        if message.public_key is None or _PUBLIC_KEY.fullmatch(message.public_key) is None:
            raise InvalidMessage(
                "this format is verified with public_key, which must be 64 hex digits", field="public_key"
            )
        public_key = bytes.fromhex(message.public_key)
        read = messages.read(message, signer)
        made = messages.signature_bytes(signature)
        if not _is_wallet_of(network, public_key, signer):
            raise InvalidMessage(
                "the address does not belong to this key with any of the supported wallet contracts",
                field="public_key",
            )
        return verifies(public_key, made, read.payload)


def _is_wallet_of(network: Network, public_key: bytes, address: bytes) -> bool:
    """Whether the address is the first wallet of the key in some contract. Subwallets are not considered."""
    workchain = addresses.workchain(address)
    accounts = (Account(contract, workchain) for contract in CONTRACTS.values())
    return any(
        account.address(network.testnet, public_key) == address
        for account in accounts
        if workchain == 0 or account.contract is not HIGHLOAD_V3
    )


def _sender(read: TonTransfer, ours: Ours) -> OurKey:
    """The key whose wallet sends the transfer. Raises WrongKey unless there is exactly one."""
    keys = [key for key in ours.values() if read.sender in (None, key.address)]
    if len(keys) != 1:
        raise WrongKey("from is not the address of the wallet that signs", field="unsigned_tx.from")
    return keys[0]


def _account(read: TonTransfer, sender: OurKey) -> Account:
    """The sender's contract. Raises InternalError unless the address follows from the contract and the key."""
    account = schemes.account(sender.scheme)
    if account.address(read.network.testnet, sender.public_key) != sender.address:
        raise InternalError("the address of the key differs from that of its contract")
    return account


def _external(read: TonTransfer, account: Account, sender: OurKey, body: Cell) -> Cell:
    state = account.state(read.network.testnet, sender.public_key) if read.deploy else None
    return build.external(sender.address, body, state)


def _verified(made: Sequence[bytes], sender: OurKey, payload: bytes) -> bytes:
    signature = only_signature(made)
    if not verifies(sender.public_key, signature, payload):
        raise InternalError("a signature is not valid")
    return signature
