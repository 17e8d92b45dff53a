"""A clock that moves only when a test moves it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    now: float = 1000.0
    """Seconds."""

    def __call__(self) -> float:
        return self.now
