"""FakeLimits: a fake in front of surfpool that enforces the limits of Solana nodes, which surfpool lacks.

The numbers and texts are agave's (rpc-client-api/src/request.rs, custom_error.rs; rpc/src/rpc.rs).
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import httpx

_MOST: Final = {"getMultipleAccounts": 100, "getSignatureStatuses": 256}
MOST_SIGNATURES: Final = 1000
MOST_TRANSACTION: Final = 1232
_BELOW_CONFIRMED: Final = {"getSignaturesForAddress", "getTransaction", "getBlock"}
_TIMED: Final = {"getTransaction", "getBlock"}


class FakeLimits(httpx.AsyncBaseTransport):
    """``unhealthy``: the node always says that it is behind. ``lag``: by how many slots, for ``minContextSlot``.

    ``skipped`` are slots without a block.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self.inner = inner or httpx.AsyncHTTPTransport()
        self.unhealthy = False
        self.lag = 0
        self.skipped: set[int] = set()
        self.refused: list[str] = []
        """Methods."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        asked = json.loads(body)
        if isinstance(asked, list):
            self.refused.append("batch")
            return _response({"id": None, **_error(-32600, "Invalid request")})
        error = await self._error(request.url, asked)
        if error is not None:
            self.refused.append(asked["method"])
            return _response({"id": asked["id"], **error})
        answer = await self._ask(request.url, asked)
        if asked["method"] in _TIMED and answer.get("result"):
            answer["result"]["blockTime"] *= 1000  # surfpool returns a thousandth of it
        return _response(answer)

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def _error(self, url: httpx.URL, asked: dict[str, Any]) -> dict[str, Any] | None:
        method, params = asked["method"], asked["params"]
        options = next((each for each in reversed(params) if isinstance(each, dict)), {})
        if self.unhealthy:
            return _error(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42})
        if (most := _MOST.get(method)) is not None and len(params[0]) > most:
            return _error(-32602, f"Too many inputs provided; max {most}")
        if method == "getSignaturesForAddress" and not 0 < options.get("limit", 1) <= MOST_SIGNATURES:
            return _error(-32602, f"Invalid limit; max {MOST_SIGNATURES}")
        if method == "sendTransaction" and len(base64.b64decode(params[0])) > MOST_TRANSACTION:
            return _error(-32602, "base64 encoded VersionedTransaction too large")
        if method in _BELOW_CONFIRMED and options.get("commitment") == "processed":
            return _error(-32602, "Method does not support commitment below `confirmed`")
        if method == "getTransaction" and options.get("maxSupportedTransactionVersion") is None:
            return _error(-32015, "Transaction version (0) is not supported by the requesting client.")
        if method == "getBlock" and params[0] in self.skipped:
            return _error(-32007, f"Slot {params[0]} was skipped, or missing due to ledger jump to recent snapshot")
        return await self._behind(url, options.get("minContextSlot"))

    async def _behind(self, url: httpx.URL, least: int | None) -> dict[str, Any] | None:
        if least is not None:
            question = {"jsonrpc": "2.0", "id": 0, "method": "getLatestBlockhash", "params": []}
            slot = (await self._ask(url, question))["result"]["context"]["slot"] - self.lag
            if least > slot:
                return _error(-32016, "Minimum context slot has not been reached", {"contextSlot": slot})
        return None

    async def _ask(self, url: httpx.URL, asked: dict[str, Any]) -> dict[str, Any]:
        headers = {"Host": url.netloc.decode(), "Content-Type": "application/json"}
        request = httpx.Request("POST", url, headers=headers, content=json.dumps(asked).encode())
        response = await self.inner.handle_async_request(request)
        found: dict[str, Any] = json.loads(await response.aread())
        await response.aclose()
        return found


def _error(code: int, message: str, data: object = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message} | ({} if data is None else {"data": data})}


def _response(body: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, stream=_Body({"jsonrpc": "2.0", **body}))


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: object) -> None:
        self._content = json.dumps(content).encode()

    async def __aiter__(self) -> Any:
        yield self._content
