"""The real address of a caller, found in one place for REST and gRPC.

Headers are ignored unless the peer of the socket is a trusted proxy. Then X-Forwarded-For is read from the right,
where our own proxies write, up to the first address that is not one of them. Anyone can have sent the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from strongroom.domain.client_networks import Network, contains, means_everybody, parse_address, parse_network
from strongroom.errors import ConfigurationError

UNKNOWN: Final = "unknown"
"""The address of a peer without an IP address, such as a Unix socket."""


class ClientAddresses:
    """``trusted`` are the CIDRs of proxies. Raises ConfigurationError if they cover every address, unless allowed."""

    def __init__(self, trusted: Sequence[str] = (), *, allow_everybody: bool = False) -> None:
        self._trusted = tuple(_network(cidr) for cidr in trusted)
        if not allow_everybody and means_everybody(self._trusted):
            raise ConfigurationError(
                "the trusted proxy networks cover every address, so any caller could forge its own address"
            )

    def resolve(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """Return the caller's address in canonical form, or `UNKNOWN`. ``forwarded_for``: header values as received."""
        found = parse_address(peer)
        if found is None:
            return UNKNOWN
        if forwarded_for and contains(self._trusted, found):
            for text in reversed(",".join(forwarded_for).split(",")):
                hop = parse_address(text)
                if hop is None:
                    break
                found = hop
                if not contains(self._trusted, hop):
                    break
        return str(found)


def parse_grpc_peer(peer: str) -> str:
    """The address in a gRPC peer name (``ipv4:192.0.2.1:55``, ``ipv6:%5B::1%5D:49470``), or ""."""
    family, _, rest = peer.partition(":")
    address = parse_address(unquote(rest)) if family in ("ipv4", "ipv6") else None
    return "" if address is None else str(address)


def _network(cidr: str) -> Network:
    try:
        return parse_network(cidr)
    except ValueError:
        raise ConfigurationError("a trusted proxy must be an address or a network such as 10.0.0.0/8") from None
