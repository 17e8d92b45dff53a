"""Waiting for a state of something outside this process, of which nothing tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PATIENCE = 300.0
"""Seconds after which a state counts as one that never comes. No test depends on how soon it comes."""


def until(holds: Callable[[], T]) -> T:
    """What ``holds`` returns, once that is something true."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError("it never came true")
        time.sleep(0.05)
    return found
