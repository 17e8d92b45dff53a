"""Whether a host and port can be reached: by DNS, TCP and TLS, with the cause if not.

Messages contain nothing of a URL, not even the host, because some providers put keys into host names.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from strongroom.codecs.certificate_faults import SAYINGS, certificate_fault
from strongroom.errors import ConfigurationError

SECONDS: Final = 5.0
"""For each of the three steps."""


class Fault(Exception):
    """A component cannot be used. ``cause`` is a word for programs, ``message`` a sentence for operators."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


@dataclass(frozen=True, slots=True)
class Target:
    """A host and port to reach, and how to describe it in messages."""

    setting: str
    """The setting that holds the address, for messages."""
    host: str
    port: int
    tls: ssl.SSLContext | None = None
    ca_setting: str | None = None
    """The setting that names the trusted authorities, if there is one."""


async def reach(place: Target, *, seconds: float = SECONDS) -> None:
    """Connect and close again, without sending data. Raises Fault."""
    await _resolve(place, seconds)
    try:
        await _open(place, None, seconds)
    except TimeoutError:
        raise Fault(
            "timeout",
            f"the host in {place.setting} does not respond in time: check the address, the port and firewalls",
        ) from None
    except ConnectionRefusedError:
        raise Fault(
            "refused", f"nothing listens on the host and port in {place.setting}: check that it is running there"
        ) from None
    except OSError:
        raise Fault(
            "unreachable", f"there is no route to the host in {place.setting}: check routes and firewalls"
        ) from None
    if place.tls is not None:
        await _shake_hands(place, place.tls, seconds)


def trust(ca_file: Path | None, setting: str) -> ssl.SSLContext:
    """Trust the system's authorities, or those in a file. Raises Fault."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Fault("file", f"the file in {setting} cannot be read or holds no certificates in PEM") from None


def configuration(error: ConfigurationError) -> Fault:
    """The fault for settings that cannot be used."""
    return Fault("configuration", error.message)


async def _resolve(place: Target, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Fault("dns", f"the resolver (DNS) does not respond for the host name in {place.setting}") from None
    except (OSError, UnicodeError):
        raise Fault(
            "dns", f"the resolver (DNS) does not know the host name in {place.setting}: check its spelling"
        ) from None


async def _open(place: Target, tls: ssl.SSLContext | None, seconds: float) -> None:
    name = place.host if tls is not None else None
    async with asyncio.timeout(seconds):
        _, writer = await asyncio.open_connection(place.host, place.port, ssl=tls, server_hostname=name)
    writer.transport.abort()


async def _shake_hands(place: Target, tls: ssl.SSLContext, seconds: float) -> None:
    try:
        await _open(place, tls, seconds)
    except ssl.SSLCertVerificationError as error:
        fault = certificate_fault(error.verify_code)
        where = f" in {place.ca_setting}" if fault == "untrusted" and place.ca_setting else ""
        raise Fault(f"certificate_{fault}", f"the certificate of {place.setting} {SAYINGS[fault]}{where}") from None
    except TimeoutError:
        raise Fault(
            "tls", f"the server at {place.setting} accepts connections but does not respond to TLS: check the port"
        ) from None
    except ssl.SSLError as error:
        raise Fault("tls", f"TLS with {place.setting} fails: {_of_tls(error)}") from None
    except OSError:
        raise Fault("tls", f"the server at {place.setting} hangs up when TLS begins: check the port") from None


def _of_tls(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if "VERSION" in reason and "WRONG" not in reason:
        return "no version of TLS is supported by both sides; 1.2 or later is needed"
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"}:
        return "the server does not speak TLS: check the port, or use a URL without TLS"
    if "CERTIFICATE" in reason:
        return "it requires a client certificate, or refuses the one that is configured"
    return "check the port, and which versions and ciphers it accepts"
