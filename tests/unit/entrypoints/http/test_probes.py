from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message

from strongroom.access.client_address import ClientAddresses
from strongroom.access.scopes import SCOPES
from strongroom.entrypoints.http.app import create_app
from strongroom.entrypoints.http.probes import HEALTH, METRICS, MetricsForm
from strongroom.errors import Forbidden, StorageUnavailable, StrongroomError, Unauthenticated
from strongroom.health.base import Check, ComponentStatus
from strongroom.health.monitor import HealthMonitor
from tests.unit.entrypoints.http.stubs import Made, StubPipeline


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_probes(client: httpx.AsyncClient, health: HealthMonitor, prefix: str) -> None:
    async def statuses() -> list[int]:
        paths = ("/health", "/health/live", "/health/ready", "/health/startup")
        return [(await client.get(prefix + path)).status_code for path in paths]

    assert await statuses() == [503, 200, 503, 503]
    await health.start()
    assert await statuses() == [200, 200, 200, 200]
    health.drain()
    assert await statuses() == [200, 200, 503, 200]
    await health.stop()


async def test_report(client: httpx.AsyncClient, health: HealthMonitor) -> None:
    await health.look()
    report = (await client.get("/api/v1/health")).json()
    assert report["components"]["database"]["connections"] == 5
    assert (report["status"], report["version"]) == ("ok", "1.2.3")


@pytest.fixture
async def guarded(pipeline: StubPipeline, health: HealthMonitor) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        pipeline,  # type: ignore[arg-type]
        health=health, trusted_proxies=ClientAddresses(), health_open=False,
    )  # fmt: skip
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://strongroom") as client:
        yield client


async def test_report_may_be_minimal_without_a_key(
    guarded: httpx.AsyncClient, pipeline: StubPipeline, health: HealthMonitor
) -> None:
    await health.look()
    assert (await guarded.get("/api/v1/health")).json() == {"status": "ok"}
    assert pipeline.operation is None  # who has no key makes nobody work
    assert HEALTH.run is not None
    pipeline.answer = await HEALTH.run(None, None)  # type: ignore[arg-type]
    assert (await guarded.get("/api/v1/health", headers={"X-API-Key": "sr_x"})).json() == health.report()
    assert pipeline.operation is HEALTH
    assert HEALTH.scope in SCOPES


@pytest.mark.parametrize("error", [Unauthenticated("no"), Forbidden("no"), StorageUnavailable("no")])
async def test_report_is_minimal_for_a_key_that_is_not_known(
    guarded: httpx.AsyncClient, pipeline: StubPipeline, health: HealthMonitor, error: StrongroomError
) -> None:
    await health.look()
    pipeline.answer = error
    assert (await guarded.get("/api/v1/health", headers={"X-API-Key": "sr_x"})).json() == {"status": "ok"}
    two = [("X-API-Key", "sr_x"), ("Authorization", "Bearer sr_y")]
    assert (await guarded.get("/api/v1/health", headers=two)).json() == {"status": "ok"}


async def test_ten_thousand_probes_ask_each_component_once(pipeline: StubPipeline) -> None:
    asked = Counter[str]()

    def check(name: str) -> Check:
        async def count() -> ComponentStatus:
            asked[name] += 1
            return ComponentStatus("ok")

        return count

    names = ("database", "vault", "redis")
    health = HealthMonitor({name: check(name) for name in names}, frozenset(names), "1", interval=3600)
    await health.start()
    app = create_app(pipeline, health=health, trusted_proxies=ClientAddresses())  # type: ignore[arg-type]
    statuses = Counter[int]()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses[message["status"]] += 1

    for path in ("", "/live", "/ready", "/startup"):
        scope = {
            "type": "http", "method": "GET", "path": f"/api/v1/health{path}", "query_string": b"", "headers": [],
        }  # fmt: skip
        for _ in range(2500):
            await app(scope, None, send)  # type: ignore[arg-type]
    await health.stop()
    assert statuses == {200: 10_000}
    assert asked == dict.fromkeys(names, 1)


async def test_metrics_count_requests_by_route(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    pipeline.answer = Made()
    await client.get("/api/v1/addresses/ethereum/0xabc")
    await client.get("/somewhere/else/canary")
    await client.request("BREW", "/api/v1/audit")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    route = "/api/v1/addresses/{network}/{address}"
    for line in (
        f'strongroom_http_requests_total{{method="GET",route="{route}",status="200"}}',
        f'strongroom_http_request_seconds_count{{method="GET",route="{route}"}}',
        'strongroom_http_requests_total{method="GET",route="unmatched",status="404"}',
        'strongroom_http_requests_total{method="other",route="/api/v1/audit",status="405"}',
    ):
        assert line in answer.text
    assert "canary" not in answer.text
    assert "0xabc" not in answer.text
    assert "BREW" not in answer.text


async def test_metrics_may_need_a_key(pipeline: StubPipeline, health: HealthMonitor) -> None:
    app = create_app(
        pipeline,  # type: ignore[arg-type]
        health=health, trusted_proxies=ClientAddresses(), metrics_open=False,
    )  # fmt: skip
    pipeline.answer = Unauthenticated("no")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://strongroom") as client:
        assert (await client.get("/metrics")).status_code == 401
        assert pipeline.operation is METRICS
        assert METRICS.scope in SCOPES
        assert METRICS.run is not None
        pipeline.answer = await METRICS.run(MetricsForm(openmetrics=False), None)  # type: ignore[arg-type]
        assert "strongroom_http_requests_total" in (await client.get("/metrics")).text
