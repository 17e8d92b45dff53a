"""Lists of IP networks, for the addresses that callers may come from and for trusted proxies.

An IPv4 address mapped into IPv6 (``::ffff:192.0.2.1``) is treated as the IPv4 address everywhere, in lists too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST: Final = 256
"""Largest number of networks in one list."""

_WITH_PORT: Final = re.compile(
    r"(?P<v4>[0-9.]+):(?P<port4>[0-9]{1,5})|\[(?P<v6>[^\]]+)\](?::(?P<port6>[0-9]{1,5}))?", re.ASCII
)
_LONGEST: Final = 64
_ALL_V4: Final = IPv4Network("0.0.0.0/0")
_ALL_V6: Final = IPv6Network("2000::/3")
"""All public IPv6 addresses."""
_MAPPED_BITS: Final = 96


def parse_network(text: str) -> Network:
    """Read one address, or a network in CIDR notation with zero host bits. Raises ValueError.

    A zone is refused, because the zone of a caller's address is ignored and so would restrict nothing.
    """
    if "%" in text:
        raise ValueError("a network has no zone")
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS and network.network_address.ipv4_mapped:
        return IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - _MAPPED_BITS))
    return network


def parse_address(text: str) -> Address | None:
    """Read an address, with or without brackets, port and zone. None if it is not one."""
    return _parse_short(text.strip(" \t")) if len(text) <= _LONGEST else None


def permits(networks: Sequence[Network], address: str) -> bool:
    """Whether a caller at ``address`` may call. An empty list permits everybody.

    Text that is no address, such as the peer of a Unix socket, is in no network.
    """
    return not networks or contains(networks, parse_address(address))


def contains(networks: Iterable[Network], address: Address | None) -> bool:
    return address is not None and any(address in network for network in networks)


def means_everybody(networks: Iterable[Network]) -> bool:
    """Whether the networks together cover all of IPv4, or all public IPv6 addresses."""
    found = list(networks)
    v4 = collapse_addresses(each for each in found if isinstance(each, IPv4Network))
    v6 = collapse_addresses(each for each in found if isinstance(each, IPv6Network))
    return any(each.supernet_of(_ALL_V4) for each in v4) or any(each.supernet_of(_ALL_V6) for each in v6)


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
