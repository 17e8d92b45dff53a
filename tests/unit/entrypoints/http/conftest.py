from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.http.app import HttpFace, create_app
from strongroom.health.base import ComponentStatus
from strongroom.health.monitor import HealthMonitor
from tests.unit.entrypoints.http.stubs import StubPipeline


async def well() -> ComponentStatus:
    return ComponentStatus("ok", {"connections": 5})


@pytest.fixture
def pipeline() -> StubPipeline:
    return StubPipeline()


@pytest.fixture
def health() -> HealthMonitor:
    return HealthMonitor({"database": well}, frozenset({"database"}), "1.2.3")


@pytest.fixture
def app(pipeline: StubPipeline, health: HealthMonitor) -> HttpFace:
    return create_app(
        pipeline,  # type: ignore[arg-type]
        health=health,
        trusted_proxies=ClientAddresses(["127.0.0.1"]),
        body_limit=2048,
        body_timeout=2.0,
    )


@pytest.fixture
async def client(app: HttpFace) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://strongroom") as http:
        yield http
