"""The configured addresses to listen on."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from strongroom.errors import ConfigurationError

_NOT_OURS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL, errno.ENODEV)
"""The last two are for an address with a scope (``fe80::1%eth0``) that is missing or unknown."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address to listen on, and the settings that name it."""

    host: str
    """An IP address."""
    port: int
    host_setting: str = "http.host"
    port_setting: str = "http.port"

    def refusal(self, error: OSError) -> ConfigurationError:
        """Why the system does not let this process listen there."""
        if error.errno == errno.EADDRINUSE:
            return ConfigurationError(
                f"port {self.port} on {self.host} is in use: end what uses it, or change {self.port_setting}"
            )
        if error.errno in (errno.EACCES, errno.EPERM):
            return ConfigurationError(
                f"this user may not listen on port {self.port}: change {self.port_setting} to one above 1023, "
                "or grant CAP_NET_BIND_SERVICE"
            )
        if isinstance(error, socket.gaierror) or error.errno in _NOT_OURS:
            return ConfigurationError(f"{self.host} is not an address of this machine: check {self.host_setting}")
        return ConfigurationError(
            f"port {self.port} on {self.host} cannot be used: check {self.host_setting} and {self.port_setting}"
        )


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
