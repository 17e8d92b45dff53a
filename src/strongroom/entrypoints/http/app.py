"""The REST API: an ASGI application made from the registry."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
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
from strongroom.entrypoints.http.openapi import RETENTION, document
from strongroom.entrypoints.http.probes import health_handlers, metrics_handler
from strongroom.entrypoints.http.problems import TYPES, problem
from strongroom.entrypoints.http.routing import Resource, Routes
from strongroom.entrypoints.json_tree import BATCH_VALUES, MAX_VALUES
from strongroom.errors import InternalError, StrongroomError
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline
from strongroom.operations.registry import OPERATIONS
from strongroom.telemetry import tracing
from strongroom.telemetry.metrics import HTTP_REQUEST_SECONDS, HTTP_REQUESTS_TOTAL

log = structlog.get_logger(__name__)

PREFIX: Final = "/api/v1"
_TRACED: Final = frozenset(PREFIX + operation.path for operation in OPERATIONS)
"""Probes and metrics are requested every few seconds, and their traces would explain nothing."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def create_app(
    pipeline: Pipeline,
    *,
    health: HealthMonitor,
    trusted_proxies: ClientAddresses,
    body_limit: int = 1 << 20,
    batch_limit: int = 8 << 20,
    body_timeout: float = 15.0,
    json_values: int = MAX_VALUES,
    offload: Offload | None = None,
    metrics_open: bool = True,
    health_open: bool = True,
    errors_url: str = TYPES,
    kept: timedelta = RETENTION,
) -> HttpFace:
    """``body_limit`` and ``batch_limit`` are in bytes, ``body_timeout`` in seconds.

    ``json_values`` limits the JSON of a body. ``metrics_open`` and ``health_open`` serve /metrics and the details of
    /health without an API key. ``offload`` has the threads that read large bodies. ``kept``: how long responses to
    idempotency keys are kept, for the documentation.
    """
    limits = BodyLimits(body_limit, body_timeout, json_values)
    of_batches = BodyLimits(batch_limit, body_timeout, BATCH_VALUES * json_values)
    threads = offload or Offload()
    paths: dict[str, dict[str, Handler]] = defaultdict(dict)
    for operation in OPERATIONS:
        own = limits if operation.batch is None else of_batches
        endpoint = OperationEndpoint(operation, pipeline, trusted_proxies, own, threads)
        paths[PREFIX + operation.path][operation.method] = endpoint
    for path, handler in health_handlers(health, pipeline, trusted_proxies, open_to_all=health_open).items():
        paths[path]["GET"] = paths[PREFIX + path]["GET"] = handler
    paths["/metrics"]["GET"] = metrics_handler(pipeline, trusted_proxies, is_open=metrics_open)
    documents = document_handlers(document(OPERATIONS, PREFIX, __version__, limits, kept), pipeline, trusted_proxies)
    for path, handler in documents.items():
        paths[path]["GET"] = handler
    return HttpFace(paths, health, errors_url)


class HttpFace:
    """Finds the handler of a request and sends its response, with an id, and for an error with its details."""

    def __init__(
        self, paths: Mapping[str, Mapping[str, Handler]], health: HealthMonitor, errors_url: str = TYPES
    ) -> None:
        self._health = health
        self._errors_url = errors_url
        self._routes = Routes(Resource(template, handlers) for template, handlers in paths.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve HTTP. The server handles the process's lifespan itself, and websockets are closed."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        exchange = Exchange(scope, receive)
        with tracing.serve(exchange.headers(b"traceparent")) as span:
            await self._serve(exchange, scope["path"], send, span)

    async def _serve(self, exchange: Exchange, path: str, send: Send, span: tracing.Span | tracing.Nothing) -> None:
        started = time.perf_counter()
        method = exchange.method if exchange.method in _METHODS else "other"
        route = "unmatched"
        try:
            resource, exchange.path_params = self._routes.find(path)
            route = resource.template
            if route not in _TRACED:
                span.forget()
            answer = await resource(exchange)
        except StrongroomError as error:
            answer = problem(error, exchange.request_id, types=self._errors_url)
        except Exception as error:
            log.error("http.crashed", request_id=exchange.request_id, exc_info=error)
            crash = InternalError("unexpected error: look for the request id in the log")
            answer = problem(crash, exchange.request_id, types=self._errors_url)
        await send_answer(answer, exchange, send, last=self._health.draining or exchange.is_last())
        span.name = f"{method} {route}"
        span.note(http_method=method, http_route=route, http_status=answer.status)
        if answer.status >= 500:
            span.fail(str(answer.status))
        total, seconds = _metrics(route, method, answer.status)
        total.inc()
        seconds.observe(time.perf_counter() - started)


async def send_answer(answer: Answer, exchange: Exchange, send: Send, *, last: bool) -> None:
    """``last`` asks for the connection to be closed, so that a client does not keep one that soon ends."""
    headers = [
        *answer.headers,
        *answer.common,
        *exchange.quota_headers(),
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
    """Wraps an ASGI application. Whatever it raises is logged, and gets a response if nothing was sent yet.

    Without it, the server would respond with a text of its own, which our clients cannot parse.
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
            answer = problem(InternalError("unexpected error: look for the request id in the log"), identity)
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
