"""One HTTP request as our handlers see it, and the answer that they give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.types import Receive, Scope

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.caller import presented_key, request_id
from strongroom.errors import MalformedRequest

JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"

_READ: Final = frozenset({
    b"authorization", b"content-encoding", b"content-length", b"content-type", b"idempotency-key", b"transfer-encoding",
    b"x-api-key", b"x-forwarded-for", b"x-request-id",
})  # fmt: skip
"""The headers that we read."""

Headers = tuple[tuple[bytes, bytes], ...]

COMMON: Final[Headers] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = ()
    common: Headers = COMMON
    """Headers of every answer; only a page that a browser shows has others."""


class Exchange:
    __slots__ = ("_headers", "_peer", "body_is_read", "method", "path_params", "query", "receive", "request_id")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.receive = receive
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.path_params: dict[str, str] = {}
        """Set when the route is found."""
        self.body_is_read = False
        self._peer: str = scope["client"][0] if scope.get("client") else ""
        self._headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in _READ:
                self._headers.setdefault(name, []).append(value.decode("latin-1"))
        self.request_id = request_id(self.headers(b"x-request-id"))

    def headers(self, name: bytes) -> list[str]:
        """Every value, in the order in which they came. ``name`` is one of `_READ`."""
        return self._headers.get(name, [])

    def header(self, name: bytes) -> str | None:
        """Raises MalformedRequest where the header came twice."""
        values = self._headers.get(name)
        if not values:
            return None
        if len(values) > 1:
            raise MalformedRequest(f"the header {name.decode().title()} was sent more than once")
        return values[0]

    def api_key(self) -> str | None:
        """Raises Unauthenticated where two different keys were sent: nobody can say which was meant."""
        return presented_key(self.headers(b"x-api-key"), self.headers(b"authorization"))

    def leaves_body(self) -> bool:
        """Something of the request is still on its way: no other one can follow on this connection."""
        announced = self.headers(b"transfer-encoding") or self.headers(b"content-length") not in ([], ["0"])
        return bool(announced) and not self.body_is_read

    def client(self, addresses: ClientAddresses) -> str:
        return addresses.resolve(self._peer, self.headers(b"x-forwarded-for"))


Handler = Callable[[Exchange], Awaitable[Answer]]
