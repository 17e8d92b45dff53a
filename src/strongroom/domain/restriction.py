"""Restrictions of a caller beyond its scopes. An API key gets them when it is made, and a token may state them too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec

from strongroom.domain.client_networks import Network, parse_network
from strongroom.domain.rate import Rate


@dataclass(frozen=True, slots=True)
class Restriction:
    """A field that is None or empty restricts nothing, except that empty sets permit nothing."""

    networks: frozenset[str] | None = None
    """CAIP-2 ids. To the caller, other networks and all that belongs to them do not exist."""
    wallets: frozenset[UUID] | None = None
    """To the caller, other wallets do not exist."""
    clients: tuple[Network, ...] = ()
    """The addresses that the caller may call from. Empty means any address."""
    rates: Mapping[str, Rate | None] = field(default_factory=dict)
    """Rates by limit class that replace the configured ones. None means no limit."""
    refuses_unknown_calls: bool = False
    """Whether transactions and typed data that cannot be decoded completely are refused."""
    max_values: Mapping[str, int] = field(default_factory=dict)
    """The most that may leave a wallet in one transaction, in base units, by CAIP-19 id of the asset.

    If any is set, transactions with unknown effects are refused, and so are transactions with assets not named here.
    """

    @property
    def hides(self) -> bool:
        """Whether some networks or wallets do not exist for the caller."""
        return self.networks is not None or self.wallets is not None


NONE: Final = Restriction()


def write_restriction(restriction: Restriction) -> str | None:
    """The JSON that is stored under a MAC, or None. Equal restrictions give equal text."""
    wallets = None if restriction.wallets is None else sorted(map(str, restriction.wallets))
    said = {
        "networks": None if restriction.networks is None else sorted(restriction.networks),
        "wallets": wallets,
        "clients": [str(network) for network in restriction.clients] or None,
        "rates": {name: "off" if rate is None else rate.text for name, rate in sorted(restriction.rates.items())},
        "unknown_calls": "refuse" if restriction.refuses_unknown_calls else None,
        "max_values": {asset: str(most) for asset, most in sorted(restriction.max_values.items())},
    }
    found = {name: value for name, value in said.items() if value is not None and value != {}}
    return msgspec.json.encode(found).decode() if found else None


def read_restriction(stored: str | None) -> Restriction:
    """The inverse of `write_restriction`. Raises ValueError if the text restricts something unknown to this version."""
    if stored is None:
        return NONE
    said: dict[str, Any] = msgspec.json.decode(stored, type=dict[str, Any])
    if not said.keys() <= _NAMES or said.get("unknown_calls", "refuse") != "refuse":
        raise ValueError("this restriction is unknown to this version")
    return Restriction(
        networks=frozenset(said["networks"]) if "networks" in said else None,
        wallets=frozenset(map(UUID, said["wallets"])) if "wallets" in said else None,
        clients=tuple(parse_network(text) for text in said.get("clients", ())),
        rates={name: None if text == "off" else Rate.parse(text) for name, text in said.get("rates", {}).items()},
        refuses_unknown_calls="unknown_calls" in said,
        max_values={asset: int(text) for asset, text in said.get("max_values", {}).items()},
    )


_NAMES: Final = frozenset({"networks", "wallets", "clients", "rates", "unknown_calls", "max_values"})
