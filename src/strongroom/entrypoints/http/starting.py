"""What a worker reports before it can serve: that it is alive, that it is not ready, and why."""

from __future__ import annotations

import time
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

from strongroom import __version__
from strongroom.entrypoints.http.app import PREFIX, send_answer
from strongroom.entrypoints.http.exchange import Answer, Exchange
from strongroom.entrypoints.http.problems import TYPES, problem
from strongroom.errors import Unavailable

_LIVE: Final = Answer(200, b'{"status":"ok"}')
_NOT_YET: Final = Answer(503, b'{"status":"error"}')


class StartingFace:
    """An ASGI application. ``component`` and ``reason`` say what it waits for, or None if nothing has failed."""

    def __init__(self) -> None:
        self.component: str | None = None
        self.reason: str | None = None
        self.tells_details = True
        """Whether the report shows details to callers without an API key."""
        self.errors_url = TYPES
        self._began = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        exchange = Exchange(scope, receive)
        await send_answer(self._answer(scope["path"].removeprefix(PREFIX), exchange), exchange, send, last=True)

    def _answer(self, path: str, exchange: Exchange) -> Answer:
        if exchange.method in ("GET", "HEAD"):
            match path:
                case "/health/live":
                    return _LIVE
                case "/health/ready" | "/health/startup":
                    return _NOT_YET
                case "/health":
                    return Answer(503, msgspec.json.encode(self._report()))
        waits = f" ({self.component}: {self.reason})" if self.component and self.tells_details else ""
        return problem(
            Unavailable(f"the service is starting{waits}", retry_after=1), exchange.request_id, types=self.errors_url
        )

    def _report(self) -> dict[str, object]:
        if not self.tells_details:
            return {"status": "error"}
        components = {self.component: {"status": "error", "state": self.reason}} if self.component else {}
        return {
            "status": "error",
            "components": components,
            "version": __version__,
            "uptime_seconds": int(time.monotonic() - self._began),
        }
