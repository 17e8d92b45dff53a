"""A worker process: an ASGI application whose lifespan runs the gRPC server too."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import signal
import sys
from contextlib import AsyncExitStack
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom import bootstrap
from strongroom.access.client_address import ClientAddresses
from strongroom.config import load
from strongroom.config.sections import TimeoutSettings
from strongroom.entrypoints import first_steps
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.http.app import LastResort, create_app
from strongroom.entrypoints.http.starting import StartingFace
from strongroom.errors import (
    ConfigurationError,
    IntegrityError,
    KeyWrapUnavailable,
    StorageUnavailable,
    StrongroomError,
)
from strongroom.telemetry import logging, multiprocess
from strongroom.telemetry.hardening import harden

log = structlog.get_logger(__name__)

_PARENT_SECONDS: Final = 0.5
_SWITCH_SECONDS: Final = 0.001
"""For so long a thread that reads something large may keep the event loop from the interpreter's lock."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 1.5
"""A try takes a few seconds itself when a component is silent; a worker serves within 5 s of its return."""
_LONGEST_START: Final = 30.0
_LONGEST_SILENCE: Final = 2.0
"""Seconds after which a worker answers although it does not know yet whether it can start."""
_COMPONENTS: Final[dict[type[StrongroomError], str]] = {
    StorageUnavailable: "database",
    KeyWrapUnavailable: "keywrap",
    IntegrityError: "keywrap",
    ConfigurationError: "settings",
}
"""What a worker waits for, by what it was told."""


class Worker:
    """The ASGI application of one worker process.

    It answers from its first moment. Until what it needs is there it says that it is alive and not ready, and why, and
    tries again; a worker that gave up would be replaced by one that meets the same.
    """

    def __init__(self) -> None:
        _configure_logging()
        harden()
        sys.setswitchinterval(_SWITCH_SECONDS)
        multiprocess.forget_dead()
        self._starting = StartingFace()
        self._face: ASGIApp = self._starting
        self._tried = asyncio.Event()
        self._ending = asyncio.Event()
        self._drain: _Drain | None = None
        self._http = LastResort(lambda: self._face)

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
        # A start that goes well is waited for, so that nobody meets a worker that is not ready beside others that are.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), _LONGEST_SILENCE)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        parent.cancel()
        self._ending.set()
        if self._drain is None:
            serving.cancel()
        await asyncio.wait({serving})
        await asyncio.to_thread(logging.flush)
        await send({"type": "lifespan.shutdown.complete"})

    def _on_sigterm(self) -> None:
        if self._drain is None:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            self._drain.begin()

    async def _serve(self) -> None:
        """Until the process is to end. Whatever is wrong at the start is tried again."""
        pause = _FIRST_PAUSE
        while not self._ending.is_set():
            try:
                async with AsyncExitStack() as stack:
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
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that workers do not come together
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _start(self, stack: AsyncExitStack) -> _Drain:
        settings = load()
        self._starting.tells_details = settings.health.anonymous == "full"
        addresses = ClientAddresses([str(network) for network in settings.proxies.trusted])
        service = await stack.enter_async_context(bootstrap.service(settings))
        face = create_app(
            service.pipeline,
            health=service.health,
            trusted_proxies=addresses,
            body_limit=settings.http.body_limit,
            body_timeout=settings.http.body_timeout,
            json_values=settings.bounds.json_values,
            offload=service.offload,
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
            max_values=settings.bounds.json_values,
            offload=service.offload,
            reuse_port=True,
            default_timeout=settings.timeouts.operation,
        )
        gc.collect()
        gc.freeze()  # what is there from the start need not be looked at whenever a large document made garbage
        self._face = face
        log.info("worker.ready", http=settings.http.port, grpc=settings.grpc.port)
        if service.first_key is not None:
            first_steps.show(settings, service.first_key)
        return _Drain(service, grpc, settings.timeouts)

    def _say_why(self, error: Exception) -> None:
        component = next((name for kind, name in _COMPONENTS.items() if isinstance(error, kind)), "process")
        reason = error.message if isinstance(error, StrongroomError) else type(error).__name__
        if (component, reason) == (self._starting.component, self._starting.reason):
            return
        self._starting.component, self._starting.reason = component, reason
        unexpected = None if isinstance(error, StrongroomError) else error
        log.error("worker.cannot_start", component=component, reason=reason, exc_info=unexpected)


def _configure_logging() -> None:
    try:
        settings = load().log
    except ConfigurationError:  # the reason is told when the worker starts
        logging.configure()
    else:
        logging.configure(settings.level, settings.format)


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
