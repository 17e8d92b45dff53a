"""Until when a caller waits, and what it gets at that moment where something has been done for it already."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

_TO_WRITE_DOWN: Final = 2.0
"""Seconds of what is left that are kept for the commit and the answer, or half of it where that is less."""


class Deadline:
    """``at``: by the clock of the event loop."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.answer: msgspec.Struct | None = None
        """The result at the deadline, or where a part of the service fails before it, in place of an error: a caller
        must not take for failed what may have happened.
        """

    def until(self, longest: float) -> float:
        """When a step of ``longest`` seconds has to end, so that what came of it can still be told."""
        now = asyncio.get_running_loop().time()
        left = self.at - now
        return now + min(longest, left - min(_TO_WRITE_DOWN, left / 2))
