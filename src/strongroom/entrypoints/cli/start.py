"""`strongroom serve`, without the rest of the command line, which forked workers would inherit."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Final

from strongroom.config.settings import load
from strongroom.entrypoints.cli import failure
from strongroom.telemetry.multiprocess import shared_metrics

_FOR_TERMINALS: Final = ("rich", "click")
"""Modules that structlog and httpx import if they are installed. A server never uses their 8 MiB per worker."""


def serve() -> None:
    """Load the settings, and run the main process until it is told to end."""
    with failure.errors_in_words():
        settings = load()
        for name in _FOR_TERMINALS:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type] # importing it fails as if it were not installed
        with shared_metrics() if settings.workers.count > 1 else nullcontext():
            from strongroom.entrypoints import serve as server  # not before it is known where metrics live

            server.run(settings)
