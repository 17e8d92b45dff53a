"""Fee rates as sources write them, and the integers that are made of them: here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from enum import Enum
from typing import Final

from strongroom.rpc.base import FeeQuality, Fees, NodeError, Verdict

UNIT: Final = "sat/kvB"
MOST: Final = 10**8
"""One coin for a thousand bytes: ten times what Bitcoin Core takes from its own user."""
TARGETS: Final = (144, 6, 2)
"""Blocks within which it is to confirm: slow, normal, fast."""


class Rate(Enum):
    """Satoshis for a thousand virtual bytes in one unit of what a source speaks of."""

    BTC_PER_KVB = 10**8
    """Bitcoin Core and Electrum, which writes kB for the same."""
    SAT_PER_VB = 1_000
    """Esplora."""


def rate(number: Decimal, unit: Rate) -> int:
    """In sat/kvB, rounded up. Raises NodeError on what cannot be a rate."""
    if not number.is_finite() or not 0 <= number * unit.value <= MOST:
        raise NodeError(Verdict.LYING, "impossible_fee")
    return int((number * unit.value).to_integral_value(ROUND_CEILING))


def suggest(estimates: Sequence[int | None], floor: int) -> Fees:
    """``estimates``: for each of `TARGETS`, in sat/kvB; ``floor``: the least that is relayed.

    Where one is missing, the next faster one serves. Nothing is below the floor, and nothing faster is cheaper.
    """
    slow, normal, fast = estimates
    known = max((each for each in estimates if each is not None), default=floor)
    fast = max(known, floor) if fast is None else max(fast, floor)
    normal = min(max(fast if normal is None else normal, floor), fast)
    slow = min(max(normal if slow is None else slow, floor), normal)
    quality = FeeQuality.FLOOR if estimates[-1] is None else FeeQuality.ESTIMATE
    return Fees(slow, normal, fast, UNIT, quality)
