"""`strongroom serve`, without the rest of the command line: forked workers would inherit all of it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Final

from strongroom.config import load
from strongroom.entrypoints.cli import failure
from strongroom.telemetry.multiprocess import shared_metrics

_FOR_TERMINALS: Final = ("rich", "click")
"""What structlog and httpx load where they find it, and a server never uses: 8 MiB of every worker."""


def serve() -> None:
    with failure.errors_in_words():
        settings = load()
        for name in _FOR_TERMINALS:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type] # an import of it fails as if it were not there
        with shared_metrics() if settings.workers.count > 1 else nullcontext():
            from strongroom.entrypoints import serve as server  # not before it is known where metrics live

            server.run(settings)
