"""What a process that opens keys asks of its kernel."""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

import structlog

_PR_SET_DUMPABLE: Final = 4
"""prctl(2)"""

_log = structlog.get_logger(__name__)


def harden() -> None:
    """No core file; on Linux no debugger of the same user, and /proc/<pid>/mem for root alone.

    Call it in every process: a child inherits the limit, but not always the other.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        _log.warning("process.dumpable", warning="only on Linux can other processes of this user be kept out")
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        _log.warning("process.dumpable", warning="the kernel refused PR_SET_DUMPABLE", errno=ctypes.get_errno())
