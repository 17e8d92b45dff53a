"""Converts amounts between integers in base units, used everywhere inside, and decimal text in whole coins."""

from __future__ import annotations

import re
from typing import Final

MAX_AMOUNT: Final = 2**256 - 1
_DECIMAL: Final = re.compile(r"(?P<whole>[0-9]{1,78})(?:\.(?P<fraction>[0-9]{1,78}))?", re.ASCII)


def parse_units(text: str, decimals: int, most: int = MAX_AMOUNT) -> int:
    """The amount in base units. ``"0.29"`` with 8 decimals is 29000000.

    Raises ValueError if the amount is more than ``most`` base units, has more fraction digits than ``decimals``, or is
    anything but plain ASCII digits with at most one point.
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError("an amount must be decimal digits with at most one decimal point")
    fraction = found["fraction"] or ""
    if len(fraction) > decimals:
        raise ValueError("the amount has more decimal places than the asset")
    amount = int(found["whole"] + fraction.ljust(decimals, "0"))
    if amount > min(most, MAX_AMOUNT):
        raise ValueError("the amount is larger than an amount of this asset can be")
    return amount


def format_units(amount: int, decimals: int) -> str:
    """The inverse of `parse_units`, without trailing zeros. Raises ValueError if the amount is negative."""
    if amount < 0:
        raise ValueError("an amount must not be negative")
    if decimals == 0:
        return str(amount)
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
