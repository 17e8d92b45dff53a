"""A worker process: an ASGI application whose lifespan also runs the gRPC server."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import os
import random
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom import bootstrap
from strongroom.access.client_address import ClientAddresses
from strongroom.config.sections import TimeoutSettings
from strongroom.config.settings import load
from strongroom.entrypoints import first_steps, process_signals
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.http.app import LastResort, create_app
from strongroom.entrypoints.http.starting import StartingFace
from strongroom.entrypoints.listening import authority, numeric
from strongroom.entrypoints.tls import upstream
from strongroom.entrypoints.tls.admission import Admission
from strongroom.entrypoints.tls.credentials import grpc_credentials
from strongroom.entrypoints.tls.front import Front
from strongroom.entrypoints.tls.watched import WatchedMaterial
from strongroom.errors import (
    ConfigurationError,
    IntegrityError,
    KeyWrapUnavailable,
    StorageUnavailable,
    StrongroomError,
    Unavailable,
)
from strongroom.telemetry import logging, multiprocess
from strongroom.telemetry.hardening import harden

log = structlog.get_logger(__name__)

_COLLECT: Final = (50_000, 20, 20)
"""A request leaves few cycles. A batch keeps many objects alive, and each collection would look at them again."""
_PARENT_SECONDS: Final = 0.5
_STDERR: Final = 2
_SWITCH_SECONDS: Final = 0.001
"""How long a thread that reads a large document may keep the interpreter's lock from the event loop, in seconds."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 1.5
"""An attempt itself takes a few seconds if a component is silent. A worker serves within 5 s of its return."""
_LONGEST_START: Final = 30.0
_LONGEST_SILENCE: Final = 2.0
"""Seconds after which a worker responds although it does not know yet whether it can start."""
_COMPONENTS: Final[dict[type[StrongroomError], str]] = {
    StorageUnavailable: "database",
    KeyWrapUnavailable: "keywrap",
    IntegrityError: "keywrap",
    ConfigurationError: "settings",
}
"""The component that a worker waits for, by the error that it got."""


class Worker:
    """The ASGI application of one worker process.

    It responds from the first moment. Until everything that it needs is there, it reports that it is alive, not ready,
    and why, and tries again. If it gave up, its replacement would meet the same problem.
    """

    def __init__(self) -> None:
        process_signals.ignore_in_worker()
        _configure_logging()
        faulthandler.enable(_STDERR)
        harden()
        sys.setswitchinterval(_SWITCH_SECONDS)
        multiprocess.forget_dead()
        self._starting = StartingFace()
        self._face: ASGIApp = self._starting
        self._tried = asyncio.Event()
        self._ending = asyncio.Event()
        self._drain: _Drain | None = None
        self._tls: WatchedMaterial | None = None
        self._front: Front | None = None
        served = LastResort(lambda: self._face)
        self._http: ASGIApp = served if upstream.port() is None else Admission(lambda: self._front, served)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._on_sigterm)
        parent = asyncio.create_task(_end_with_parent())
        serving = asyncio.create_task(self._serve(), name="serving")
        # Wait for a start that succeeds, so that no caller meets a worker that is not ready beside others that are.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), _LONGEST_SILENCE)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        parent.cancel()
        self._ending.set()
        if self._drain is None:
            serving.cancel()
        await asyncio.wait({serving})
        if self._front is not None:
            await self._front.close()
        await asyncio.to_thread(logging.flush)
        await send({"type": "lifespan.shutdown.complete"})

    def _on_sigterm(self) -> None:
        if self._drain is None:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            self._drain.begin()

    async def _serve(self) -> None:
        """Serve until the process is to end. Whatever fails at the start is tried again."""
        pause = _FIRST_PAUSE
        while not self._ending.is_set():
            try:
                async with AsyncExitStack() as stack:
                    self._open_front()
                    async with asyncio.timeout(_LONGEST_START):
                        self._drain = await self._start(stack)
                    self._tried.set()
                    await self._ending.wait()
                    await self._drain.wait()
            except Exception as error:
                if self._drain is not None:
                    log.error("worker.ended_badly", exc_info=error)
                    return
                self._say_why(error)
                self._tried.set()
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that workers do not retry together
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _open_front(self) -> None:
        """From now on callers with TLS get a response, if only that the service is starting."""
        port = upstream.port()
        if port is None or self._front is not None:
            return
        settings = load()
        material = WatchedMaterial(settings.tls)
        front = Front(material, port)
        try:
            front.listen(numeric(settings.http.host), settings.http.port)
            if settings.tls.probe_port is not None:
                front.listen(numeric(settings.http.host), settings.tls.probe_port, probes=True)
        except ConfigurationError:
            front.forget()
            raise
        material.watch()
        self._tls, self._front = material, front

    async def _start(self, stack: AsyncExitStack) -> _Drain:
        settings = load()
        self._starting.errors_url = settings.http.errors_url
        self._starting.tells_details = settings.health.anonymous == "full"
        addresses = ClientAddresses([str(network) for network in settings.proxies.trusted])
        service = await stack.enter_async_context(bootstrap.service(settings, self._tls))
        face = create_app(
            service.pipeline,
            health=service.health,
            trusted_proxies=addresses,
            body_limit=settings.http.body_limit,
            batch_limit=settings.bounds.batch_size,
            body_timeout=settings.http.body_timeout,
            json_values=settings.bounds.json_values,
            offload=service.offload,
            metrics_open=settings.http.metrics_open,
            health_open=settings.health.anonymous == "full",
            errors_url=settings.http.errors_url,
            kept=timedelta(seconds=settings.idempotency.retention),
        )
        grpc = await grpc_server.start(
            service.pipeline,
            health=service.health,
            address=authority(numeric(settings.grpc.host), settings.grpc.port),
            addresses=addresses,
            max_message=settings.grpc.max_message,
            max_batch=settings.bounds.batch_size,
            max_concurrent_streams=settings.grpc.max_streams,
            max_values=settings.bounds.json_values,
            offload=service.offload,
            reuse_port=True,
            default_timeout=settings.timeouts.operation,
            tls=None if self._tls is None else grpc_credentials(self._tls),
        )
        gc.collect()
        gc.freeze()  # objects that exist from the start need not be scanned whenever a large document leaves garbage
        gc.set_threshold(*_COLLECT)
        self._face = face
        log.info("worker.ready", http=settings.http.port, grpc=settings.grpc.port)
        if service.first_key is not None:
            first_steps.show(settings, service.first_key)
        return _Drain(service, grpc, settings.timeouts, self._front)

    def _say_why(self, error: Exception) -> None:
        component = next((name for kind, name in _COMPONENTS.items() if isinstance(error, kind)), "process")
        reason = error.message if isinstance(error, StrongroomError) else type(error).__name__
        if isinstance(error, Unavailable) and error.cause is not None:
            reason = error.cause
        if (component, reason) == (self._starting.component, self._starting.reason):
            return
        self._starting.component, self._starting.reason = component, reason
        unexpected = None if isinstance(error, StrongroomError) else error
        log.error("worker.cannot_start", component=component, reason=reason, exc_info=unexpected)


def _configure_logging() -> None:
    try:
        settings = load().log
    except ConfigurationError:  # reported when the worker starts
        logging.configure()
    else:
        logging.configure(settings.level, settings.format)


class _Drain:
    """Turns SIGTERM into an orderly end.

    First the worker is not ready, but still serves requests, and closes each HTTP connection after its response. After
    ``linger`` seconds gRPC is drained, and SIGINT makes the HTTP server end in its own way.
    """

    def __init__(
        self,
        service: bootstrap.Service,
        grpc: grpc_server.GrpcServer,
        timeouts: TimeoutSettings,
        front: Front | None,
    ) -> None:
        self._service = service
        self._front = front
        self._grpc = grpc
        self._timeouts = timeouts
        self._lingering: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None

    def begin(self) -> None:
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
        if self._front is not None:
            await self._front.stop_accepting()
        os.kill(os.getpid(), signal.SIGINT)

    def _drain(self) -> asyncio.Task[None]:
        if self._draining is None:
            self._service.health.drain()
            self._service.drain_tasks()
            self._draining = asyncio.create_task(self._grpc.drain(self._timeouts.drain))
        return self._draining

    async def wait(self) -> None:
        """Wait until REST and gRPC have finished their requests, whatever made the HTTP server stop."""
        await self._drain()


async def _end_with_parent() -> None:
    """End this worker if its main process was killed, because nothing else would ever stop it."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(_PARENT_SECONDS)
    log.error("worker.orphaned")
    os.kill(os.getpid(), signal.SIGTERM)
