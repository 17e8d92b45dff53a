"""Protection that a process which opens keys requests from its kernel."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

import structlog

_PR_SET_DUMPABLE: Final = 4
"""From prctl(2)."""

_log = structlog.get_logger(__name__)


def harden() -> None:
    """Forbid core files. On Linux, also keep out debuggers of the same user, and let only root read /proc/<pid>/mem.

    Call it in every process. A child inherits the first of these, but not always the others.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        _log.warning("process.dumpable", warning="other processes of this user can only be kept out on Linux")
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _log.warning("process.dumpable", warning="the kernel refused PR_SET_DUMPABLE", errno=ctypes.get_errno())
