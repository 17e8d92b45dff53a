"""The gRPC server: `strongroom.v1.WalletService`, health checks and reflection on one port."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH_SERVICE
from grpc_health.v1.health import aio
from grpc_reflection.v1alpha import reflection

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.grpc.handler import SERVICE, handlers
from strongroom.entrypoints.grpc.reflecting import reflection_handlers
from strongroom.entrypoints.json_tree import MAX_VALUES
from strongroom.errors import ConfigurationError
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline

_SERVICES: Final = (SERVICE.full_name, HEALTH_SERVICE, reflection.SERVICE_NAME)
_HEALTHY_TOGETHER: Final = ("", *_SERVICES)
""""" stands for the server as a whole."""
_IDENTITY_ONLY: Final = 1
"""A value of `grpc.compression_enabled_algorithms_bitset`: a few compressed bytes must not become many."""
_CONNECTION_AGE_MS: Final = 300_000
"""Then a connection is asked to end, so that clients find new replicas. Its calls in flight are finished."""
_CONNECTION_AGE_GRACE_MS: Final = 35_000
_METADATA_BYTES: Final = 65_536
"""Large enough that a token that is too long is refused with our own text, as over REST."""
_KEEPALIVE_MS: Final = 60_000
_KEEPALIVE_TIMEOUT_MS: Final = 20_000
_LEAST_PING_INTERVAL_MS: Final = 10_000
_PING_STRIKES: Final = 2
_NOTICE_SECONDS: Final = 1.0
"""How long it may take to notify the clients that watch the health."""


class GrpcServer:
    """A gRPC server that is running, until it is drained."""

    def __init__(self, server: grpc.aio.Server, health: Health, port: int) -> None:
        self._server = server
        self._health = health
        self._mirroring = asyncio.create_task(health.mirror(), name="grpc-health")
        self.port = port

    async def turn_away(self) -> None:
        """Report NOT_SERVING to all clients that ask or watch. Calls are still served."""
        self._mirroring.cancel()
        await self._health.turn_away()

    async def drain(self, grace: float) -> None:
        """Accept no more calls, and give those in flight ``grace`` seconds."""
        await self.turn_away()
        stopping = asyncio.ensure_future(self._server.stop(grace))
        await asyncio.wait({stopping}, timeout=_NOTICE_SECONDS)
        self._health.end_watches()
        await stopping


class Health(aio.HealthServicer):
    """The standard health service. The server and each of its services are healthy while the process is ready.

    A check gets the current state. A watch is notified of changes. A client that does not read its notification blocks
    no other, and watches can be ended, because a drain would wait for them.
    """

    def __init__(self, monitor: HealthMonitor) -> None:
        super().__init__()
        self._monitor = monitor
        self._turned_away = False
        self._watches: set[asyncio.Task[None]] = set()

    async def Check(  # noqa: N802 - the RPC's name
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in _HEALTHY_TOGETHER:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return health_pb2.HealthCheckResponse(status=_status(self._monitor.ready and not self._turned_away))

    async def mirror(self) -> None:
        """Notify watches until cancelled."""
        async for ready in self._monitor.changes():
            await asyncio.gather(*(self._tell(name, ready) for name in _HEALTHY_TOGETHER))

    async def turn_away(self) -> None:
        self._turned_away = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTICE_SECONDS):
                await self.enter_graceful_shutdown()

    async def _tell(self, name: str, ready: bool) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTICE_SECONDS):
                await self.set(name, _status(ready))

    async def Watch(  # noqa: N802 - the RPC's name
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> None:
        watch = asyncio.ensure_future(super().Watch(request, context))
        self._watches.add(watch)
        try:
            await asyncio.wait({watch})
        finally:
            self._watches.discard(watch)
            watch.cancel()

    def end_watches(self) -> None:
        for watch in self._watches:
            watch.cancel()


def _status(ready: bool) -> Any:
    return health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING


def _limits_of_connections() -> list[tuple[str, int]]:
    return [
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
        ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY),
        ("grpc.max_connection_age_ms", _CONNECTION_AGE_MS),
        ("grpc.max_connection_age_grace_ms", _CONNECTION_AGE_GRACE_MS),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.http2.min_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_ping_strikes", _PING_STRIKES),
    ]


async def start(
    pipeline: Pipeline,
    *,
    health: HealthMonitor,
    address: str,
    addresses: ClientAddresses,
    max_message: int = 1_048_576,
    max_batch: int = 8 << 20,
    max_concurrent_streams: int = 100,
    max_values: int = MAX_VALUES,
    offload: Offload | None = None,
    default_timeout: float = 30.0,
    reuse_port: bool = True,
    tls: grpc.ServerCredentials | None = None,
) -> GrpcServer:
    """Start the server, which serves until it is drained. Raises ConfigurationError.

    ``default_timeout`` is in seconds, for a call without a deadline. ``max_values`` limits a JSON document in a
    message. ``max_message`` and ``max_batch`` are in bytes.
    """
    server = grpc.aio.server(
        options=[
            *_limits_of_connections(),
            ("grpc.max_receive_message_length", max(max_message, max_batch)),
            ("grpc.max_concurrent_streams", max_concurrent_streams),
            ("grpc.so_reuseport", int(reuse_port)),
        ],
    )
    served = handlers(
        pipeline,
        addresses,
        default_timeout,
        max_values,
        offload,
        tls=tls is not None,
        max_message=max_message,
        max_batch=max_batch,
    )
    server.add_generic_rpc_handlers((served,))
    health_service = Health(health)
    for name in _HEALTHY_TOGETHER:
        await health_service.set(name, _status(health.ready))
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    server.add_generic_rpc_handlers(reflection_handlers(_SERVICES, pipeline, addresses))
    try:
        port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
    except RuntimeError:
        raise ConfigurationError(
            "gRPC cannot listen on the configured address: check grpc.host and grpc.port"
        ) from None
    await server.start()
    return GrpcServer(server, health_service, port)
