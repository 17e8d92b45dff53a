"""The configured addresses to listen on."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from strongroom.errors import ConfigurationError


def numeric(host: str) -> str:
    """The IP address of ``host``. ``::`` and ``[::]`` are the same; a name gives its first address.

    Raises ConfigurationError for a name that this machine does not know.
    """
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise ConfigurationError(
            "the host name to listen on cannot be resolved: check http.host and grpc.host"
        ) from None
    return str(found[0][4][0])


def authority(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    bare = host.removeprefix("[").removesuffix("]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"
