"""The Redis client, for a single server or for the primary that Sentinels name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from redis.asyncio import BlockingConnectionPool, Redis, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from strongroom.domain.secret import Secret

_PATIENCE: Final = 2.0
"""Seconds after which the client itself gives up. Requests give up long before that; health checks do not."""
_SENTINEL: Final = "+sentinel"
_SENTINEL_PORT: Final = 26379


class _Fresh(CredentialProvider):
    """Reads the login again for each new connection, since its files may be replaced."""

    def __init__(self, url: str | Secret, username: str | None, password: str | Secret | None) -> None:
        self._url = url
        self._username = username
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        parts = urlsplit(_text(self._url))
        username = unquote(parts.username) if parts.username else self._username
        password = unquote(parts.password) if parts.password else _text(self._password or "")
        return (username, password) if username else (password,)


def connect(
    url: str | Secret, *, username: str | None, password: str | Secret | None, ca_file: Path | None, pool_size: int
) -> Redis:
    """Return a client that connects on first use. It retries nothing.

    It uses RESP2 without a greeting, so a new connection costs one round trip, or two with a login. Raises ValueError
    for a URL that cannot be used.
    """
    text = _text(url)
    parts = urlsplit(text)
    has_login = bool(parts.password or parts.username or username or password)
    options: dict[str, Any] = {
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,
    }
    if has_login:
        options["credential_provider"] = _Fresh(url, username, password)
    if parts.scheme.startswith("rediss") and ca_file is not None:
        options["ssl_ca_certs"] = str(ca_file)
    if parts.scheme.endswith(_SENTINEL):
        return _by_sentinels(text, options, pool_size)
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    pool = BlockingConnectionPool.from_url(plain, max_connections=pool_size, timeout=_PATIENCE, **options)
    return Redis.from_pool(pool)


def _by_sentinels(url: str, options: dict[str, Any], pool_size: int) -> Redis:
    """For ``redis+sentinel://host:26379,other:26379/name/0``. The login is for Redis; Sentinels get none."""
    parts = urlsplit(url)
    name, _, database = parts.path.removeprefix("/").partition("/")
    found = [_place(each) for each in parts.netloc.rpartition("@")[2].split(",")]
    tls: dict[str, Any] = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    asked = {key: value for key, value in options.items() if key != "credential_provider"} | tls
    sentinel: Any = Sentinel(found, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    primary: Redis = sentinel.master_for(name, db=int(database or 0), max_connections=pool_size, **options, **tls)
    return primary


def _text(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _place(text: str) -> tuple[str, int]:
    found = urlsplit(f"//{text}")
    if found.hostname is None:
        raise ValueError
    return found.hostname, found.port or _SENTINEL_PORT
