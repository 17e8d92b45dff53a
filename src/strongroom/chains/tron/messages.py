"""Messages by TIP-191 (`signMessageV2` of TronWeb) and typed data by TIP-712.

TIP-712 is EIP-712 with Tron's addresses, without their first byte, and with the type ``trcToken`` for the id of a
TRC-10 token, which is encoded as uint256 (github.com/tronprotocol/tips, tip-191 and tip-712).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from strongroom.chains import typed_messages
from strongroom.chains.base import no_message_format
from strongroom.chains.tron import addresses
from strongroom.codecs import eip191, tip191
from strongroom.codecs.eip712 import DOMAIN
from strongroom.domain.cautions import caution
from strongroom.domain.network import Network
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action, Caution

TIP191: Final = "tip191"
TYPED_DATA: Final = typed_messages.FORMAT
"""The name of the format in the API. The summary says tip712."""
MESSAGE_FORMATS: Final = (TIP191,)
DOCUMENT_FORMATS: Final = (TYPED_DATA,)

_ALIASES: Final = {"trcToken": "uint256"}
_DOMAIN_FIELDS: Final = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """A message that was read, with the digest to sign and what the message does."""

    type: str
    digest: bytes
    actions: tuple[Action, ...]
    cautions: tuple[Caution, ...] = ()


def read(network: Network, message: Message) -> ReadMessage:
    """Raises InvalidMessage."""
    if message.format == TIP191:
        digest, size = tip191.digest(message.data), len(message.data)
        found = (caution("unknown_hash"),) if eip191.may_be_hash(message.data) else ()
        return ReadMessage(TIP191, digest, (Action(kind="message", data_size=size),), found)
    if message.format == TYPED_DATA:
        return _typed(network, message.document)
    raise no_message_format((*MESSAGE_FORMATS, *DOCUMENT_FORMATS))


def _typed(network: Network, document: Mapping[str, object]) -> ReadMessage:
    found = typed_messages.read(
        network,
        _with_domain(document),
        parse_address=addresses.from_any,
        show=addresses.from_evm,
        aliases=_ALIASES,
    )
    return ReadMessage("tip712", *found)


def _with_domain(document: Mapping[str, object]) -> Mapping[str, object]:
    """The document with the type of its domain.

    Users of TronWeb leave the type out. It then has the fields of the domain, in the order of `_DOMAIN_FIELDS`.
    """
    types, domain = document.get("types"), document.get("domain")
    if not isinstance(types, dict) or not isinstance(domain, dict) or DOMAIN in types:
        return document
    if not domain.keys() <= _DOMAIN_FIELDS.keys():
        return document
    fields = [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS.items() if name in domain]
    return {**document, "types": {DOMAIN: fields, **types}}
