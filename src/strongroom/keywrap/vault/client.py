"""One HTTP exchange with Vault or OpenBao, and what its failure means."""

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
from strongroom.telemetry import tracing

T = TypeVar("T")

_MAX_ANSWER: Final = 1 << 20
_CONNECTIONS: Final = 16
_STANDBY: Final = {307, 308, 429, 472, 473}
"""307 and 308 redirect to the active node. 429 is a standby or a rate quota, 472 a disaster recovery secondary, 473 a
performance standby."""


class Trouble(StrEnum):
    """Why a request to Vault failed."""

    UNREACHABLE = "unreachable"
    SLOW = "slow"
    SEALED = "sealed"
    """Sealed or not initialised."""
    STANDBY = "standby"
    FAILING = "failing"
    """Any other 5xx."""
    BAD_ANSWER = "bad_answer"
    """The response is not Vault's. It is not HTTP, not JSON, too long or of an unexpected shape."""
    DENIED = "denied"
    """The token, the login or the policy does not allow the request."""
    REJECTED = "rejected"
    """The request itself is wrong, for example because the mount or the key does not exist."""

    @property
    def is_outage(self) -> bool:
        """Whether a retry may help and the circuit breaker counts the failure."""
        return self not in (Trouble.DENIED, Trouble.REJECTED)


class VaultError(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class VaultAnswer(msgspec.Struct, frozen=True):
    """A response body. It may hold tokens and keys, so its repr shows nothing."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Nothing(VaultAnswer, frozen=True):
    """A response whose content does not matter."""


class VaultClient:
    """``timeout`` is in seconds for one whole exchange. ``ca_file`` replaces the system's certificate authorities."""

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

    @tracing.traced("vault", tracing.CLIENT)
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
        """The response body, decoded as ``of``. With ``partial`` a 400 may hold results too. Raises VaultError."""
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
        raise ConfigurationError("vault.ca_file cannot be read", field="vault.ca_file") from None
