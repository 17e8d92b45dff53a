"""One HTTP request as our handlers see it, and the answer that they give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Scope, Send

from strongroom.access.client_address import ClientAddresses
from strongroom.errors import MalformedRequest, Unauthenticated

JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"

REQUEST_ID: Final = "strongroom.request_id"
ROUTE: Final = "strongroom.route"
"""Keys of the ASGI scope: set by `border`, and by `resource` for its metrics."""

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = ()

    async def send(self, send: Send) -> None:
        headers = [*self.headers, (b"content-length", str(len(self.body)).encode())]
        if self.body:
            headers.append((b"content-type", self.content_type))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Exchange:
    __slots__ = ("receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive

    @property
    def request_id(self) -> str:
        request_id: str = self.scope[REQUEST_ID]
        return request_id

    @property
    def path_params(self) -> dict[str, str]:
        params: dict[str, str] = self.scope["path_params"]
        return params

    def headers(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]

    def header(self, name: bytes) -> str | None:
        """Raises MalformedRequest where the header came twice."""
        values = self.headers(name)
        if len(values) > 1:
            raise MalformedRequest(f"the header {name.decode().title()} was sent more than once")
        return values[0] if values else None

    def api_key(self) -> str | None:
        """Raises Unauthenticated where two different keys were sent: nobody can say which was meant."""
        keys = set(self.headers(b"x-api-key"))
        for value in self.headers(b"authorization"):
            scheme, _, credentials = value.partition(" ")
            if scheme.lower() == "bearer":
                keys.add(credentials.strip())
        if len(keys) > 1:
            raise Unauthenticated("more than one API key was sent")
        return keys.pop() if keys else None

    def client(self, addresses: ClientAddresses) -> str:
        peer = self.scope.get("client")
        return addresses.resolve(peer[0] if peer else "", self.headers(b"x-forwarded-for"))


Handler = Callable[[Exchange], Awaitable[Answer]]
