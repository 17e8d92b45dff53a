"""Vault's HTTP interface, which OpenBao shares: one exchange, and what its failure means."""

from __future__ import annotations

import asyncio
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

import httpx
import msgspec

from strongroom.domain.secret import Secret
from strongroom.errors import ConfigurationError

T = TypeVar("T")

_MAX_ANSWER: Final = 1 << 20
_CONNECTIONS: Final = 16
_STANDBY: Final = {307, 308, 429, 472, 473}
"""Redirected to the active node; a standby of any kind, or a rate quota; disaster recovery; performance standby."""


class Trouble(StrEnum):
    """Why Vault did not do what it was asked for."""

    UNREACHABLE = "unreachable"
    SLOW = "slow"
    SEALED = "sealed"
    """Or not initialised."""
    STANDBY = "standby"
    FAILING = "failing"
    """Any other 5xx."""
    BAD_ANSWER = "bad_answer"
    """Not what Vault answers: not HTTP, not JSON, of another shape or length."""
    DENIED = "denied"
    """The token, the login or the policy."""
    REJECTED = "rejected"
    """The request as such: there is no such mount or key."""

    @property
    def is_outage(self) -> bool:
        """Vault is not well: trying again may help, and the circuit breaker counts it."""
        return self not in (Trouble.DENIED, Trouble.REJECTED)


class VaultError(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class VaultAnswer(msgspec.Struct, frozen=True):
    """Answers hold tokens and keys: none of them prints."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Nothing(VaultAnswer, frozen=True):
    """An answer of which nothing is wanted."""


class VaultClient:
    """``timeout``: seconds for one exchange, however it trickles. ``ca_file``: in place of the system's."""

    def __init__(
        self,
        url: str,
        *,
        namespace: str | None = None,
        ca_file: Path | None = None,
        timeout: float = 1.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._namespace = {"X-Vault-Namespace": namespace} if namespace else {}
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/v1/",
            headers={"X-Vault-Request": "true", "Accept": "application/json", "Content-Type": "application/json"},
            verify=_trust(ca_file) if url.startswith("https://") else False,
            timeout=timeout,
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            transport=transport,
            trust_env=False,
        )

    async def ask(
        self,
        method: str,
        path: str,
        of: type[T],
        *,
        body: object = None,
        token: Secret | None = None,
        partial: bool = False,
    ) -> T:
        """The answer, read as ``of``. ``partial``: a 400 may hold results too. Raises VaultError."""
        headers = dict(self._namespace)
        if token is not None:
            headers["X-Vault-Token"] = token.reveal()
        content = None if body is None else msgspec.json.encode(body)
        status, kind, answer = await self._exchange(method, path, content, headers)
        if status == 204:
            answer, kind = b"{}", "application/json"
        elif status != 200 and not (status == 400 and partial):
            raise VaultError(_trouble(status, answer))
        try:
            if kind.startswith("application/json"):
                return msgspec.json.decode(answer, type=of)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        raise VaultError(Trouble.BAD_ANSWER if status != 400 else _trouble(status, answer))

    async def close(self) -> None:
        await self._http.aclose()

    async def _exchange(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        trouble = Trouble.BAD_ANSWER
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(method, path, content=content, headers=headers) as answer,
            ):
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MAX_ANSWER:
                        raise VaultError(trouble)
                return answer.status_code, answer.headers.get("content-type", ""), bytes(body)
        except (TimeoutError, httpx.TimeoutException):
            trouble = Trouble.SLOW
        except httpx.TransportError as error:
            if not isinstance(error, httpx.RemoteProtocolError) or "disconnected" in str(error):
                trouble = Trouble.UNREACHABLE
        except httpx.HTTPError:
            pass  # a body that does not decode
        raise VaultError(trouble)


def _trouble(status: int, answer: bytes) -> Trouble:
    if status in _STANDBY:
        return Trouble.STANDBY
    if status == 501 or (status == 503 and b"sealed" in answer):
        return Trouble.SEALED
    if status >= 500:
        return Trouble.FAILING
    if status in (401, 403):
        return Trouble.DENIED
    return Trouble.REJECTED if 400 <= status < 500 else Trouble.BAD_ANSWER


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigurationError("the file of vault.ca_file cannot be read", field="vault.ca_file") from None
