"""Threat T30: a body is cut off while it streams, and not waited for without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from strongroom.errors import Unauthenticated
from tests.unit.entrypoints.http.stubs import Made, StubPipeline

WALLETS = "/api/v1/wallets"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def answer(pipeline: StubPipeline) -> None:
    pipeline.answer = Made()


class Stream:
    """A body in chunks, without a Content-Length."""

    def __init__(self, chunk: bytes, chunks: int, pause: float = 0) -> None:
        self.chunk, self.chunks, self.pause = chunk, chunks, pause
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.chunks):
            await asyncio.sleep(self.pause)
            self.sent += len(self.chunk)
            yield self.chunk


async def test_a_body_in_many_chunks(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in b'{"label": "a"}':
            yield bytes([byte])

    assert (await client.post(WALLETS, content=chunks(), headers=JSON)).status_code == 201


async def test_an_answer_before_the_body_was_read_is_the_last_of_its_connection(
    client: httpx.AsyncClient, pipeline: StubPipeline
) -> None:
    assert "connection" not in (await client.post(WALLETS, json={})).headers
    assert "connection" not in (await client.get(WALLETS)).headers
    pipeline.answer = Unauthenticated("who are you")
    pipeline.binds = False
    for body in (b"{}", Stream(b"{}", 1)):
        answer = await client.post(WALLETS, headers=JSON, content=body)
        assert (answer.status_code, answer.headers["connection"]) == (401, "close")


async def test_announced_size_is_refused_unread(client: httpx.AsyncClient) -> None:
    stream = Stream(b" " * 100, 100)
    answer = await client.post(WALLETS, content=stream, headers=JSON | {"Content-Length": "10000"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert stream.sent == 0


async def test_streamed_size_is_cut_off(client: httpx.AsyncClient) -> None:
    stream = Stream(b" " * 100, 1_000_000)
    answer = await client.post(WALLETS, content=stream, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert stream.sent <= 2048 + 100


async def test_the_limit_itself_is_allowed(client: httpx.AsyncClient) -> None:
    assert (await client.post(WALLETS, content=b"{}".ljust(2048), headers=JSON)).status_code == 201
    assert (await client.post(WALLETS, content=b"{}".ljust(2049), headers=JSON)).status_code == 413


async def test_slow_body(client: httpx.AsyncClient) -> None:
    answer = await client.post(WALLETS, content=Stream(b" ", 1000, pause=0.01), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (408, "body_timeout")


@pytest.mark.parametrize("size", ["-1", "1e3", "0x10", "²", "", "9" * 30])
async def test_content_length_that_is_no_number(client: httpx.AsyncClient, size: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", size.encode("latin-1"))]
    assert (await client.post(WALLETS, content=Stream(b"{}", 1), headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
async def test_json_types(client: httpx.AsyncClient, kind: str) -> None:
    assert (await client.post(WALLETS, content=b"{}", headers={"Content-Type": kind})).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json, text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        JSON | {"Content-Encoding": "gzip"},
        JSON | {"Content-Encoding": "identity, gzip"},
    ],
)
async def test_other_types(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(WALLETS, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_the_connection_ends_before_the_body(client: httpx.AsyncClient, app: object) -> None:
    sent: list[dict[str, object]] = []
    messages: Iterator[dict[str, object]] = iter([
        {"type": "http.request", "body": b"{}", "more_body": True},
        {"type": "http.disconnect"},
    ])  # fmt: skip

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": WALLETS, "query_string": b"", "client": None,
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[operator]
    assert sent[0]["status"] == 400


async def test_nothing_is_read_before_the_caller_is_known(app: object, pipeline: StubPipeline) -> None:
    async def refuse(*_: object) -> Made:
        return Made(valid=False)

    pipeline.run = refuse  # type: ignore[assignment]

    async def receive() -> dict[str, object]:
        raise AssertionError("the body was read")

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope: dict[str, object]
    scope = {"type": "http", "method": "POST", "path": WALLETS, "query_string": b"", "client": None, "headers": []}
    await app(scope, receive, send)  # type: ignore[operator]
    assert sent[0]["status"] == 201
