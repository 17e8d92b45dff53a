"""Health and metrics. Everything here answers from what is known already: a caller cannot make the service do work."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.exchange import Answer, Exchange, Handler
from strongroom.errors import StrongroomError
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.call import Call
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Operation
from strongroom.telemetry.multiprocess import exposition


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def _nothing() -> _Nothing:
    return _Nothing()


async def _allow(command: _Nothing, __: Call) -> _Nothing:
    return command


HEALTH: Final = Operation(
    name="health.read", method="GET", path="/health", rpc="", command=_Nothing, result=_Nothing,
    scope="metrics:read", run=_allow, summary="How each component is",
)  # fmt: skip
"""Not in the registry, since it is no use case; it runs through the pipeline where details need a key."""


def health_handlers(
    health: HealthMonitor, pipeline: Pipeline, addresses: ClientAddresses, *, open_to_all: bool
) -> dict[str, Handler]:
    """By path below the prefix. ``open_to_all``: the report tells its details to callers without an API key."""

    async def report(exchange: Exchange) -> Answer:
        found = health.report()
        shown = found if open_to_all or await is_known(exchange) else {"status": found["status"]}
        return Answer(503 if found["status"] == "error" else 200, msgspec.json.encode(shown))

    async def is_known(exchange: Exchange) -> bool:
        """Whoever cannot be known, since the database is away, hears at least that something is."""
        try:
            key = exchange.api_key()
            if key is not None:
                await pipeline.run(HEALTH, Request(key, _nothing, exchange.request_id, exchange.client(addresses)))
        except StrongroomError:
            return False
        return key is not None

    async def live(_: Exchange) -> Answer:
        return _probe(True)

    async def ready(_: Exchange) -> Answer:
        return _probe(health.ready)

    async def startup(_: Exchange) -> Answer:
        return _probe(health.started)

    return {"/health": report, "/health/live": live, "/health/ready": ready, "/health/startup": startup}


class MetricsText(msgspec.Struct, frozen=True):
    text: bytes


async def _read_metrics(_: _Nothing, __: Call) -> MetricsText:
    return MetricsText(exposition())


METRICS: Final = Operation(
    name="metrics.read", method="GET", path="/metrics", rpc="", command=_Nothing, result=MetricsText,
    scope="metrics:read", run=_read_metrics, summary="Prometheus metrics",
)  # fmt: skip
"""Not in the registry, since it is no use case; it runs through the pipeline where metrics need a key."""


def metrics_handler(pipeline: Pipeline, addresses: ClientAddresses, *, is_open: bool) -> Handler:
    async def guarded(exchange: Exchange) -> Answer:
        request = Request(exchange.api_key(), _nothing, exchange.request_id, exchange.client(addresses))
        result: Any = await pipeline.run(METRICS, request)
        return _metrics(result.text)

    async def unguarded(_: Exchange) -> Answer:
        return _metrics(exposition())

    return unguarded if is_open else guarded


def _metrics(text: bytes) -> Answer:
    return Answer(200, text, CONTENT_TYPE_LATEST.encode())


def _probe(good: bool) -> Answer:
    return Answer(200, b'{"status":"ok"}') if good else Answer(503, b'{"status":"error"}')
