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
from strongroom.config.sections import TimeoutSettings
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
                health_open=settings.health.anonymous == "full",
            )
            grpc = await grpc_server.start(
                service.pipeline,
                health=service.health,
                address=f"{settings.grpc.host}:{settings.grpc.port}",
                addresses=addresses,
                max_message=settings.grpc.max_message,
                max_concurrent_streams=settings.grpc.max_streams,
                reuse_port=True,
                default_timeout=settings.timeouts.operation,
            )
            drain = _Drain(service, grpc, settings.timeouts)
            parent = asyncio.create_task(_end_with_parent())
            log.info("worker.ready", http=settings.http.port, grpc=settings.grpc.port)
            try:
                yield
            finally:
                parent.cancel()
                await drain.wait()


class _Drain:
    """Turns SIGTERM into the order of a clean end.

    Not ready: whoever is asked from now on says so, answers all the same, and closes each HTTP connection after its
    answer. ``linger`` seconds later gRPC is drained, and the HTTP server ends in its own way, which is SIGINT.
    """

    def __init__(self, service: bootstrap.Service, grpc: grpc_server.GrpcServer, timeouts: TimeoutSettings) -> None:
        self._service = service
        self._grpc = grpc
        self._timeouts = timeouts
        self._lingering: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._on_sigterm)

    def _on_sigterm(self) -> None:
        if self._lingering is None:
            log.info("worker.draining")
            self._service.health.drain()
            self._service.drain_tasks()
            self._lingering = asyncio.create_task(self._linger())

    async def _linger(self) -> None:
        if self._timeouts.linger:
            await self._grpc.turn_away()
            await asyncio.sleep(self._timeouts.linger)
        self._drain()
        os.kill(os.getpid(), signal.SIGINT)

    def _drain(self) -> asyncio.Task[None]:
        if self._draining is None:
            self._service.health.drain()
            self._service.drain_tasks()
            self._draining = asyncio.create_task(self._grpc.drain(self._timeouts.drain))
        return self._draining

    async def wait(self) -> None:
        """Until both faces have finished what they had; whatever made the HTTP server stop."""
        await self._drain()


async def _end_with_parent() -> None:
    """A worker whose main process was killed ends too: nothing else would ever stop it."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells us
        await asyncio.sleep(_PARENT_SECONDS)
    log.error("worker.orphaned")
    os.kill(os.getpid(), signal.SIGTERM)
