"""Rates such as ``100/second`` or ``5000/10 minute``, as settings, API keys and wallets state them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

_FORM: Final = re.compile(r"([1-9][0-9]{0,8})/(?:([1-9][0-9]{0,4}) )?(second|minute|hour|day)", re.ASCII)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    quota: int
    """Units that may be used at once, and that become available again in each window."""
    window: int
    """Seconds."""
    text: str
    """The text that was parsed."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("a rate must be written as 100/second or 5000/10 minute")
        return cls(int(found[1]), int(found[2] or 1) * _SECONDS[found[3]], text)

    def is_within(self, other: Rate) -> bool:
        """Whether this rate allows no larger burst than ``other`` and no more in the long run."""
        return self.quota <= other.quota and self.quota * other.window <= other.quota * self.window

    def __str__(self) -> str:
        return self.text
