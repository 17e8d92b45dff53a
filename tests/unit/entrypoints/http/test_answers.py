"""What every answer has, and that nothing a caller sends is answered with a 5xx."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from strongroom.entrypoints.http.app import HttpFace
from strongroom.entrypoints.http.routing import Resource, Routes
from strongroom.errors import RouteNotFound
from strongroom.operations.registry import OPERATIONS
from tests.unit.entrypoints.http.stubs import Made, StubPipeline

WALLET = "0198f3a2-6c1e-7d40-9b55-2f6f1c0a7e31"
SECURITY = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/networks", 200),
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/wallets/", 404),
        ("GET", "//api/v1/wallets", 404),
        ("DELETE", "/api/v1/wallets", 405),
        ("OPTIONS", "/api/v1/wallets", 204),
        ("GET", "/api/v1/wallets?x=1", 400),
        ("GET", "/health/live", 200),
        ("GET", "/health/ready", 503),
    ],
)
async def test_every_answer(
    client: httpx.AsyncClient, pipeline: StubPipeline, method: str, path: str, status: int
) -> None:
    pipeline.answer = Made()
    answer = await client.request(method, path, headers={"X-Request-ID": "my.request_1-a"})
    assert answer.status_code == status
    assert answer.headers["x-request-id"] == "my.request_1-a"
    assert SECURITY.items() <= dict(answer.headers).items()
    if status in (400, 404, 405):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == "my.request_1-a"
        assert answer.json()["status"] == status


@pytest.mark.parametrize("sent", [None, "", "a b", "a" * 129, "ä", "a\tb", "a/b", "{}"])
async def test_a_request_id_that_cannot_go_into_a_log_is_replaced(client: httpx.AsyncClient, sent: str | None) -> None:
    headers = [] if sent is None else [(b"X-Request-ID", sent.encode())]
    answer = await client.get("/nothing", headers=headers)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


async def test_allow_says_which_methods_a_path_takes(client: httpx.AsyncClient) -> None:
    for method in ("DELETE", "OPTIONS", "QUERY"):
        answer = await client.request(method, "/api/v1/wallets")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert (await client.delete(f"/api/v1/wallets/{WALLET}")).headers["allow"] == "GET, HEAD, OPTIONS, PATCH"
    assert (await client.get("/api/v1/wallets/import")).headers["allow"] == "OPTIONS, POST"


async def test_head_is_get_without_the_body(app: HttpFace, pipeline: StubPipeline) -> None:
    pipeline.answer = Made()
    start, body = await _call(app, "HEAD", b"/api/v1/networks", b"", [])
    assert (start["status"], body["body"]) == (200, b"")
    assert (b"content-length", b"26") in start["headers"]


async def test_a_crash_says_nothing(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    pipeline.answer = RuntimeError("abandon abandon about")
    answer = await client.get("/api/v1/networks")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "abandon" not in answer.text


ODD_PATHS = [
    b"/", b"/api/v1", b"/api/v1/wallets/%", b"/api/v1/wallets/%zz", b"/api/v1/wallets/%ff%fe", b"/api/v1/wallets/%00",
    b"/api/v1/wallets/..%2f..%2fetc", b"/api/v1/wallets/../audit", b"/api/v1/wallets/" + b"a" * 60_000,
    b"/api/v1/wallets/%F0%9F%92%A3", b"/api/v1/wallets/%ED%A0%80", b"/api/v1/wallets/{wallet_id}",
    b"/api/v1/wallets/{}", b"/api/v1/networks/%0d%0aSet-Cookie:a/decode", b"/api/v1/addresses/ethereum/%E2%80%AE",
    b"/docs/../app.py", b"/docs/swagger-ui/", b"/docs/swagger-ui/..%2findex.html", b"/api/v1/wallets;a=b",
]  # fmt: skip
ODD_QUERIES = [
    b"", b"?", b"=", b"&", b"%", b"%zz=%zz", b"limit=%", b"limit=%ff", b"limit=%00", b"limit=+1", b"limit=%C2%B2",
    b"limit=-1", b"limit=1e9", b"limit=1_0", b"limit=" + b"9" * 5000, b"cursor=" + b"=" * 200, b"label=%ED%A0%80",
    b"a" * 60_000, b"a=1&" * 20_000, b"limit[]=1", b"\xff\xfe=1", b"label=%F0%9F%92%A3", b"__proto__=1",
]  # fmt: skip
ODD_HEADERS = [
    (b"x-api-key", b"\xff\xfe"), (b"authorization", b""), (b"authorization", b"Bearer"),
    (b"authorization", b"Bearer \xff"), (b"x-forwarded-for", b"\xff, ,,"), (b"content-length", b"-5"),
    (b"content-type", b"\xff"), (b"x-request-id", b"\xff"), (b"idempotency-key", b"\xff" * 9000),
    (b"transfer-encoding", b"gzip"), (b"host", b""), (b"", b""),
]  # fmt: skip


async def test_nothing_odd_gives_a_5xx(app: HttpFace, pipeline: StubPipeline) -> None:
    pipeline.answer = Made()
    for method in ("GET", "POST", "PATCH", "BREW", ""):
        for path in ODD_PATHS:
            assert await _status(app, method, path, b"", []) < 500, (method, path[:80])
        for query in ODD_QUERIES:
            assert await _status(app, method, b"/api/v1/wallets", query, []) < 500, (method, query[:80])
        for header in ODD_HEADERS:
            assert await _status(app, method, b"/api/v1/wallets", b"", [header]) < 500, (method, header[:80])


async def test_a_websocket_is_closed(app: HttpFace) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "path": "/"}, None, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_routes_find_every_operation_and_nothing_else() -> None:
    routes = Routes(Resource(path, {}) for path in {operation.path for operation in OPERATIONS})
    for operation in OPERATIONS:
        resource, values = routes.find(re.sub(r"\{(\w+)\}", r"<\1>", operation.path))
        assert resource.template == operation.path
        assert values == {name: f"<{name}>" for name in re.findall(r"\{(\w+)\}", operation.path)}
    for path in ("", "/", "wallets", "/wallets/", "//wallets", "/wallets//sign", "/wallets/a/b", "/Wallets", "/{}"):
        with pytest.raises(RouteNotFound):
            routes.find(path)


async def _status(app: HttpFace, method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    start, _ = await _call(app, method, path, query, headers)
    status: int = start["status"]
    return status


async def _call(
    app: HttpFace, method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]
) -> list[dict[str, Any]]:
    """As a server calls the application: the path is percent-decoded, and need not be valid UTF-8."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": unquote(path.decode("latin-1")), "raw_path": path,
        "query_string": query, "headers": headers, "client": ("192.0.2.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent
