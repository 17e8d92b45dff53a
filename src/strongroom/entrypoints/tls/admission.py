"""Decides what may come over which port of a worker with TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom.entrypoints.http.app import PREFIX, send_answer
from strongroom.entrypoints.http.exchange import PEER, Exchange
from strongroom.entrypoints.http.problems import problem
from strongroom.entrypoints.tls.front import Front
from strongroom.errors import Forbidden, RouteNotFound, StrongroomError

_FOR_PROBES: Final = frozenset({"/health", "/health/live", "/health/ready", "/health/startup", "/metrics"})


class Admission:
    """An ASGI application around another. ``front`` returns None until there is one, and so no connection either."""

    def __init__(self, front: Callable[[], Front | None], app: ASGIApp) -> None:
        self._front = front
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        front = self._front()
        admitted = None if front is None else front.admit(scope)
        if admitted is None:
            await _refuse(Forbidden("this port is internal to the service: use http.port"), scope, receive, send)
        elif admitted[PEER].probe and scope["path"].removeprefix(PREFIX) not in _FOR_PROBES:
            await _refuse(RouteNotFound("this port serves only /health and /metrics"), scope, receive, send)
        else:
            await self._app(admitted, receive, send)


async def _refuse(error: StrongroomError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1008})
        return
    exchange = Exchange(scope, receive)
    await send_answer(problem(error, exchange.request_id), exchange, send, last=True)
