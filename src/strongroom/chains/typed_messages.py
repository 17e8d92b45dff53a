"""Typed data (EIP-712, TIP-712) as a message, the part that EVM networks and Tron share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from strongroom.codecs import eip55, eip712, typed
from strongroom.codecs.effects import action
from strongroom.codecs.eip712 import ParseAddress, TypedDataError
from strongroom.domain.cautions import caution
from strongroom.domain.network import Network
from strongroom.domain.summary import Action, Caution
from strongroom.errors import InvalidMessage

FORMAT: Final = "eip712"


def read(
    network: Network,
    document: Mapping[str, object],
    *,
    parse_address: ParseAddress = eip55.parse,
    show: Callable[[bytes], str] = eip55.checksum,
    aliases: Mapping[str, str] | None = None,
) -> tuple[bytes, tuple[Action, ...], tuple[Caution, ...]]:
    """The digest to sign, the actions, with the message itself first, and the cautions. Raises InvalidMessage.

    ``show`` formats 20 bytes as an address. ``parse_address`` and ``aliases`` are those of `eip712.parse`.
    """
    try:
        parsed = eip712.parse(document, parse_address=parse_address, aliases=aliases)
    except TypedDataError as error:
        raise InvalidMessage(str(error), field="typed_data") from None
    stated = document["domain"]
    assert isinstance(stated, dict)
    # A domain may give chainId any type and need not sign it. If it states one, it has to fit nevertheless.
    if stated.get("chainId") is not None and _integer(stated["chainId"]) != network.chain_id:
        raise InvalidMessage(
            f"domain.chainId is not that of the network {network.name}, which is {network.chain_id}",
            field="typed_data.domain.chainId", expected=str(network.chain_id),
        )  # fmt: skip
    found = typed.read_typed(parsed, parse_address)
    first, *others = (action(effect, show, network.symbol) for effect in found.effects)
    domain = {name: typed.short(value) for name, value in parsed.domain.items()}
    first = replace(first, details={"primary_type": parsed.primary_type, "domain": domain, **first.details})
    return parsed.digest, (first, *others), tuple(map(caution, found.cautions))


def _integer(value: object) -> int | None:
    try:
        return eip712.integer(value)
    except ValueError:
        return None
