"""A PostgreSQL URL as libpq reads it (PostgreSQL 17, section 34.1.2), for a driver that knows fewer parameters.

asyncpg takes what it does not know for a setting of the server, which refuses it. PgBouncer refuses most settings.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from strongroom.errors import ConfigurationError

_OF_THE_DRIVER: Final = frozenset({
    "host", "port", "dbname", "database", "user", "password", "passfile", "sslmode", "sslcert", "sslkey", "sslrootcert",
    "sslcrl", "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname",
    "gsslib",
})  # fmt: skip
_OF_THE_SERVER: Final = frozenset({"options", "application_name"})
"""What the start of a connection may carry. Poolers let these through."""
_WITHOUT_EFFECT: Final = frozenset({
    "fallback_application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "tcp_user_timeout", "sslcompression", "sslsni", "gssdelegation", "target_session_attrs", "load_balance_hosts",
})  # fmt: skip
"""What the service decides itself. Every statement has a time limit, and it always looks for the primary."""
_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "channel_binding": frozenset({"disable", "prefer"}),
    "client_encoding": frozenset({"auto", "utf8", "utf-8", "unicode"}),
    "gssencmode": frozenset({"disable", "prefer"}),
    "sslcertmode": frozenset({"allow"}),
    "sslmode": frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}),
}
"""Parameters that can only have these values."""
_NOT_HERE: Final = frozenset({
    "hostaddr", "min_protocol_version", "max_protocol_version", "oauth_client_id", "oauth_client_secret",
    "oauth_issuer", "oauth_scope", "replication", "require_auth", "requirepeer", "requiressl", "scram_client_key",
    "scram_server_key",
    "service", "servicefile", "sslcrldir", "sslkeylogfile",
})  # fmt: skip
_REQUIRE_TLS: Final = frozenset({"require", "verify-ca", "verify-full"})
_SYSTEM: Final = "system"
"""As sslrootcert, the certificate authorities that the operating system trusts."""
_KNOWN: Final = _OF_THE_DRIVER | _OF_THE_SERVER | _WITHOUT_EFFECT | _ONLY.keys() | _NOT_HERE | {"connect_timeout"}
_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    dsn: str
    """With the parameters that asyncpg knows."""
    connect_timeout: float | None
    """Seconds, if the URL has it. libpq's minimum is 2, and 0 means no limit."""
    settings: Mapping[str, str]
    """Settings of the server that are made once the connection is open."""
    requires_tls: bool
    tls: ssl.SSLContext | None
    """If the driver cannot make it from ``dsn``."""


def read_url(url: str) -> Target:
    """Raises ConfigurationError, which names each unsupported parameter but no value."""
    parts = urlsplit("postgresql" + url[url.index(":") :])
    try:
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _refusal("the query of database.url must consist of name=value pairs") from None
    for name, value in given.items():
        _check(name, value)
    tls = _tls(given)
    kept = {name: value for name, value in given.items() if name in _OF_THE_DRIVER | _OF_THE_SERVER}
    if tls is not None:
        kept = {name: value for name, value in kept.items() if not name.startswith("ssl") or name == "sslnegotiation"}
    return Target(
        dsn=urlunsplit(parts._replace(query=urlencode(kept))),
        connect_timeout=_seconds(given.get("connect_timeout")),
        settings={name: value for name, value in given.items() if name not in _KNOWN},
        requires_tls=tls is not None or given.get("sslmode") in _REQUIRE_TLS,
        tls=tls,
    )


def _tls(given: Mapping[str, str]) -> ssl.SSLContext | None:
    """The context for `sslrootcert=system`. Otherwise the driver makes it."""
    if given.get("sslrootcert") != _SYSTEM:
        return None
    if given.get("sslmode") not in {None, "verify-full"} or "sslcrl" in given:
        raise _refusal(f"database.url: sslrootcert={_SYSTEM} needs sslmode=verify-full, and takes no sslcrl")
    context = ssl.create_default_context()
    try:
        if "sslcert" in given:
            context.load_cert_chain(given["sslcert"], given.get("sslkey"), given.get("sslpassword", ""))
    except (OSError, ValueError):
        raise _refusal("the files in sslcert and sslkey of database.url cannot be used together") from None
    return context


def _check(name: str, value: str) -> None:
    if name in _FILES and not Path(value).is_file() and (name, value) != ("sslrootcert", _SYSTEM):
        raise _refusal(f"the file in {name} of database.url does not exist")
    if name in _ONLY and value.lower() not in _ONLY[name]:
        raise _refusal(f"database.url: {name} must be {' or '.join(sorted(_ONLY[name]))}")
    if name in _NOT_HERE:
        raise _refusal(f"database.url: the parameter {name} is not supported")
    if _NAME.fullmatch(name) is None:
        raise _refusal("database.url has a parameter with an invalid name")


def _seconds(text: str | None) -> float | None:
    if text is None or text == "":
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII):
        raise _refusal("database.url: connect_timeout must be a whole number of seconds")
    seconds = int(text)
    return None if seconds == 0 else max(seconds, 2)


def _refusal(message: str) -> ConfigurationError:
    return ConfigurationError(message, field="database.url")
