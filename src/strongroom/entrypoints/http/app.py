"""The HTTP face: an ASGI application made from the registry."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strongroom import __version__
from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.documents import document_handlers
from strongroom.entrypoints.http.endpoint import OperationEndpoint
from strongroom.entrypoints.http.exchange import Answer, Exchange, Handler
from strongroom.entrypoints.http.openapi import document
from strongroom.entrypoints.http.probes import health_handlers, metrics_handler
from strongroom.entrypoints.http.problems import problem
from strongroom.entrypoints.http.routing import Resource, Routes
from strongroom.entrypoints.json_tree import MAX_VALUES
from strongroom.errors import InternalError, StrongroomError
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline
from strongroom.operations.registry import OPERATIONS
from strongroom.telemetry.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS_TOTAL

log = structlog.get_logger(__name__)

PREFIX: Final = "/api/v1"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def create_app(
    pipeline: Pipeline,
    *,
    health: HealthMonitor,
    trusted_proxies: ClientAddresses,
    body_limit: int = 1 << 20,
    body_timeout: float = 15.0,
    json_values: int = MAX_VALUES,
    offload: Offload | None = None,
    metrics_open: bool = True,
    health_open: bool = True,
) -> HttpFace:
    """``body_limit`` in bytes, ``body_timeout`` in seconds, ``json_values`` of a body. What is ``open`` needs no
    API key: /metrics, the details of /health. ``offload``: where large bodies are read.
    """
    limits = BodyLimits(body_limit, body_timeout, json_values)
    threads = offload or Offload()
    paths: dict[str, dict[str, Handler]] = defaultdict(dict)
    for operation in OPERATIONS:
        endpoint = OperationEndpoint(operation, pipeline, trusted_proxies, limits, threads)
        paths[PREFIX + operation.path][operation.method] = endpoint
    for path, handler in health_handlers(health, pipeline, trusted_proxies, open_to_all=health_open).items():
        paths[path]["GET"] = paths[PREFIX + path]["GET"] = handler
    paths["/metrics"]["GET"] = metrics_handler(pipeline, trusted_proxies, is_open=metrics_open)
    for path, handler in document_handlers(document(OPERATIONS, PREFIX, __version__, limits)).items():
        paths[path]["GET"] = handler
    return HttpFace(paths, health)


class HttpFace:
    """Finds the handler of a request and sends its answer; gives every answer an id, and an error its details."""

    def __init__(self, paths: Mapping[str, Mapping[str, Handler]], health: HealthMonitor) -> None:
        self._health = health
        self._routes = Routes(Resource(template, handlers) for template, handlers in paths.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves HTTP; the process's lifespan is the server's own affair, and websockets are closed."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = time.perf_counter()
        exchange = Exchange(scope, receive)
        route = "unmatched"
        try:
            resource, exchange.path_params = self._routes.find(scope["path"])
            route = resource.template
            answer = await resource(exchange)
        except StrongroomError as error:
            answer = problem(error, exchange.request_id)
        except Exception as error:
            log.error("http.crashed", request_id=exchange.request_id, exc_info=error)
            answer = problem(InternalError("the request id finds it in the log"), exchange.request_id)
        await send_answer(answer, exchange, send, last=self._health.draining or exchange.leaves_body())
        total, seconds = _metrics(route, exchange.method if exchange.method in _METHODS else "other", answer.status)
        total.inc()
        seconds.observe(time.perf_counter() - started)


async def send_answer(answer: Answer, exchange: Exchange, send: Send, *, last: bool) -> None:
    """``last``: of this connection; a caller who keeps it would soon meet a closed one."""
    headers = [
        *answer.headers,
        *answer.common,
        (b"x-request-id", exchange.request_id.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if last:
        headers.append((b"connection", b"close"))
    if answer.body:
        headers.append((b"content-type", answer.content_type))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else answer.body})


class LastResort:
    """Around an ASGI application. Whatever it raises is logged, and answered if nothing has been sent yet.

    Without it the server would answer with a text of its own, which no client of ours can read.
    """

    def __init__(self, app: Callable[[], ASGIApp]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app()(scope, receive, noting)
        except Exception as error:
            identity = uuid4().hex
            log.error("http.crashed", request_id=identity, exc_info=error)
            if begun or scope["type"] != "http":
                raise
            answer = problem(InternalError("the request id finds it in the log"), identity)
            headers = [
                *answer.headers,
                *answer.common,
                (b"x-request-id", identity.encode()),
                (b"content-length", str(len(answer.body)).encode()),
                (b"content-type", answer.content_type),
                (b"connection", b"close"),
            ]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else answer.body})


@cache
def _metrics(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return HTTP_REQUESTS_TOTAL.labels(route, method, status), HTTP_REQUEST_SECONDS.labels(route, method)
