"""Converts fee rates as sources write them into integers. Nothing else does."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from enum import Enum
from typing import Final

from strongroom.rpc.base import FeeQuality, Fees, NodeError, Verdict

UNIT: Final = "sat/kvB"
MOST: Final = 10**8
"""One coin per thousand bytes, ten times the most that Bitcoin Core lets its own user pay."""
TARGETS: Final = (144, 6, 2)
"""Blocks within which a transaction should confirm: slow, normal, fast."""


class Rate(Enum):
    """Satoshis per thousand virtual bytes in one unit of a source."""

    BTC_PER_KVB = 10**8
    """Bitcoin Core, and Electrum, which calls the same kB."""
    SAT_PER_VB = 1_000
    """Esplora."""


def rate(number: Decimal, unit: Rate) -> int:
    """In sat/kvB, rounded up. Raises NodeError if it cannot be a fee rate."""
    if (
        not number.is_finite() or not 0 <= number <= Decimal(MOST) / unit.value
    ):  # checked before the multiplication, because of 1e999999
        raise NodeError(Verdict.LYING, "impossible_fee")
    return int((number * unit.value).to_integral_value(ROUND_CEILING))


def suggest(estimates: Sequence[int | None], floor: int) -> Fees:
    """``estimates``: one for each of `TARGETS`, in sat/kvB. ``floor``: the lowest fee that is relayed.

    If an estimate is missing, the next faster one is used. No fee is below the floor, and no faster one is cheaper.
    """
    slow, normal, fast = estimates
    known = max((each for each in estimates if each is not None), default=floor)
    fast = max(known, floor) if fast is None else max(fast, floor)
    normal = min(max(fast if normal is None else normal, floor), fast)
    slow = min(max(normal if slow is None else slow, floor), normal)
    quality = FeeQuality.FLOOR if estimates[-1] is None else FeeQuality.ESTIMATE
    return Fees(slow, normal, fast, UNIT, quality)
