"""Health and metrics. All responses come from what is known already, so a caller cannot cause any work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS_TYPE

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.exchange import Answer, Exchange, Handler
from strongroom.errors import Forbidden, StrongroomError
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.call import Call
from strongroom.operations.pipeline import Pipeline, Request
from strongroom.operations.registry import Operation
from strongroom.operations.sight import nothing
from strongroom.telemetry.multiprocess import exposition

_OPENMETRICS: Final = "application/openmetrics-text"


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


async def _nothing() -> _Nothing:
    return _Nothing()


async def _allow(command: _Nothing, __: Call) -> _Nothing:
    return command


HEALTH: Final = Operation(
    name="health.read", method="GET", path="/health", rpc="", command=_Nothing, result=_Nothing,
    scope="metrics:read", run=_allow, touches=nothing, summary="The status of each component",
)  # fmt: skip
"""Not in the registry, because it is no use case. It runs through the pipeline if the details need a key."""


def health_handlers(
    health: HealthMonitor, pipeline: Pipeline, addresses: ClientAddresses, *, open_to_all: bool
) -> dict[str, Handler]:
    """Handlers by path below the prefix. ``open_to_all`` shows details to callers without an API key."""

    async def report(exchange: Exchange) -> Answer:
        found = health.report()
        told = is_admitted(exchange) if open_to_all else await is_known(exchange)
        shown = found if told else {"status": found["status"]}
        return Answer(503 if found["status"] == "error" else 200, msgspec.json.encode(shown))

    def is_admitted(exchange: Exchange) -> bool:
        try:
            pipeline.admit(exchange.client(addresses))
        except Forbidden:
            return False
        return True

    async def is_known(exchange: Exchange) -> bool:
        """While the database is down, no caller can be identified, but the overall status is still reported."""
        try:
            request = _request(exchange, addresses)
            if known := request.credential is not None or request.certificate is not None:
                await pipeline.run(HEALTH, request)
        except StrongroomError:
            return False
        return known

    async def live(_: Exchange) -> Answer:
        return _probe(True)

    async def ready(_: Exchange) -> Answer:
        return _probe(health.ready)

    async def startup(_: Exchange) -> Answer:
        return _probe(health.started)

    return {"/health": report, "/health/live": live, "/health/ready": ready, "/health/startup": startup}


class MetricsForm(msgspec.Struct, frozen=True):
    openmetrics: bool


class MetricsText(msgspec.Struct, frozen=True):
    text: bytes


async def _read_metrics(form: MetricsForm, _: Call) -> MetricsText:
    return MetricsText(exposition(openmetrics=form.openmetrics))


METRICS: Final = Operation(
    name="metrics.read", method="GET", path="/metrics", rpc="", command=MetricsForm, result=MetricsText,
    scope="metrics:read", run=_read_metrics, touches=nothing, summary="Prometheus metrics",
)  # fmt: skip
"""Not in the registry, because it is no use case. It runs through the pipeline if metrics need a key."""


def metrics_handler(pipeline: Pipeline, addresses: ClientAddresses, *, is_open: bool) -> Handler:
    """The handler of /metrics. Unless ``is_open``, it requires the scope `metrics:read`."""

    async def guarded(exchange: Exchange) -> Answer:
        form = _form(exchange)

        async def bind() -> MetricsForm:
            return form

        result: Any = await pipeline.run(METRICS, _request(exchange, addresses, bind))
        return _metrics(result.text, form)

    async def unguarded(exchange: Exchange) -> Answer:
        pipeline.admit(exchange.client(addresses))
        form = _form(exchange)
        return _metrics(exposition(openmetrics=form.openmetrics), form)

    return unguarded if is_open else guarded


def _form(exchange: Exchange) -> MetricsForm:
    """OpenMetrics, which can hold exemplars, if the request accepts it. Prometheus does."""
    return MetricsForm(any(_OPENMETRICS in each for each in exchange.headers(b"accept")))


def _metrics(text: bytes, form: MetricsForm) -> Answer:
    return Answer(200, text, (OPENMETRICS_TYPE if form.openmetrics else CONTENT_TYPE_LATEST).encode())


def _request(
    exchange: Exchange, addresses: ClientAddresses, bind: Callable[[], Awaitable[msgspec.Struct]] = _nothing
) -> Request:
    return Request(
        exchange.credential(),
        bind,
        exchange.request_id,
        exchange.client(addresses),
        certificate=exchange.certificate,
    )


def _probe(good: bool) -> Answer:
    return Answer(200, b'{"status":"ok"}') if good else Answer(503, b'{"status":"error"}')
