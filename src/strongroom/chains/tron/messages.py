"""Messages: TIP-191 (`signMessageV2` of TronWeb) and TIP-712 typed data.

TIP-712 is EIP-712 with Tron's addresses, which lose their first byte, and the type ``trcToken``, the id of a TRC-10
token, which is encoded as uint256 (github.com/tronprotocol/tips, tip-191 and tip-712).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from strongroom.chains.evm.messages import typed_cautions
from strongroom.chains.tron import addresses
from strongroom.codecs import eip712, tip191
from strongroom.codecs.eip712 import DOMAIN, TypedDataError
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
    action: Action
    cautions: tuple[Caution, ...] = ()


def read(network: Network, message: Message) -> ReadMessage:
    """Raises InvalidMessage."""
    if message.format == TIP191:
        digest = tip191.digest(message.data)
        return ReadMessage(TIP191, digest, Action(kind="message", data_size=len(message.data)))
    if message.format == TYPED_DATA:
        return _typed(network, message.document)
    raise InvalidMessage("this chain has no such message format", field="format")


def _typed(network: Network, document: Mapping[str, object]) -> ReadMessage:
    try:
        typed = eip712.parse(_with_domain(document), parse_address=addresses.from_any, aliases=_ALIASES)
    except TypedDataError as error:
        raise InvalidMessage(str(error), field="typed_data") from None
    # A domain may give chainId any type; whoever states one means it.
    if "chainId" in typed.domain and _integer(typed.domain["chainId"]) != network.chain_id:
        raise InvalidMessage("domain.chainId is not that of the network", field="typed_data.domain.chainId")
    action = Action(
        kind="typed_data",
        contract=_shown(typed.domain.get("verifyingContract")),
        method=typed.primary_type,
        spender=_shown(typed.message.get("spender")),
        details={"primary_type": typed.primary_type, "domain": dict(typed.domain)},
    )
    return ReadMessage("tip712", typed.digest, action, typed_cautions(typed))


def _with_domain(document: Mapping[str, object]) -> Mapping[str, object]:
    """TronWeb's callers leave the domain's type out: then it has those fields that the domain has, in this order."""
    types, domain = document.get("types"), document.get("domain")
    if not isinstance(types, dict) or not isinstance(domain, dict) or DOMAIN in types:
        return document
    fields = [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS.items() if name in domain]
    return {**document, "types": {DOMAIN: fields, **types}}


def _shown(value: Any) -> str | None:
    """An address as the network shows it; other text as it is."""
    if not isinstance(value, str):
        return None
    try:
        return addresses.to_text(addresses.PREFIX + addresses.from_any(value))
    except ValueError:
        return value


def _integer(value: object) -> int | None:
    try:
        return eip712.integer(value)
    except ValueError:
        return None
