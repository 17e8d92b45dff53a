"""The outermost layer: what every answer has, whatever went on inside."""

from __future__ import annotations

import re
import time
from typing import Final
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strongroom.entrypoints.http.exchange import REQUEST_ID, ROUTE
from strongroom.entrypoints.http.problems import problem
from strongroom.errors import InternalError, StrongroomError
from strongroom.telemetry.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS_TOTAL

log = structlog.get_logger(__name__)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DEFAULTS: Final = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}
"""Headers that every answer gets unless it sets them itself."""


class Border:
    """Gives each request an id, its answer the common headers, an error its problem details, and counts them all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        scope[REQUEST_ID] = request_id = _request_id(scope)
        with_body = scope["method"] != "HEAD"
        status = 0

        async def out(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _complete(message["headers"], request_id)
            elif not with_body:
                message["body"] = b""
            await send(message)

        try:
            await self._app(scope, receive, out)
        except StrongroomError as error:
            await problem(error, request_id).send(out)
        except Exception as error:
            log.error("http.crashed", request_id=request_id, exc_info=error)
            if status:
                raise
            await problem(InternalError("the request id finds it in the log"), request_id).send(out)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = scope.get(ROUTE, "unmatched")
            HTTP_REQUESTS_TOTAL.labels(route, method, status).inc()
            HTTP_REQUEST_SECONDS.labels(route, method).observe(time.perf_counter() - started)


def _request_id(scope: Scope) -> str:
    """The caller's own where it is one that can go into a log line, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            text: str = value.decode()
            return text
    return uuid4().hex


def _complete(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    own = {name for name, _ in headers}
    missing = [item for item in _DEFAULTS.items() if item[0] not in own]
    return [*headers, *missing, (b"x-request-id", request_id.encode())]
