"""What an HTTP client sends and receives, counted, and changed if a test wants it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

Question = dict[str, Any]
Answer = dict[str, Any]


class Tap(httpx.AsyncBaseTransport):
    """For JSON-RPC. ``before`` may respond instead of the node, or return None. ``after`` may change a response."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self.inner = inner or httpx.AsyncHTTPTransport()
        self.requests = 0
        self.calls: Counter[str] = Counter()
        self.largest = 0
        """Bytes of the longest request."""
        self.before: Callable[[Question], Answer | None] = lambda question: None
        self.after: Callable[[Question, Answer], Answer] = lambda question, answer: answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        self.requests += 1
        self.largest = max(self.largest, len(body))
        asked = json.loads(body)
        if isinstance(asked, list):
            return httpx.Response(200, stream=_Body([await self._one(request, each) for each in asked]))
        return httpx.Response(200, stream=_Body(await self._one(request, asked)))

    async def _one(self, request: httpx.Request, question: Question) -> Answer:
        self.calls[question["method"]] += 1
        answer = self.before(question)
        if answer is None:
            headers = [(n, v) for n, v in request.headers.raw if n.lower() != b"content-length"]
            asked = httpx.Request("POST", request.url, headers=headers, content=json.dumps(question).encode())
            response = await self.inner.handle_async_request(asked)
            answer = json.loads(await response.aread())
            await response.aclose()
        return self.after(question, {"jsonrpc": "2.0", "id": question["id"], **answer})

    async def aclose(self) -> None:
        await self.inner.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: object) -> None:
        self._content = json.dumps(content).encode()

    async def __aiter__(self) -> Any:
        yield self._content


class FakeMempool:
    """The rule of geth's pool that anvil lacks: a replacement pays 10 % more in both fees."""

    def __init__(self, tap: Tap, fees: Callable[[str], tuple[str, int, int, int]]) -> None:
        """``fees`` returns (sender, nonce, max fee, tip) of a raw transaction."""
        self._fees = fees
        self._pool: dict[tuple[str, int], tuple[int, int]] = {}
        tap.before = self._before

    def _before(self, question: Question) -> Answer | None:
        if question["method"] != "eth_sendRawTransaction":
            return None
        sender, nonce, fee, tip = self._fees(question["params"][0])
        there = self._pool.get((sender, nonce))
        if (
            there is not None
            and there != (fee, tip)
            and any(10 * n < 11 * o for n, o in zip((fee, tip), there, strict=True))
        ):
            return {"error": {"code": -32000, "message": "replacement transaction underpriced"}}
        self._pool[sender, nonce] = (fee, tip)
        return None
