"""Messages: TIP-191 (`signMessageV2` of TronWeb) and TIP-712 typed data.

TIP-712 is EIP-712 with Tron's addresses, which lose their first byte, and the type ``trcToken``, the id of a TRC-10
token, which is encoded as uint256 (github.com/tronprotocol/tips, tip-191 and tip-712).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from strongroom.chains.tron import addresses, calls
from strongroom.codecs import eip712, tip191, typed
from strongroom.codecs.eip712 import DOMAIN, TypedData, TypedDataError
from strongroom.domain.cautions import caution
from strongroom.domain.network import Network
from strongroom.domain.signing import Message
from strongroom.domain.summary import Action, Caution
from strongroom.errors import InvalidMessage

TIP191: Final = "tip191"
TYPED_DATA: Final = "eip712"
"""By the name of the operation; the summary says TIP-712."""
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
    """A message that could be read: what is signed and what it does."""

    type: str
    digest: bytes
    actions: tuple[Action, ...]
    cautions: tuple[Caution, ...] = ()


def read(network: Network, message: Message) -> ReadMessage:
    """Raises InvalidMessage."""
    if message.format == TIP191:
        digest = tip191.digest(message.data)
        return ReadMessage(TIP191, digest, (Action(kind="message", data_size=len(message.data)),))
    if message.format == TYPED_DATA:
        return _typed(network, message.document)
    raise InvalidMessage("this chain has no such message format", field="format")


def _typed(network: Network, document: Mapping[str, object]) -> ReadMessage:
    try:
        parsed = eip712.parse(_with_domain(document), parse_address=addresses.from_any, aliases=_ALIASES)
    except TypedDataError as error:
        raise InvalidMessage(str(error), field="typed_data") from None
    stated = document["domain"]
    assert isinstance(stated, dict)
    # A domain may give chainId any type, and need not sign it; whoever states one means it.
    if stated.get("chainId") is not None and _integer(stated["chainId"]) != network.chain_id:
        raise InvalidMessage("domain.chainId is not that of the network", field="typed_data.domain.chainId")
    has_contract = stated.get("verifyingContract") is not None
    read = typed.read_typed(parsed, _contract(parsed), addresses.from_any, has_contract=has_contract)
    first, *others = (calls.action(effect, network.symbol) for effect in read.effects)
    domain = {name: typed.short(value) for name, value in parsed.domain.items()}
    first = replace(first, details={"primary_type": parsed.primary_type, "domain": domain, **first.details})
    return ReadMessage("tip712", parsed.digest, (first, *others), tuple(map(caution, read.cautions)))


def _contract(parsed: TypedData) -> bytes | None:
    """The verifying contract, if one is signed; its type may be any."""
    value = parsed.domain.get("verifyingContract")
    try:
        return addresses.from_any(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _with_domain(document: Mapping[str, object]) -> Mapping[str, object]:
    """TronWeb's callers leave the domain's type out: then it has those fields that the domain has, in this order."""
    types, domain = document.get("types"), document.get("domain")
    if not isinstance(types, dict) or not isinstance(domain, dict) or DOMAIN in types:
        return document
    if not domain.keys() <= _DOMAIN_FIELDS.keys():
        return document
    fields = [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS.items() if name in domain]
    return {**document, "types": {DOMAIN: fields, **types}}


def _integer(value: object) -> int | None:
    try:
        return eip712.integer(value)
    except ValueError:
        return None
