"""Whether a source of chain data responds, and which chain it serves."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from strongroom.bootstrap.connecting.reaching import Fault, Target, reach, trust
from strongroom.config.chains import SourceSettings
from strongroom.domain.asset import coin_of
from strongroom.domain.network import Network
from strongroom.errors import ConfigurationError
from strongroom.rpc.base import NodeError, Setup

_SECONDS: Final = 15.0
_PORTS: Final = {"https": 443, "http": 80}
_SAYINGS: Final = {
    "credential": ("auth", "it refuses the API key or the login: check the URL and headers_file"),
    "not_found": ("wrong_path", "it responds with 404: check the path of the URL, and the key in it"),
    "rate_limited": ("busy", "it limits the rate of requests: lower the rate of this source, or get a larger plan"),
    "redirects": ("wrong_path", "it redirects, and redirects are not followed: configure the URL that it redirects to"),
    "slow": ("timeout", "it accepts connections but does not respond in time"),
    "failing": ("unavailable", "it responds with a server error (5xx)"),
    "no_method": ("wrong_kind", "it does not know the method that was called: check the kind of this source"),
    "untrusted": (
        "certificate_untrusted",
        "its certificate is not trusted, or does not have the configured fingerprint",
    ),
}
"""By `NodeError.cause`."""


async def check_source(network: Network, given: SourceSettings) -> str:
    """Find out which chain the source serves. Raises Fault."""
    from strongroom.bootstrap.source_kinds import open_source, source_url  # noqa: PLC0415 - imports httpx

    pin = given.genesis or network.caip2.partition(":")[2]
    try:
        parts = urlsplit(source_url(given).reveal())
        await reach(_target(given, parts.scheme, parts.hostname, parts.port))
        setup = Setup(
            network=network, coin=coin_of(network), tokens={}, pin=pin, finality=given.finality, op_stack=given.op_stack
        )
        source = open_source(given, setup)
    except ConfigurationError as error:
        raise Fault("configuration", error.message) from None
    except ValueError:
        raise Fault("configuration", "its url is not a valid URL") from None
    try:
        async with asyncio.timeout(_SECONDS):
            await source.pin()
    except TimeoutError:
        raise Fault(*_SAYINGS["slow"]) from None
    except NodeError as error:
        raise _meaning(error, network, pin) from None
    finally:
        await source.close()
    return f"it serves {network.caip2}"


def _target(given: SourceSettings, scheme: str, host: str | None, port: int | None) -> Target:
    setting = "its url" if given.url is not None else "its url_file"
    tls = trust(given.ca_file, "its ca_file") if scheme in ("https", "ssl") else None
    if tls is not None and given.fingerprint is not None:
        tls.check_hostname = False
        tls.verify_mode = 0  # type: ignore[assignment] # CERT_NONE: the fingerprint is compared instead of a signature
    return Target(setting, host or "", port or _PORTS.get(scheme, 0), tls, "its ca_file" if given.ca_file else None)


def _meaning(error: NodeError, network: Network, pin: str) -> Fault:
    if error.cause == "another_chain":
        return Fault(
            "wrong_chain", f"it serves a different chain from {network.name}, whose id is {pin}: check its URL"
        )
    if error.cause in _SAYINGS:
        return Fault(*_SAYINGS[error.cause])
    return Fault("bad_answer", f"its response is not what a source of this kind returns ({error.cause})")
