"""An HTTP request as our handlers see it, and the response that they return."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
from starlette.types import Receive, Scope

from strongroom.access.client_address import ClientAddresses
from strongroom.access.limits import Quota
from strongroom.entrypoints.caller import presented_credential, quota_fields, request_id
from strongroom.errors import MalformedRequest

JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"

_READ: Final = frozenset({
    b"accept", b"authorization", b"content-encoding", b"content-length", b"content-type", b"idempotency-key",
    b"traceparent", b"transfer-encoding", b"x-api-key", b"x-forwarded-for", b"x-request-id",
})  # fmt: skip
"""The headers that we read."""

PEER: Final = "strongroom.peer"
"""The key of a scope under which a connection with TLS has its peer."""

Headers = tuple[tuple[bytes, bytes], ...]

COMMON: Final[Headers] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Answer(msgspec.Struct, frozen=True):
    """A response, before the headers that every response has."""

    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = ()
    common: Headers = COMMON
    """Headers of every response, except for pages that a browser shows."""


class Peer(Protocol):
    """What the handshake showed, and whether the connection has to end."""

    @property
    def certificate(self) -> bytes | None:
        """The verified client certificate as DER. None if none was requested."""

    @property
    def last(self) -> bool:
        """The connection is to end after the response, so that the client does a new handshake."""


class Exchange:
    """An HTTP request."""

    __slots__ = (
        "_headers", "_host", "_peer", "_quotas", "body_is_read", "method", "path_params", "query", "receive",
        "request_id",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.receive = receive
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.path_params: dict[str, str] = {}
        """Set when the route is found."""
        self.body_is_read = False
        self._quotas: list[Quota] = []
        self._host: str = scope["client"][0] if scope.get("client") else ""
        self._peer: Peer | None = scope.get(PEER)
        self._headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in _READ:
                self._headers.setdefault(name, []).append(value.decode("latin-1"))
        self.request_id = request_id(self.headers(b"x-request-id"))

    def headers(self, name: bytes) -> list[str]:
        """All values in the order in which they arrived. ``name`` is one of `_READ`."""
        return self._headers.get(name, [])

    def header(self, name: bytes) -> str | None:
        """Raises MalformedRequest if the header was sent twice."""
        values = self._headers.get(name)
        if not values:
            return None
        if len(values) > 1:
            raise MalformedRequest(f"the header {name.decode().title()} was sent more than once")
        return values[0]

    def credential(self) -> str | None:
        """Raises Unauthenticated if two different keys were sent, since it is unclear which was meant."""
        return presented_credential(self.headers(b"x-api-key"), self.headers(b"authorization"))

    @property
    def certificate(self) -> bytes | None:
        """The verified client certificate as DER."""
        return None if self._peer is None else self._peer.certificate

    def is_last(self) -> bool:
        """Whether no other request can follow on this connection, or none may."""
        return self.leaves_body() or (self._peer is not None and self._peer.last)

    def tell(self, quotas: Sequence[Quota]) -> None:
        """Record what the call was charged to, for the header fields of its response."""
        self._quotas += quotas

    def quota_headers(self) -> Headers:
        return tuple((name.encode(), text.encode()) for name, text in quota_fields(self._quotas))

    def leaves_body(self) -> bool:
        """Whether part of the request is still to come, so that no other one can follow on this connection."""
        announced = self.headers(b"transfer-encoding") or self.headers(b"content-length") not in ([], ["0"])
        return bool(announced) and not self.body_is_read

    def client(self, addresses: ClientAddresses) -> str:
        return addresses.resolve(self._host, self.headers(b"x-forwarded-for"))


Handler = Callable[[Exchange], Awaitable[Answer]]
