"""What the kernel says of a process that has hardened itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOK = """
import ctypes, resource
from strongroom.telemetry.hardening import harden
prctl = ctypes.CDLL(None).prctl
print(prctl(3), end=" ")
harden()
print(prctl(3), resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_hardened_process_leaves_no_core_and_is_not_traced() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "1 0 (0, 0)\n"
