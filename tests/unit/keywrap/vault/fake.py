"""A fake of Vault's HTTP interface, for behaviour that a real one does not show on demand (see tests/integration)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from strongroom.keywrap.vault.client import VaultClient

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def auth(token: str, ttl: int, *, renewable: bool = True) -> httpx.Response:
    return httpx.Response(200, json={"auth": {"client_token": token, "lease_duration": ttl, "renewable": renewable}})


def look_up(ttl: int, *, renewable: bool) -> httpx.Response:
    return httpx.Response(200, json={"data": {"ttl": ttl, "renewable": renewable}})


def error(status: int, text: str = "no") -> httpx.Response:
    return httpx.Response(status, json={"errors": [text]})


class FakeVault:
    """Returns the responses that a test prepares for each path, and repeats the last one."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[httpx.Request] = []

    def on(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def count(self, path: str) -> int:
        return sum(request.url.path == f"/v1/{path}" for request in self.asked)

    def body(self, place: int = -1) -> Any:
        return json.loads(self.asked[place].content)

    def client(self, **options: Any) -> VaultClient:
        return VaultClient("http://vault:8200", transport=httpx.MockTransport(self._answer), **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        given = self.answers[request.url.path.removeprefix("/v1/")]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):  # a stream is read once
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)
