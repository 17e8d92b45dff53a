"""Named points between which a process may die. They do nothing, unless a test that runs the process arms them."""

from __future__ import annotations

from collections.abc import Callable

_armed: Callable[[str], None] | None = None


def arm(action: Callable[[str], None] | None) -> None:
    """``action`` is called with the name of each point that is reached, in whichever thread."""
    global _armed  # noqa: PLW0603 - one a process, as what it stands for
    _armed = action


def reached(name: str) -> None:
    if _armed is not None:
        _armed(name)
