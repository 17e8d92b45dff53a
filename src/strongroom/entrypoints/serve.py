"""`strongroom serve`: the main process. It holds the locks and starts the workers, which answer.

A worker that dies is started anew. SIGTERM goes to each: it turns readiness off and drains gRPC at once, then the HTTP
server drains. What is in flight on either is finished.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
from typing import Any, Final

import structlog

from strongroom import bootstrap
from strongroom.config import Settings
from strongroom.entrypoints import first_steps
from strongroom.entrypoints.locks import only_instance, only_on_port
from strongroom.errors import Unavailable
from strongroom.telemetry import logging
from strongroom.telemetry.hardening import harden

log = structlog.get_logger(__name__)

_KILL_MARGIN: Final = 5


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises StrongroomError for what can never work."""
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415 - workers do without
    from granian.server import Server  # noqa: PLC0415

    logging.configure(settings.log.level, settings.log.format)
    harden()
    with contextlib.ExitStack() as locks:
        locks.enter_context(only_instance(settings.data_dir))
        for host, port in ((settings.http.host, settings.http.port), (settings.grpc.host, settings.grpc.port)):
            locks.enter_context(only_on_port(settings.data_dir, host, port))
        _prepare(settings)

        class StoppedOnce(Server):  # type: ignore[misc, valid-type, unused-ignore]
            def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
                """Granian's takes a lock: a second signal that interrupts it would wait for that lock for ever."""
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                super().signal_handler_interrupt(*args, **kwargs)

        StoppedOnce(
            "strongroom.entrypoints.worker:Worker",
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.http.host,
            port=settings.http.port,
            workers=settings.workers.count,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            respawn_failed_workers=True,
            workers_max_rss=settings.workers.max_memory,
            workers_kill_timeout=math.ceil(settings.timeouts.linger + settings.timeouts.drain) + _KILL_MARGIN,
        ).serve()


def _prepare(settings: Settings) -> None:
    """Raises StrongroomError for what can never work. A component that is away is waited for by the workers."""
    try:
        first_key = asyncio.run(bootstrap.prepare(settings))
    except Unavailable as error:
        log.warning("serve.component_away", reason=error.message)
        return
    if first_key is not None:
        first_steps.show(settings, first_key)
