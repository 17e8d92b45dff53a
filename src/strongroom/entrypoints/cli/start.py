"""What `strongroom serve` does before the service is loaded."""

from __future__ import annotations

from contextlib import nullcontext

from strongroom.config import load
from strongroom.entrypoints.cli import output
from strongroom.telemetry.multiprocess import shared_metrics


def serve() -> None:
    with output.errors_in_words():
        settings = load()
        with shared_metrics() if settings.workers.count > 1 else nullcontext():
            from strongroom.entrypoints import serve as server  # not before it is known where metrics live

            server.run(settings)
