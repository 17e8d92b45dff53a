"""One exchange: what is sent, what a status means, and how many there are at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.bucket import Bucket
from strongroom.rpc.http import Http, Work
from strongroom.rpc.lines import Lines

Handle = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Node(httpx.AsyncBaseTransport):
    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._handle(request)


def http(handle: Handle, url: str = "http://node/base?key=1", **options: Any) -> Http:
    return Http(Secret(url), transport=Node(handle), **options)


async def failed(call: Awaitable[object]) -> tuple[Verdict, str, float | None]:
    with pytest.raises(NodeError) as caught:
        await call
    return caught.value.verdict, caught.value.cause, caught.value.retry_after


@pytest.mark.parametrize(
    ("url", "path", "query", "sent"),
    [
        ("http://node", "", {}, "http://node"),
        ("http://node/", "/tip", {}, "http://node/tip"),
        ("http://node/v1/", "/tip", {"a": 1}, "http://node/v1/tip?a=1"),
        ("http://node/v1?key=x", "", {"a": ["b", "c"]}, "http://node/v1?key=x&a=b&a=c"),
        ("http://node/v1?key=x", "", {}, "http://node/v1?key=x"),
        ("http://node/v1?key=x", "/tip", {}, "http://node/v1/tip?key=x"),
        ("http://node/v1?key=x", "/tip", {"a": "b/c"}, "http://node/v1/tip?key=x&a=b%2Fc"),
    ],
)
async def test_paths_and_queries_are_added(url: str, path: str, query: dict[str, Any], sent: str) -> None:
    asked: list[str] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, stream=httpx.ByteStream(b"1"))

    assert await http(handle, url).read("GET", path, of=int, query=query) == 1
    assert asked == [sent]


@pytest.mark.parametrize(
    ("status", "headers", "meaning"),
    [
        (429, {"Retry-After": "7"}, (Verdict.BUSY, "rate_limited", 7)),
        (429, {"Retry-After": "99999999"}, (Verdict.BUSY, "rate_limited", 3600)),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, (Verdict.BUSY, "rate_limited", None)),
        (429, {"Retry-After": "-1"}, (Verdict.BUSY, "rate_limited", None)),
        (503, {"Retry-After": "7"}, (Verdict.BUSY, "unavailable", 7)),
        (503, {}, (Verdict.BROKEN, "failing", None)),
        (401, {}, (Verdict.BROKEN, "credential", None)),
        (404, {}, (Verdict.BROKEN, "not_found", None)),
        (301, {"Location": "http://other/"}, (Verdict.BROKEN, "redirects", None)),
        (400, {}, (Verdict.OURS, "bad_request", None)),
    ],
)
async def test_what_a_status_means(status: int, headers: dict[str, str], meaning: tuple[Verdict, str, Any]) -> None:
    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b""))

    assert await failed(http(handle).read("GET", of=int)) == meaning


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (httpx.ConnectError("x"), "unreachable"),
        (httpx.ConnectTimeout("x"), "unreachable"),
        (httpx.ReadTimeout("x"), "no_answer"),
        (httpx.ReadError("x"), "no_answer"),
        (httpx.RemoteProtocolError("x"), "no_answer"),
        (TimeoutError(), "slow"),
        (OSError("x"), "no_answer"),
    ],
)
async def test_an_exchange_that_fails_is_broken(error: Exception, cause: str) -> None:
    """``unreachable`` says that nothing was sent: a broadcast depends on it."""

    async def handle(request: httpx.Request) -> httpx.Response:
        raise error

    assert await failed(http(handle).exchange("GET")) == (Verdict.BROKEN, cause, None)


@pytest.mark.parametrize("url", ["//", "", "ftp://127.0.0.1", "http://127.0.0.1:x"])
async def test_a_url_that_is_none(url: str) -> None:
    to = Http(Secret(url))
    verdict, cause, _ = await failed(to.exchange("GET"))
    assert (verdict, cause) in ((Verdict.BROKEN, "unreachable"), (Verdict.BROKEN, "no_answer"))
    await to.close()


async def test_calls_of_ours_that_find_no_room_say_nothing_against_the_node() -> None:
    under_way, all_there, goes_on = 0, asyncio.Event(), asyncio.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal under_way
        under_way += 1
        if under_way == 20:
            all_there.set()
        await goes_on.wait()
        return httpx.Response(200, stream=httpx.ByteStream(b"1"))

    to = http(handle, seconds={**dict.fromkeys(Work, 60.0), Work.HISTORY: 0.1})
    calls = [asyncio.create_task(to.read("GET", of=int)) for _ in range(25)]
    await all_there.wait()
    assert await failed(to.read("GET", of=int, work=Work.HISTORY)) == (Verdict.BUSY, "own_limit", 1)
    goes_on.set()
    assert await asyncio.gather(*calls) == [1] * 25
    assert under_way == 25


async def test_a_bucket_lets_a_burst_through_and_no_more() -> None:
    asked = 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(200, stream=httpx.ByteStream(b"1"))

    to = http(handle, bucket=Bucket(1 / 3600, 5))
    for _ in range(5):
        await to.read("GET", of=int)
    assert await failed(to.read("GET", of=int)) == (Verdict.BUSY, "own_limit", 1)
    assert asked == 5


async def test_lines_are_counted_each() -> None:
    lines = Lines("127.0.0.1", 1, tls=False, bucket=(bucket := Bucket(1 / 3600, 5)))
    await bucket.take(4)
    assert (await failed(lines.call("m", [], int)))[1] == "unreachable"
    assert await failed(lines.call("m", [], int)) == (Verdict.BUSY, "own_limit", 1)
    await Bucket(1 / 3600, 5).take(1000)  # more than there ever is: all that there is
