"""The gRPC server: `strongroom.v1.WalletService`, health checking and reflection on one port."""

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
from strongroom.entrypoints.json_tree import MAX_VALUES
from strongroom.errors import ConfigurationError
from strongroom.health.monitor import HealthMonitor
from strongroom.operations.offload import Offload
from strongroom.operations.pipeline import Pipeline

_SERVICES: Final = (SERVICE.full_name, HEALTH_SERVICE, reflection.SERVICE_NAME)
_HEALTHY_TOGETHER: Final = ("", *_SERVICES)
"""Empty: the server as a whole."""
_IDENTITY_ONLY: Final = 1
"""Of `grpc.compression_enabled_algorithms_bitset`: a few compressed bytes must not become many."""
_CONNECTION_AGE_MS: Final = 300_000
"""After this a connection is asked to end, so that a client meets new replicas; its calls in flight are finished."""
_CONNECTION_AGE_GRACE_MS: Final = 35_000
_KEEPALIVE_MS: Final = 60_000
_KEEPALIVE_TIMEOUT_MS: Final = 20_000
_LEAST_PING_INTERVAL_MS: Final = 10_000
_PING_STRIKES: Final = 2
_NOTICE_SECONDS: Final = 1.0
"""How long those who watch the health may take to be told."""


class GrpcServer:
    def __init__(self, server: grpc.aio.Server, health: Health, port: int) -> None:
        self._server = server
        self._health = health
        self._mirroring = asyncio.create_task(health.mirror(), name="grpc-health")
        self.port = port

    async def turn_away(self) -> None:
        """Says NOT_SERVING to whoever asks or watches; calls are still answered."""
        self._mirroring.cancel()
        await self._health.turn_away()

    async def drain(self, grace: float) -> None:
        """Takes no more calls, and gives those in flight ``grace`` seconds."""
        await self.turn_away()
        stopping = asyncio.ensure_future(self._server.stop(grace))
        await asyncio.wait({stopping}, timeout=_NOTICE_SECONDS)
        self._health.end_watches()
        await stopping


class Health(aio.HealthServicer):
    """The standard service: the server and each service on it are healthy while the process is ready.

    Who asks is answered from what is known now. Who watches is told of a change; one that does not take what it is told
    holds up nobody, and watches can be ended, since a drain would wait for each of them.
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
        """Tells those who watch; until it is cancelled."""
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


async def start(
    pipeline: Pipeline,
    *,
    health: HealthMonitor,
    address: str,
    addresses: ClientAddresses,
    max_message: int = 1_048_576,
    max_concurrent_streams: int = 100,
    max_values: int = MAX_VALUES,
    offload: Offload | None = None,
    default_timeout: float = 30.0,
    reuse_port: bool = True,
    tls: grpc.ServerCredentials | None = None,
) -> GrpcServer:
    """Serves until drained. ``default_timeout``: seconds for a call without a deadline. ``max_values``: how many values
    a JSON document in a message may have. Raises ConfigurationError.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", max_message),
            ("grpc.max_concurrent_streams", max_concurrent_streams),
            ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY),
            ("grpc.max_connection_age_ms", _CONNECTION_AGE_MS),
            ("grpc.max_connection_age_grace_ms", _CONNECTION_AGE_GRACE_MS),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
            ("grpc.http2.max_ping_strikes", _PING_STRIKES),
            ("grpc.so_reuseport", int(reuse_port)),
        ]
    )
    server.add_generic_rpc_handlers((handlers(pipeline, addresses, default_timeout, max_values, offload),))
    health_service = Health(health)
    for name in _HEALTHY_TOGETHER:
        await health_service.set(name, _status(health.ready))
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    reflection.enable_server_reflection(_SERVICES, server)
    try:
        port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
    except RuntimeError:
        raise ConfigurationError("gRPC cannot listen on the address that is configured") from None
    await server.start()
    return GrpcServer(server, health_service, port)
