"""Which address a caller really has, done once for both faces.

No header is believed unless the peer of the socket is a trusted proxy. Then X-Forwarded-For is read from the right,
where our own proxies write, up to the first address that is not one of them; what stands further left anybody can have
sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import unquote

from strongroom.errors import ConfigurationError

UNKNOWN: Final = "unknown"
"""Of a peer that has no IP address: a Unix socket."""

_WITH_PORT: Final = re.compile(
    r"(?P<v4>[0-9.]+):(?P<port4>[0-9]{1,5})|\[(?P<v6>[^\]]+)\](?::(?P<port6>[0-9]{1,5}))?", re.ASCII
)
_LONGEST: Final = 64

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class ClientAddresses:
    """``trusted`` are CIDRs of proxies. Raises ConfigurationError, for a network of everybody too, unless forced."""

    def __init__(self, trusted: Sequence[str] = (), *, allow_everybody: bool = False) -> None:
        self._trusted = tuple(_network(cidr) for cidr in trusted)
        if not allow_everybody and any(network.prefixlen == 0 for network in self._trusted):
            raise ConfigurationError("a trusted proxy network of prefix length 0 would believe everybody")

    def resolve(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """The caller's address in canonical form, or `UNKNOWN`. ``forwarded_for``: header values as they came."""
        found = _parse(peer)
        if found is None:
            return UNKNOWN
        if forwarded_for and self._is_trusted(found):
            for text in reversed(",".join(forwarded_for).split(",")):
                hop = _parse(text)
                if hop is None:
                    break
                found = hop
                if not self._is_trusted(hop):
                    break
        return str(found)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def parse_grpc_peer(peer: str) -> str:
    """The address in a peer as gRPC writes it (``ipv4:192.0.2.1:55``, ``ipv6:%5B::1%5D:49470``); else ""."""
    family, _, rest = peer.partition(":")
    address = _parse(unquote(rest)) if family in ("ipv4", "ipv6") else None
    return "" if address is None else str(address)


def _parse(text: str) -> Address | None:
    """An address with or without brackets and port. IPv4 inside IPv6 (``::ffff:192.0.2.1``) becomes IPv4."""
    return _parse_short(text.strip(" \t")) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _parse_short(text: str) -> Address | None:
    if found := _WITH_PORT.fullmatch(text):
        if int(found["port4"] or found["port6"] or 0) > 65535:
            return None
        text = found["v4"] or found["v6"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _network(cidr: str) -> Network:
    try:
        network = ip_network(cidr)
    except ValueError:
        raise ConfigurationError("a trusted proxy is an address or a network such as 10.0.0.0/8") from None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network
