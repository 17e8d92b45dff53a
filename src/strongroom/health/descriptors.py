"""Whether this process can still open files and connections. Otherwise requests fail with misleading errors."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import time
from collections.abc import Callable
from typing import Final

import structlog

from strongroom.health.base import ComponentStatus

_log = structlog.get_logger(__name__)

_SPARE: Final = 8
"""With so few descriptors left, the next connection may fail."""
_EVERY: Final = 1.0
_SILENCE: Final = 60.0
"""Seconds between two lines in the log."""


class Descriptors:
    """Checks once per second while `watch` runs."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said_at: float | None = None
        self.state: str | None = None
        """The fault, or None."""

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(_EVERY)

    def look(self) -> None:
        self.state = _state()
        if self.state is None:
            return
        now = self._clock()
        if self._said_at is None or now - self._said_at >= _SILENCE:
            self._said_at = now
            _log.error(
                "process.out_of_descriptors",
                state=self.state,
                limit=_limit(),
                todo="raise the limit on open files (ulimit -n, LimitNOFILE), or find out what opens so many",
            )

    def note(self) -> ComponentStatus | None:
        return None if self.state is None else ComponentStatus("degraded", {"state": self.state, "limit": _limit()})


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _state() -> str | None:
    """The system hands out the lowest free number, so all numbers below it are in use."""
    try:
        found = os.open(os.devnull, os.O_RDONLY)
    except OSError as error:
        return "system_out_of_files" if error.errno == errno.ENFILE else "out_of_descriptors"
    os.close(found)
    return "out_of_descriptors" if found + _SPARE >= _limit() else None
