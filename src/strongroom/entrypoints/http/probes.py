"""Health and metrics. Everything here answers from what is known already: a caller cannot make the service do work."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.exchange import Answer, Exchange, Handler
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.call import Call
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Operation
from strongroom.telemetry.multiprocess import exposition


def health_handlers(health: HealthMonitor) -> dict[str, Handler]:
    """By path below the prefix."""

    async def report(_: Exchange) -> Answer:
        found = health.report()
        return Answer(503 if found["status"] == "error" else 200, msgspec.json.encode(found))

    async def live(_: Exchange) -> Answer:
        return _probe(True)

    async def ready(_: Exchange) -> Answer:
        return _probe(health.ready)

    async def startup(_: Exchange) -> Answer:
        return _probe(health.started)

    return {"/health": report, "/health/live": live, "/health/ready": ready, "/health/startup": startup}


class MetricsText(msgspec.Struct, frozen=True):
    text: bytes


class _ReadMetrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def _read_metrics(_: _ReadMetrics, __: Call) -> MetricsText:
    return MetricsText(exposition())


METRICS: Final = Operation(
    name="metrics.read", method="GET", path="/metrics", rpc="", command=_ReadMetrics, result=MetricsText,
    scope="metrics:read", run=_read_metrics, summary="Prometheus metrics",
)  # fmt: skip
"""Not in the registry, since it is no use case; it runs through the pipeline where metrics need a key."""


def metrics_handler(pipeline: Pipeline, addresses: ClientAddresses, *, is_open: bool) -> Handler:
    async def nothing() -> _ReadMetrics:
        return _ReadMetrics()

    async def guarded(exchange: Exchange) -> Answer:
        request = Request(exchange.api_key(), nothing, exchange.request_id, exchange.client(addresses))
        result: Any = await pipeline.run(METRICS, request)
        return _metrics(result.text)

    async def unguarded(_: Exchange) -> Answer:
        return _metrics(exposition())

    return unguarded if is_open else guarded


def _metrics(text: bytes) -> Answer:
    return Answer(200, text, CONTENT_TYPE_LATEST.encode())


def _probe(good: bool) -> Answer:
    return Answer(200, b'{"status":"ok"}') if good else Answer(503, b'{"status":"error"}')
