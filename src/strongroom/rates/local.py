"""Buckets of this process: its share of each rate, so that all processes together allow about the whole rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from strongroom.rates.base import Bucket, Charged, level

_ROUNDING: Final = 1e-9
"""Seconds."""


class LocalBuckets:
    """``processes`` share each rate. A share of less than one unit becomes one unit in that many windows.

    The ``size`` buckets that were charged last are kept.
    """

    def __init__(self, processes: int = 1, *, size: int = 50_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = processes
        self._size = size
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    async def charge(self, buckets: Sequence[Bucket], units: int) -> Charged:
        return self.take(buckets, units)

    def take(self, buckets: Sequence[Bucket], units: int, *, already: bool = False) -> Charged:
        """``already`` means that the charge was accepted elsewhere and is only counted here."""
        now = self._clock()
        states = [self._state(bucket, units, now) for bucket in buckets]
        accepted = already or all(wait <= _ROUNDING for *_, wait in states)
        levels = []
        for bucket, (backlog, cost, room, wait) in zip(buckets, states, strict=True):
            after = backlog
            if accepted:
                # What others accepted for this process is not owed for longer than its own bucket could owe it.
                after = min(backlog + units * cost, max(room, units * cost)) if already else backlog + units * cost
                self._keep(bucket.key, now + after)
            levels.append(level(bucket.rate, after, cost, room, 0.0 if accepted else max(0.0, wait)))
        return Charged(accepted, levels)

    def _state(self, bucket: Bucket, units: int, now: float) -> tuple[float, float, float, float]:
        """Backlog, seconds per unit, room, and seconds until it accepts ``units``."""
        cost = bucket.rate.window * self._processes / bucket.rate.quota
        room = max(float(bucket.rate.window), cost)
        backlog = max(0.0, self._full_at.get(bucket.key, now) - now)
        return backlog, cost, room, backlog + min(units * cost, room) - room

    def _keep(self, key: str, full_at: float) -> None:
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)
