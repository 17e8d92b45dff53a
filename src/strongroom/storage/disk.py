"""Whether the disk of the database has room. That cannot be queried, so it is inferred from the last writes.

A full disk still accepts writes that need no new page. So a successful write proves nothing, and the disk counts as
full until nothing was refused for a while. Background tasks write every few seconds even without callers.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

_SECONDS: Final = 15.0
_SQLSTATE: Final = "53100"
_SQLITE: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
"""No room; a quota or a limit of file size; no room for the index of the write-ahead log."""


def is_full_disk(error: object) -> bool:
    """``error``: the driver's own."""
    if getattr(error, "sqlstate", None) == _SQLSTATE:
        return True
    code = getattr(error, "sqlite_errorcode", 0)
    return code in _SQLITE or code & 0xFF == sqlite3.SQLITE_FULL


class Disk:
    def __init__(self, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._refused_at: float | None = None

    def refused(self) -> None:
        """Records that a write found no room."""
        with self._lock:
            known = self._refused_at is not None
            self._refused_at = self._clock()
        if not known:
            _log.error("database.disk_full", warning="the disk is full: nothing is signed until there is space")

    @property
    def full(self) -> bool:
        with self._lock:
            if self._refused_at is None:
                return False
            if self._clock() - self._refused_at < self._seconds:
                return True
            self._refused_at = None
        _log.warning("database.disk_has_room")
        return False


DISK: Final = Disk()
"""The disk of this process's database."""
