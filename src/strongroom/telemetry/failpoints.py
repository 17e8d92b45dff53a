"""Named points at which tests kill a process. They do nothing unless a test arms them."""

from __future__ import annotations

from collections.abc import Callable

_armed: Callable[[str], None] | None = None


def arm(action: Callable[[str], None] | None) -> None:
    """``action`` is called with the name of each point that is reached, in any thread."""
    global _armed  # noqa: PLW0603 - one per process
    _armed = action


def reached(name: str) -> None:
    """Mark a point. Does nothing unless a test has armed the failpoints."""
    if _armed is not None:
        _armed(name)
