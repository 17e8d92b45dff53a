"""Why the service could not be reached, and which setting to change. `httpx` keeps the system's error as the cause."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

import httpx

from strongroom.codecs.certificate_faults import SAYINGS, certificate_fault
from strongroom.config.client import ClientSettings

_CLIENT_PAIR: Final = "STRONGROOM_CLIENT_CERTIFICATE and STRONGROOM_CLIENT_KEY"
_NO_TLS: Final = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"}
_NO_ROUTE: Final = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}


def why(error: Exception, settings: ClientSettings, seconds: float) -> str:
    """A sentence for the caller. It contains the URL, which has no user or password, but no part of the request."""
    found = _root(error)
    if isinstance(found, ssl.SSLCertVerificationError):
        return _certificate(found, settings)
    if isinstance(found, ssl.SSLError):
        return _tls(found.reason or "", settings)
    if isinstance(error, httpx.ConnectTimeout):
        return f"{settings.url} does not respond within {seconds:.0f} seconds: check STRONGROOM_URL and firewalls"
    if isinstance(error, httpx.TimeoutException):
        return (
            f"the server at {settings.url} accepts connections but does not respond within {seconds:.0f} seconds: "
            "check its health and its log"
        )
    if isinstance(found, socket.gaierror):
        if found.errno == socket.EAI_AGAIN:
            return f"the resolver (DNS) does not respond for the host name in STRONGROOM_URL: {settings.url}"
        return f"the host name in STRONGROOM_URL is not known: check its spelling: {settings.url}"
    if isinstance(found, ConnectionRefusedError):
        return f"nothing listens at {settings.url}: check the port in STRONGROOM_URL, and that the service is running"
    if isinstance(found, OSError) and found.errno in _NO_ROUTE:
        return f"there is no route to the host of {settings.url}: check STRONGROOM_URL, routes and firewalls"
    return _hung_up(settings)


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _certificate(error: ssl.SSLCertVerificationError, settings: ClientSettings) -> str:
    fault = certificate_fault(error.verify_code)
    where = " in STRONGROOM_CA_FILE" if fault == "untrusted" else ""
    return f"the certificate of {settings.url} {SAYINGS[fault]}{where}"


def _tls(reason: str, settings: ClientSettings) -> str:
    if reason in _NO_TLS:
        return f"the server at {settings.url} does not speak TLS: begin STRONGROOM_URL with http://, or check its port"
    if "VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return f"TLS with {settings.url} fails: no version is supported by both sides, and 1.2 or later is needed"
    if settings.certificate is not None:
        return f"the server at {settings.url} refuses the client certificate: check {_CLIENT_PAIR}"
    if "CERTIFICATE" in reason:
        return f"the server at {settings.url} requires a client certificate: set {_CLIENT_PAIR}"
    return f"TLS with {settings.url} fails. If the server requires a client certificate, set {_CLIENT_PAIR}"


def _hung_up(settings: ClientSettings) -> str:
    """The connection ended without a response. A server that wanted TLS or a certificate can end it like this."""
    said = f"the server at {settings.url} hangs up without a response in HTTP: check the port in STRONGROOM_URL"
    if settings.url.startswith("http:"):
        return f"{said}. If the server uses TLS, begin STRONGROOM_URL with https://"
    if settings.certificate is None:
        return f"{said}. If the server requires a client certificate, set {_CLIENT_PAIR}"
    return f"{said}, and that the server accepts the client certificate"
