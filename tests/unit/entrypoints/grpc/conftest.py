from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import msgspec
import pytest

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.health.base import ComponentStatus
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.pipeline import Request
from strongroom.operations.registry import Operation
from tests.support.grpc_calls import unary

SERVICE = "strongroom.v1.WalletService"


class StubPipeline:
    """Binds, remembers what it was asked, and answers as it was told to."""

    def __init__(self) -> None:
        self.answer: msgspec.Struct | Exception = RuntimeError("no answer was set")
        self.request: Request | None = None
        self.command: Any = None
        self.before: Callable[[], Any] | None = None

    def admit(self, client: str) -> None:
        """Anybody."""

    async def run(self, operation: Operation, request: Request) -> msgspec.Struct:
        self.request = request
        if self.before is not None:
            await self.before()
        self.command = await request.bind()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def pipeline() -> StubPipeline:
    return StubPipeline()


class Component:
    """What readiness hangs on."""

    def __init__(self) -> None:
        self.is_well = True
        self.asked = 0

    async def __call__(self) -> ComponentStatus:
        self.asked += 1
        return ComponentStatus("ok" if self.is_well else "error")


@pytest.fixture
def required() -> Component:
    return Component()


@pytest.fixture
async def health(required: Component) -> AsyncIterator[HealthMonitor]:
    monitor = HealthMonitor({"database": required}, frozenset({"database"}), "1", interval=3600)
    await monitor.start()
    yield monitor
    await monitor.stop()


@pytest.fixture
async def server(pipeline: StubPipeline, health: HealthMonitor) -> AsyncIterator[grpc_server.GrpcServer]:
    server = await grpc_server.start(
        pipeline,  # type: ignore[arg-type]
        health=health,
        address="127.0.0.1:0",
        addresses=ClientAddresses(["127.0.0.1"]),
        default_timeout=30.0,
    )
    yield server
    await server.drain(0)


@pytest.fixture
async def channel(server: grpc_server.GrpcServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


@pytest.fixture
def call(channel: grpc.aio.Channel) -> Callable[..., Any]:
    """Calls an RPC with raw bytes: nothing of the client's own checks stands between."""

    def call(rpc: str, raw: bytes = b"", **options: Any) -> Any:
        return unary(channel, f"/{SERVICE}/{rpc}")(raw, **options)

    return call
