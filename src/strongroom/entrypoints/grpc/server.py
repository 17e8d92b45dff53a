"""The gRPC server: `strongroom.v1.WalletService`, health checking and reflection on one port."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from strongroom.access.client_address import ClientAddresses
from strongroom.entrypoints.grpc.handler import SERVICE, handlers
from strongroom.errors import ConfigurationError
from strongroom.operations.pipeline import Pipeline

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
"""How long a drain waits for those who watch the health to be told."""


class GrpcServer:
    def __init__(self, server: grpc.aio.Server, health_service: Health, port: int) -> None:
        self._server = server
        self._health = health_service
        self.port = port

    async def turn_away(self) -> None:
        """Says NOT_SERVING to whoever asks or watches; calls are still answered."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NOTICE_SECONDS):
                await self._health.enter_graceful_shutdown()

    async def drain(self, grace: float) -> None:
        """Takes no more calls, and gives those in flight ``grace`` seconds."""
        await self.turn_away()
        stopping = asyncio.ensure_future(self._server.stop(grace))
        await asyncio.wait({stopping}, timeout=_NOTICE_SECONDS)
        self._health.end_watches()
        await stopping


class Health(health.aio.HealthServicer):
    """The standard service, but with watches that can be ended: a drain would wait for each of them."""

    def __init__(self) -> None:
        super().__init__()
        self._watches: set[asyncio.Task[None]] = set()

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


async def start(
    pipeline: Pipeline,
    *,
    address: str,
    addresses: ClientAddresses,
    max_message: int = 1_048_576,
    max_concurrent_streams: int = 100,
    default_timeout: float = 30.0,
    reuse_port: bool = True,
    tls: grpc.ServerCredentials | None = None,
) -> GrpcServer:
    """Serves until drained. ``default_timeout``: seconds for a call without a deadline. Raises ConfigurationError."""
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
    server.add_generic_rpc_handlers((handlers(pipeline, addresses, default_timeout),))
    health_service = Health()
    await health_service.set(SERVICE.full_name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    reflection.enable_server_reflection((SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    try:
        port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
    except RuntimeError:
        raise ConfigurationError("gRPC cannot listen on the address that is configured") from None
    await server.start()
    return GrpcServer(server, health_service, port)
