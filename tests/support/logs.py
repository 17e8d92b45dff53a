"""What logging is before a test is what it is after it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def as_they_were() -> Iterator[None]:
    """Undoes what ``strongroom.telemetry.logging.configure`` did meanwhile, in the whole process.

    A logger of structlog that was used keeps what it wrote to, whatever is configured later: `capture_logs` of a later
    test would see nothing of it. Such loggers are made to look again.
    """
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    if not structlog.get_config()["cache_logger_on_first_use"]:  # ours was not called
        return
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(False)
    logging.raiseExceptions = raising
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    proxy = type(structlog.get_logger())
    for name, module in list(sys.modules.items()):
        if name.startswith("strongroom."):
            for value in vars(module).values():
                if type(value) is proxy:
                    vars(value).pop("bind", None)
