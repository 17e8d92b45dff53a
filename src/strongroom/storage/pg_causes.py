"""Why a connection to PostgreSQL failed: one sentence per class of causes, without anything that was sent."""

from __future__ import annotations

import socket
import ssl
from typing import Final

import asyncpg

from strongroom.codecs.certificate_faults import SAYINGS, certificate_fault
from strongroom.storage.database import NoConnection
from strongroom.storage.pg_url import Target

_BY_STATE: Final = {
    "28P01": "the database refuses the role or its password: check both in database.url",
    "28000": "the database refuses the role: it does not exist, may not log in, or has no line in pg_hba.conf",
    "3D000": "the database in database.url does not exist",
    "42501": "the role may not connect to the database",
    "42704": "the server does not know a setting that database.url or the role sets: check the spelling of the "
    "parameters",
    "22023": "the server refuses the value of a parameter in database.url",
    "53300": "the server has no connections left for the role: raise max_connections, or lower database.pool_size",
    "55000": "the database does not accept connections",
    "57P03": "the server is starting, stopping or recovering",
    "08P01": "the server does not follow the PostgreSQL protocol, or is a pooler that refuses how the service connects",
}
_LASTING: Final = {"28P01", "28000", "3D000", "42501", "42704", "22023"}
"""Only an operator can end these, so there is no point in retrying at once."""
_OF_SETTINGS: Final = {"42704", "22023"}
_NO_TLS: Final = (
    "pg_hba.conf does not allow the role without TLS: add sslmode=verify-full and sslrootcert to database.url, or a "
    "line to pg_hba.conf"
)
_WITHOUT_TLS: Final = ("no encryption", "ssl off", "ssl required")
_NO_SUCH_POOL: Final = "no such database"
_UNKNOWN_HOST: Final = "the resolver (DNS) does not know the host name in database.url"


def no_connection(error: Exception, target: Target) -> NoConnection:
    """The error to raise instead of ``error``, which the driver raised while it connected to ``target``."""
    sentence, lasting = _explain(error, target)
    return NoConnection(sentence, lasting=lasting, state=getattr(error, "sqlstate", None))


def _explain(error: Exception, target: Target) -> tuple[str, bool]:
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return "no host in database.url is a primary: all are standbys", False
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _explain_local(error, target)
    sentence, lasting = _explain_state(state, str(error).lower())
    if state in _OF_SETTINGS and (named := [name for name in target.settings if name in str(error)]):
        sentence += f" ({', '.join(named)})"
    return sentence, lasting


def _explain_state(state: str, text: str) -> tuple[str, bool]:
    """``text``: the server's message, to tell apart errors with the same state."""
    if state == "28000" and any(words in text for words in _WITHOUT_TLS):
        return _NO_TLS, True
    if state == "08P01" and _NO_SUCH_POOL in text:  # PgBouncer has no state of its own for this
        return _BY_STATE["3D000"], True
    return _BY_STATE.get(state, f"the server refused the connection (SQLSTATE {state})"), state in _LASTING


def _explain_local(error: Exception, target: Target) -> tuple[str, bool]:
    match error:
        case ssl.SSLCertVerificationError():
            fault = certificate_fault(error.verify_code)
            where = " in sslrootcert" if fault == "untrusted" else ""
            return f"the certificate of the database {SAYINGS[fault]}{where}", True
        case ssl.SSLError():
            return "TLS with the database fails: check sslmode, the certificates and the port", False
        case socket.gaierror():
            return _UNKNOWN_HOST, False
        case ConnectionRefusedError():
            return "nothing listens on the host and port in database.url", False
        case TimeoutError():
            return (
                "the host in database.url does not respond in time: a firewall may be in the way, or a pooler there "
                "has no connection left"
            ), False
        case ConnectionError() if "SSL upgrade" in str(error):
            if target.requires_tls:
                return "the database does not offer TLS, which sslmode in database.url requires", True
            return "what listens on the host and port in database.url is not PostgreSQL", True
        case PermissionError() | FileNotFoundError():
            return "a file or socket in database.url cannot be used", True
    return "the connection to the database breaks while it is being set up", False
