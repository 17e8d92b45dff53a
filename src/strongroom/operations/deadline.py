"""How long a caller waits, and what it gets at the deadline if something has already been done for it."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

_TO_WRITE_DOWN: Final = 2.0
"""Seconds before the deadline that are reserved for the commit and the response, or half of the rest if that
is less.
"""


class Deadline:
    """``at``: time of the event loop."""

    def __init__(self, at: float) -> None:
        self.at = at
        self.answer: msgspec.Struct | None = None
        """The result to return instead of an error at the deadline, or if a part of the service fails before it.

        The caller must not take an operation for failed that may have happened.
        """

    def until(self, longest: float) -> float:
        """When a step of at most ``longest`` seconds has to end, so that its outcome can still be recorded and
        returned.
        """
        now = asyncio.get_running_loop().time()
        left = self.at - now
        return now + min(longest, left - min(_TO_WRITE_DOWN, left / 2))
