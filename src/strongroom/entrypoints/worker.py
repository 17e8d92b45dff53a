"""A worker process: an ASGI application whose lifespan runs the gRPC server too."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom import bootstrap
from strongroom.access.client_address import ClientAddresses
from strongroom.config import load
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.http.app import create_app
from strongroom.errors import ConfigurationError
from strongroom.telemetry import logging, multiprocess
from strongroom.telemetry.hardening import harden

log = structlog.get_logger(__name__)

_PARENT_SECONDS: Final = 0.5


class Worker:
    """The ASGI application of one worker process."""

    def __init__(self) -> None:
        self._settings = load()
        self._app: ASGIApp | None = None
        logging.configure(self._settings.log.level, self._settings.log.format)
        harden()
        multiprocess.forget_dead()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            assert self._app is not None
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except ConfigurationError as error:
            log.critical("worker.not_started", reason=error.message)
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        settings = self._settings
        addresses = ClientAddresses([str(network) for network in settings.proxies.trusted])
        async with bootstrap.service(settings) as service:
            self._app = create_app(
                service.pipeline,
                health=service.health,
                trusted_proxies=addresses,
                body_limit=settings.http.body_limit,
                body_timeout=settings.http.body_timeout,
                metrics_open=settings.http.metrics_open,
            )
            grpc = await grpc_server.start(
                service.pipeline,
                address=f"{settings.grpc.host}:{settings.grpc.port}",
                addresses=addresses,
                max_message=settings.grpc.max_message,
                max_concurrent_streams=settings.grpc.max_streams,
                reuse_port=True,
                default_timeout=settings.timeouts.operation,
            )
            drain = _Drain(service, grpc, settings.timeouts.drain)
            parent = asyncio.create_task(_end_with_parent())
            log.info("worker.ready", http=settings.http.port, grpc=settings.grpc.port)
            try:
                yield
            finally:
                parent.cancel()
                await drain.wait()


class _Drain:
    """Turns SIGTERM into: not ready, gRPC drained, and then the HTTP server's own way of stopping, which is SIGINT."""

    def __init__(self, service: bootstrap.Service, grpc: grpc_server.GrpcServer, seconds: float) -> None:
        self._service = service
        self._grpc = grpc
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self) -> None:
        self._begin()
        os.kill(os.getpid(), signal.SIGINT)

    def _begin(self) -> asyncio.Task[None]:
        if self._task is None:
            log.info("worker.draining")
            self._service.health.drain()
            self._task = asyncio.create_task(self._grpc.drain(self._seconds))
        return self._task

    async def wait(self) -> None:
        await self._begin()


async def _end_with_parent() -> None:
    """A worker whose main process was killed ends too: nothing else would ever stop it."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells us
        await asyncio.sleep(_PARENT_SECONDS)
    log.error("worker.orphaned")
    os.kill(os.getpid(), signal.SIGTERM)
