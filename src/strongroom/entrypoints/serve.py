"""`strongroom serve`, the main process. It holds the locks and starts the workers, which serve requests.

A worker that dies is replaced. On SIGTERM each worker turns readiness off, drains gRPC, and then lets the HTTP server
drain. Requests in flight on both are finished.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from typing import Any, Final

import structlog

from strongroom import bootstrap
from strongroom.config.settings import Settings
from strongroom.entrypoints import first_steps, process_signals
from strongroom.entrypoints.listening import Place, numeric
from strongroom.entrypoints.locks import only_instance, only_on_port
from strongroom.entrypoints.tls import upstream
from strongroom.entrypoints.tls.material import check_tls
from strongroom.errors import Unavailable
from strongroom.telemetry import logging
from strongroom.telemetry.hardening import harden
from strongroom.telemetry.native import NativeLines

log = structlog.get_logger(__name__)

_KILL_MARGIN: Final = 5
_LOOPBACK: Final = "127.0.0.1"


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises StrongroomError for a configuration that can never work."""
    logging.configure(settings.log.level, settings.log.format)
    harden()
    process_signals.ignore_in_main()
    check_tls(settings)
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_instance(settings.data_dir))
        for place in _places(settings):
            stack.enter_context(only_on_port(settings.data_dir, place))
        _prepare(settings)
        native = None
        if logging.writes_json(settings.log.format):
            native = NativeLines()
            stack.callback(native.finish)
        _server(settings, native).serve(spawn_target=None if settings.tls.certificate is None else upstream.spawn)


def _server(settings: Settings, native: NativeLines | None) -> Any:
    if sys.platform == "linux":
        # Python 3.14 would spawn workers: each would load everything again, which takes 25 MiB and a second.
        multiprocessing.set_start_method("fork", force=True)
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415 - workers do not need it
    from granian.server import Server  # noqa: PLC0415

    class StoppedOnce(Server):  # type: ignore[misc, valid-type, unused-ignore]
        def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
            """Granian's handler takes a lock, for which a second signal during it would wait forever."""
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGQUIT, signal.SIG_IGN)
            super().signal_handler_interrupt(*args, **kwargs)

        def startup(self, *args: Any, **kwargs: Any) -> None:
            signal.signal(signal.SIGQUIT, self.signal_handler_interrupt)
            super().startup(*args, **kwargs)

        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            if self.interrupt_children and not self.interrupt_signal:
                log.critical("serve.gives_up", reason="a worker died within seconds of being replaced")
            super().shutdown(*args, **kwargs)

        def _spawn_worker(self, *args: Any, **kwargs: Any) -> Any:
            worker: Any = super()._spawn_worker(*args, **kwargs)
            if native is not None:
                worker.start = native.heard()(worker.start)
            return worker

    has_tls = settings.tls.certificate is not None
    return StoppedOnce(
        "strongroom.entrypoints.worker:Worker",
        factory=True,
        interface=Interfaces.ASGI,
        address=_LOOPBACK if has_tls else numeric(settings.http.host),
        port=0 if has_tls else settings.http.port,
        workers=settings.workers.count,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_max_rss=settings.workers.max_memory,
        workers_kill_timeout=math.ceil(settings.timeouts.linger + settings.timeouts.drain) + _KILL_MARGIN,
    )


def _places(settings: Settings) -> Iterator[Place]:
    yield Place(numeric(settings.http.host), settings.http.port)
    yield Place(numeric(settings.grpc.host), settings.grpc.port, "grpc.host", "grpc.port")
    if settings.tls.probe_port is not None:
        yield Place(numeric(settings.http.host), settings.tls.probe_port, port_setting="tls.probe_port")


def _prepare(settings: Settings) -> None:
    """Raises StrongroomError for a configuration that can never work. Workers wait for a component that is down."""
    try:
        first_key = asyncio.run(bootstrap.prepare(settings))
    except Unavailable as error:
        log.warning("serve.component_away", reason=error.cause or error.message)
        return
    if first_key is not None:
        first_steps.show(settings, first_key)
    else:
        first_steps.remind(settings)
