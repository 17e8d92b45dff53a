"""What a request's URL is made of: the endpoint's own URL, with its key, the path of the call, and its query."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.http import Http, Query


@pytest.mark.parametrize(
    ("url", "path", "query", "asked"),
    [
        ("https://node.example/api/", "/blocks", None, "https://node.example/api/blocks"),
        ("https://node.example/api?key=k", "/blocks", None, "https://node.example/api/blocks?key=k"),
        ("https://node.example/api?key=k", "/blocks", {"a": 1}, "https://node.example/api/blocks?key=k&a=1"),
        ("https://node.example/api?key=k", "", {"a": "x y"}, "https://node.example/api?key=k&a=x+y"),
        ("https://node.example", "/x", {"a": ["1", "2"]}, "https://node.example/x?a=1&a=2"),
    ],
)
async def test_the_urls_own_query_and_repeated_names_are_kept(
    url: str, path: str, query: Query | None, asked: str
) -> None:
    found: list[str] = []

    async def body() -> AsyncIterator[bytes]:
        yield b"1"

    async def node(request: httpx.Request) -> httpx.Response:
        found.append(str(request.url))
        return httpx.Response(200, content=body())

    http = Http(Secret(url), transport=httpx.MockTransport(node))
    await http.read("GET", path, of=int, query=query)
    await http.close()
    assert found == [asked]
