"""Messages, which are EIP-191 `personal_sign`, EIP-712 typed data and EIP-7702 authorizations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from strongroom.chains import typed_messages
from strongroom.chains.base import no_message_format
from strongroom.chains.evm import fields, summary
from strongroom.chains.evm.checks import MAX_NONCE
from strongroom.chains.evm.transaction import Authorization
from strongroom.codecs import eip55, eip191
from strongroom.domain.cautions import caution
from strongroom.domain.network import Network
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action, Caution
from strongroom.errors import InvalidMessage

EIP191: Final = "eip191"
EIP712: Final = typed_messages.FORMAT
EIP7702: Final = "eip7702"
MESSAGE_FORMATS: Final = (EIP191,)
DOCUMENT_FORMATS: Final = (EIP712, EIP7702)


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that was read, with the digest to sign and what the message does."""

    format: str
    digest: bytes
    actions: tuple[Action, ...]
    cautions: tuple[Caution, ...] = ()
    authorization: Authorization | None = None
    details: Mapping[str, object] = field(default_factory=dict)


def read(network: Network, message: Message) -> ReadMessage:
    """Raises InvalidMessage."""
    if message.format == EIP191:
        return _personal(message.data)
    if message.format == EIP712:
        return ReadMessage(EIP712, *typed_messages.read(network, message.document))
    if message.format == EIP7702:
        return _authorization(network, message.document)
    raise no_message_format((*MESSAGE_FORMATS, *DOCUMENT_FORMATS))


def _personal(data: bytes) -> ReadMessage:
    found = (caution("unknown_hash"),) if eip191.may_be_hash(data) else ()
    return ReadMessage(EIP191, eip191.digest(data), (Action(kind="message", data_size=len(data)),), found)


def _authorization(network: Network, document: Mapping[str, object]) -> ReadMessage:
    if document.keys() != {"chain_id", "address", "nonce"}:
        raise InvalidMessage("an authorization must have exactly chain_id, address and nonce", field="authorization")
    try:
        authorization = Authorization(
            fields.quantity(document["chain_id"]),
            fields.address(document["address"]),
            fields.quantity(document["nonce"]),
        )
    except ValueError as error:
        raise InvalidMessage(str(error), field="authorization") from None
    if authorization.chain_id not in (0, network.chain_id):
        raise InvalidMessage("chain_id must be that of the network, or 0", field="chain_id")
    if authorization.nonce > MAX_NONCE:
        raise InvalidMessage("nonce must be below 2^64 - 1 (EIP-2681)", field="nonce")
    address = eip55.checksum(authorization.address)
    details = {"chain_id": str(authorization.chain_id), "address": address, "nonce": str(authorization.nonce)}
    made = summary.authorization(authorization, signer=None)
    found = (caution("delegation"), *([caution("authorization_any_chain")] if authorization.chain_id == 0 else []))
    return ReadMessage(EIP7702, authorization.signing_hash, (made,), found, authorization, details)
