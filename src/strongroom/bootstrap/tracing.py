"""Starts tracing: where traces are sent, and how many are recorded."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

from strongroom import __version__
from strongroom.bootstrap.header_files import HeaderFile
from strongroom.config.watching import TracingSettings
from strongroom.errors import ConfigurationError
from strongroom.telemetry import multiprocess, tracing

if TYPE_CHECKING:
    from strongroom.telemetry.exporting import Send


def open_tracing(stack: AsyncExitStack, settings: TracingSettings) -> None:
    """Loads nothing if tracing is off, and does no I/O to the receiver yet. Raises ConfigurationError."""
    if not settings.enabled:
        return
    from strongroom.telemetry.exemplars import Exemplars  # noqa: PLC0415 - see above
    from strongroom.telemetry.exporting import Exporter  # noqa: PLC0415

    send = receiver(settings)
    resource: dict[str, str | int] = {
        "service.name": settings.service_name,
        "service.version": __version__,
        "service.instance.id": str(uuid4()),
        "process.pid": os.getpid(),
    }
    exemplars = Exemplars(multiprocess.folder())
    exporter = Exporter(send, resource, queue=settings.queue, exported=exemplars.note)
    multiprocess.exemplars = exemplars
    exporter.start()
    tracing.start(exporter, sample=settings.sample, follow=settings.follow_parent)
    stack.push_async_callback(asyncio.to_thread, exporter.close)
    stack.callback(tracing.stop)


def receiver(settings: TracingSettings) -> Send:
    """Return the function that sends an export. Does no I/O yet. Raises ConfigurationError."""
    from strongroom.telemetry.otlp import over_grpc, over_http  # noqa: PLC0415 - see above

    try:
        headers = dict if settings.headers_file is None else HeaderFile(settings.headers_file)
    except ValueError as fault:
        raise ConfigurationError(f"tracing.headers_file is not valid: {fault}", field="tracing.headers_file") from None
    over = over_grpc if settings.protocol == "grpc" else over_http

    def revealed() -> dict[str, str]:
        return {name: value.reveal() for name, value in headers().items()}

    return over(settings.endpoint, revealed, ca_file=settings.ca_file, timeout=settings.timeout)
