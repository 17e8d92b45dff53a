"""The HTTP face: an ASGI application made from the registry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.body import BodyLimits
from strongroom.entrypoints.http.border import Border
from strongroom.entrypoints.http.documents import document_handlers
from strongroom.entrypoints.http.endpoint import OperationEndpoint
from strongroom.entrypoints.http.exchange import Handler
from strongroom.entrypoints.http.probes import health_handlers, metrics_handler
from strongroom.entrypoints.http.resource import Resource
from strongroom.errors import RouteNotFound
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.pipeline import Pipeline
from strongroom.operations.registry import OPERATIONS

PREFIX: Final = "/api/v1"
_HOT: Final = ("transactions.sign", "addresses.derive")
"""Routes are tried one after the other: these first."""

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def create_app(
    pipeline: Pipeline,
    *,
    health: HealthMonitor,
    trusted_proxies: ClientAddresses,
    body_limit: int = 1 << 20,
    body_timeout: float = 15.0,
    metrics_open: bool = True,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """``body_limit`` in bytes, ``body_timeout`` in seconds. ``metrics_open``: /metrics needs no API key."""
    limits = BodyLimits(body_limit, body_timeout)
    paths: dict[str, dict[str, Handler]] = defaultdict(dict)
    for operation in sorted(OPERATIONS, key=lambda operation: operation.name not in _HOT):
        endpoint = OperationEndpoint(operation, pipeline, trusted_proxies, limits)
        paths[PREFIX + operation.path][operation.method] = endpoint
    for path, handler in health_handlers(health).items():
        paths[path]["GET"] = paths[PREFIX + path]["GET"] = handler
    paths["/metrics"]["GET"] = metrics_handler(pipeline, trusted_proxies, is_open=metrics_open)
    for path, handler in document_handlers().items():
        paths[path]["GET"] = handler

    app = Starlette(routes=_routes(paths), middleware=[Middleware(Border)], lifespan=lifespan)
    app.router.redirect_slashes = False
    app.router.default = _nothing_here
    return app


def _routes(paths: Mapping[str, Mapping[str, Handler]]) -> list[Route]:
    return [Route(path, Resource(path, handlers)) for path, handlers in paths.items()]


async def _nothing_here(_: Scope, __: Receive, ___: Send) -> Any:
    raise RouteNotFound("there is nothing at this path")
