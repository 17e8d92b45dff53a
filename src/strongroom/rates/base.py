"""The port of counted rates: buckets that refill over time and are charged together, all or none.

The algorithm is GCRA (ITU-T I.371). A bucket is one number, its backlog: the seconds until it is full again. Each unit
costs ``window / quota`` seconds. A charge is accepted if backlog and cost together are at most the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from strongroom.domain.rate import Rate


@dataclass(frozen=True, slots=True)
class Bucket:
    key: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Level:
    """One bucket after a charge that was accepted or refused."""

    left: int
    """Units that would be accepted now."""
    full_after: float
    """Seconds until the whole quota is available again."""
    wait: float
    """Seconds until this bucket would accept the refused charge. 0 if another bucket refused it."""


@dataclass(frozen=True, slots=True)
class Charged:
    """The result of a charge."""

    accepted: bool
    levels: Sequence[Level]
    """In the order of the buckets."""


class Buckets(Protocol):
    async def charge(self, buckets: Sequence[Bucket], units: int) -> Charged:
        """Take ``units`` from every bucket, or from none. Raises nothing.

        A full bucket accepts more units than its quota and then owes the rest. It accepts nothing else until that has
        come back.
        """


def level(rate: Rate, backlog: float, cost: float, room: float, wait: float = 0.0) -> Level:
    """``cost`` is in seconds per unit. ``room`` is the backlog of an empty bucket, in seconds."""
    left = max(0, int((room - backlog) / cost + _ROUNDING))
    return Level(min(left, rate.quota), max(0.0, backlog), wait)


_ROUNDING = 1e-6
"""Share of a unit, so that rounding of the clock does not cost a unit."""
