"""Health of a real service whose PostgreSQL, OpenBao and Redis die, fall silent, send nonsense, and come back."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from tests.support import openbao, postgres, redis, stack
from tests.support.grpc_calls import health_stub
from tests.support.openbao import OpenBao
from tests.support.postgres import Postgres
from tests.support.proxy import Proxy, proxy_to
from tests.support.redis import RedisServer
from tests.support.server import Server

pytestmark = pytest.mark.needs("postgresql", "openbao", "redis")

INTERVAL = 0.5
PATIENCE = 60.0
SERVICES = ("", "strongroom.v1.WalletService")
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def bao() -> Iterator[OpenBao]:
    with openbao.running() as made:
        yield made


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres.running() as made:
        yield made


@pytest.fixture(scope="module")
def cache() -> Iterator[RedisServer]:
    with redis.running() as made:
        yield made


@dataclass
class Watched:
    """A service whose components are behind proxies."""

    server: Server
    client: httpx.AsyncClient
    health: Any
    to_database: Proxy
    to_vault: Proxy
    to_redis: Proxy

    async def report(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get("/health")).json()
        return found

    async def report_when(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """On a busy machine OpenBao may have been slow just before."""
        began = time.monotonic()
        while not holds(found := await self.report()):
            assert time.monotonic() - began < PATIENCE
            await asyncio.sleep(0.02)
        return found

    async def ready(self) -> bool:
        """As REST and gRPC report it, with live unaffected."""
        assert (await self.client.get("/health/live")).status_code == 200
        assert (await self.client.get("/health/startup")).status_code == 200
        return (await self.client.get("/health/ready")).status_code == 200

    async def becomes(self, ready: bool) -> None:
        began = time.monotonic()
        while await self.ready() is not ready:
            assert time.monotonic() - began < PATIENCE
            await asyncio.sleep(0.02)
        for name in SERVICES:
            check = await self.health.Check(health_pb2.HealthCheckRequest(service=name))
            assert (check.status == SERVING) is ready


@pytest.fixture
async def watched(bao: OpenBao, database: Postgres, cache: RedisServer, tmp_path: Path) -> AsyncIterator[Watched]:
    name = database.create_database(migrated=True)
    async with AsyncExitStack() as parts:
        to_database = await parts.enter_async_context(proxy_to(database.port))
        to_vault = await parts.enter_async_context(proxy_to(bao.port))
        to_redis = await parts.enter_async_context(proxy_to(cache.port))
        settings = stack.settings(database, name, bao) | {
            "DATABASE__URL": database.url(name, postgres.SERVICE).replace(
                f":{database.port}", f":{to_database.local_port}"
            ),
            "VAULT__URL": f"http://127.0.0.1:{to_vault.local_port}",
            "VAULT__TIMEOUT": "0.2",
            "REDIS__URL": f"redis://127.0.0.1:{to_redis.local_port}/0",
            "REDIS__BREAKER_INTERVAL": str(INTERVAL),
            "HEALTH__INTERVAL": str(INTERVAL),
            "HTTP__METRICS_OPEN": "true",
            "WORKERS__COUNT": "1",
        }
        server = Server(tmp_path / "data", settings)
        await asyncio.to_thread(server.start)
        parts.push_async_callback(asyncio.to_thread, server.__exit__)
        client = await parts.enter_async_context(server.async_client())
        channel = await parts.enter_async_context(grpc.aio.insecure_channel(server.target))
        yield Watched(server, client, health_stub(channel), to_database, to_vault, to_redis)
        to_database.blackhole = to_vault.blackhole = to_redis.blackhole = False


async def test_report_has_what_the_roadmap_shows_and_nothing_else(watched: Watched) -> None:
    report = await watched.report_when(lambda found: bool(found["status"] == "ok"))
    assert report.keys() == {"status", "components", "version", "uptime_seconds"}
    assert {name: found.keys() for name, found in report["components"].items()} == {
        "database": {"status", "latency_ms", "connections"},
        "audit": {"status", "latency_ms"},
        "vault": {"status", "circuit_state", "latency_ms"},
        "redis": {"status", "latency_ms"},
    }
    assert report["components"]["vault"]["circuit_state"] == "closed"
    numbers = (report["uptime_seconds"], *(found["latency_ms"] for found in report["components"].values()))
    assert all(isinstance(number, int) for number in numbers)


@pytest.mark.parametrize("part", ["to_database", "to_vault", "to_redis"])
@pytest.mark.parametrize("how", ["dies", "falls silent"])
async def test_ready_follows_what_is_required(watched: Watched, part: str, how: str) -> None:
    proxy: Proxy = getattr(watched, part)
    port, name = proxy.port, part.removeprefix("to_")
    for _ in range(2):
        if how == "dies":
            proxy.port = 1
            proxy.reset()
        else:
            proxy.blackhole = True
        await watched.becomes(ready=False)
        report = await watched.report_when(lambda found: bool(found["components"][name]["status"] == "error"))
        assert report["status"] == "error"
        proxy.port, proxy.blackhole = port, False
        await watched.becomes(ready=True)


async def test_each_trouble_of_vault_is_a_state_of_its_own(watched: Watched, bao: OpenBao) -> None:
    async def state() -> str:
        await watched.becomes(ready=False)
        await asyncio.sleep(INTERVAL)
        vault = (await watched.report())["components"]["vault"]
        assert vault.keys() == {"status", "circuit_state", "latency_ms", "state"}
        return str(vault["state"])

    seen = []
    await asyncio.to_thread(bao.seal)
    seen.append(await state())
    await asyncio.to_thread(bao.unseal)
    await watched.becomes(ready=True)

    watched.to_vault.latency = 0.25
    seen.append(await state())
    watched.to_vault.latency = 0
    await watched.becomes(ready=True)

    watched.to_vault.garbage = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    seen.append(await state())
    watched.to_vault.garbage = None
    await watched.becomes(ready=True)

    await asyncio.to_thread(lambda: bao.policy(empty=True))
    seen.append(await state())
    await asyncio.to_thread(bao.policy)
    assert seen == ["sealed", "slow", "bad_answer", "denied"]


async def test_probes_ask_no_component(watched: Watched) -> None:
    async def checks() -> float:
        text = (await watched.client.get(f"{watched.server.url}/metrics")).text
        found = re.search(r'^strongroom_keywrap_calls_total\{call="check",outcome="ok"\} (\S+)$', text, re.MULTILINE)
        assert found is not None
        return float(found[1])

    before, began = await checks(), time.monotonic()
    for _ in range(20):
        paths = ["/health", "/health/live", "/health/ready", "/health/startup"] * 12
        answers = await asyncio.gather(*(watched.client.get(path) for path in paths))
        assert {answer.status_code for answer in answers} <= {200, 503}
    assert await checks() - before <= (time.monotonic() - began) / INTERVAL + 1
