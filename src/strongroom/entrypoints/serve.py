"""`strongroom serve`: a main process that holds the locks, and worker processes that answer.

A worker is an ASGI application whose lifespan runs the gRPC server too. SIGTERM turns readiness off and drains gRPC at
once; then the HTTP server drains. What is in flight on either is finished.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import math
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom import bootstrap
from strongroom.access.client_address import ClientAddresses
from strongroom.config import Settings, load
from strongroom.domain.secret import Secret
from strongroom.entrypoints.grpc import server as grpc_server
from strongroom.entrypoints.http.app import create_app
from strongroom.errors import ConfigurationError
from strongroom.telemetry import logging
from strongroom.telemetry.hardening import harden

log = structlog.get_logger(__name__)

_LOCK_SECONDS: Final = 10.0
_KILL_MARGIN: Final = 5
_PARENT_SECONDS: Final = 0.5


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises ConfigurationError where it cannot start."""
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415 - workers do without
    from granian.server import Server  # noqa: PLC0415

    logging.configure(settings.log.level, settings.log.format)
    harden()
    with _only_instance(settings.data_dir):
        for host, port in ((settings.http.host, settings.http.port), (settings.grpc.host, settings.grpc.port)):
            _require_free(host, port)
        first_key = asyncio.run(bootstrap.prepare(settings))
        if first_key is not None:
            print(_first_steps(settings, first_key), flush=True)  # noqa: T201 - for the person who started it
        Server(
            "strongroom.entrypoints.serve:Worker",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.http.host,
            port=settings.http.port,
            workers=1,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            workers_kill_timeout=math.ceil(settings.timeouts.drain) + _KILL_MARGIN,
        ).serve()
        # Python puts signals back to their default while it ends: a second SIGTERM would turn a clean stop into a kill.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


class Worker:
    """The ASGI application of one worker process."""

    def __init__(self) -> None:
        self._settings = load()
        self._app: ASGIApp | None = None
        logging.configure(self._settings.log.level, self._settings.log.format)
        harden()

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
                reuse_port=False,
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


@contextlib.contextmanager
def _only_instance(data_dir: Path) -> Iterator[None]:
    """One serving process tree a data directory; an old one that is still stopping is waited for."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "strongroom.lock").open("w") as lock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ConfigurationError("another strongroom serves from this data directory") from None
                time.sleep(0.1)
        yield


def _require_free(host: str, port: int) -> None:
    """A port that is taken is said so in words, before anything else happens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise ConfigurationError(f"port {port} on {host} cannot be used: is another service there?") from None


def _first_steps(settings: Settings, key: Secret) -> str:
    url = f"http://{settings.http.host}:{settings.http.port}/api/v1"
    tx = (
        '{"network":"ethereum","unsigned_tx":{"type":"0x2","chainId":"0x1","nonce":"0x0","gas":"0x5208",'
        '"maxFeePerGas":"0x77359400","maxPriorityFeePerGas":"0x3b9aca00",'
        '"to":"0x3535353535353535353535353535353535353535","value":"0xde0b6b3a7640000"}}'
    )
    return f"""
Strongroom is starting with a development API key. It is shown this once:

  export KEY={key.reveal()}

Make a wallet, read its Ethereum address, sign a transfer:

  export WALLET=$(curl -s {url}/wallets -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{{"label":"first","networks":["ethereum"]}}' | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
  curl -s "{url}/wallets/$WALLET/address/ethereum" -H "X-API-Key: $KEY"
  curl -s {url}/wallets/$WALLET/sign -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
      -d '{tx}'

The interactive reference is at http://{settings.http.host}:{settings.http.port}/docs
"""
