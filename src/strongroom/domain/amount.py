"""Amounts are integers in base units. Text in whole coins is met only at the edges."""

from __future__ import annotations

import re
from typing import Final

MAX_AMOUNT: Final = 2**256 - 1
_DECIMAL: Final = re.compile(r"(?P<whole>[0-9]{1,78})(?:\.(?P<fraction>[0-9]{1,78}))?", re.ASCII)


def parse_units(text: str, decimals: int, most: int = MAX_AMOUNT) -> int:
    """``"0.29"`` with 8 decimals is 29000000. ``most``: base units that the asset can have.

    Raises ValueError on more, and on anything but plain ASCII digits with one point.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError("an amount is plain decimal digits with at most one point")
    fraction = found["fraction"] or ""
    if len(fraction) > decimals:
        raise ValueError("an amount has more fraction digits than the asset has decimals")
    amount = int(found["whole"] + fraction.ljust(decimals, "0"))
    if amount > min(most, MAX_AMOUNT):
        raise ValueError("an amount is more than there can be of the asset")
    return amount


def format_units(amount: int, decimals: int) -> str:
    """The inverse, without trailing zeros: 29000000 with 8 decimals is ``"0.29"``."""
    if amount < 0:
        raise ValueError("an amount is not negative")
    if decimals == 0:
        return str(amount)
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
