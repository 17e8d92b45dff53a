from __future__ import annotations

import httpx
import pytest

from strongroom.access.client_address import ClientAddresses
from strongroom.access.scopes import SCOPES
from strongroom.entrypoints.http.app import create_app
from strongroom.entrypoints.http.probes import METRICS
from strongroom.errors import Unauthenticated
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.messages import Verification
from tests.unit.entrypoints.http.stubs import StubPipeline


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


async def test_metrics_count_requests_by_route(client: httpx.AsyncClient, pipeline: StubPipeline) -> None:
    pipeline.answer = Verification(valid=True)
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
        pipeline.answer = await METRICS.run(None, None)  # type: ignore[arg-type]
        assert "strongroom_http_requests_total" in (await client.get("/metrics")).text
