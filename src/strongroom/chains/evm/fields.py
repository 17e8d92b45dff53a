"""Strict reading of the values in the JSON forms.

A quantity is 0x-hex without leading zeros as in JSON-RPC ("0x0", "0x1f"), a JSON integer, or a string of plain decimal
digits without leading zeros. Hex always has the prefix 0x, so the two cannot be confused. A BigNumber of ethers v5,
``{"type": "BigNumber", "hex": "0x01"}``, is a quantity too. Data is 0x and whole bytes. All functions raise ValueError
with a message that repeats nothing of the input.
"""

from __future__ import annotations

import re
from typing import Final

from strongroom.codecs import eip55, hexadecimal

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})|0|[1-9][0-9]{0,77}", re.ASCII)
_BIG_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_WORD: Final = 32


def quantity(value: object) -> int:
    """An integer from 0 to 2^256 - 1. Floats and booleans are refused."""
    if isinstance(value, dict):
        number = _big_number(value)
    elif isinstance(value, str):
        if _QUANTITY.fullmatch(value) is None:
            raise ValueError("a quantity must be 0x-hex or decimal digits without leading zeros, below 2^256")
        number = int(value, 0)
    elif type(value) is int:
        number = value
    else:
        raise ValueError("a quantity must be a hex string, a decimal string or an integer")
    if not 0 <= number < 2**256:
        raise ValueError("a quantity must be at least 0 and below 2^256")
    return number


def _big_number(value: dict[str, object]) -> int:
    digits = value.get("hex")
    if value.keys() != {"type", "hex"} or value["type"] != "BigNumber" or not isinstance(digits, str):
        raise ValueError("a quantity given as an object must be a BigNumber with exactly type and hex")
    if _BIG_NUMBER.fullmatch(digits) is None:
        raise ValueError("a BigNumber must be 0x-hex, not negative and below 2^256")
    return int(digits, 16)


def address(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("an address must be a string: 0x and 40 hex digits")
    return eip55.parse(value)


def data(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("data must be a hex string")
    return hexadecimal.to_bytes(value)


def word(value: object) -> bytes:
    """32 bytes."""
    raw = data(value)
    if len(raw) != _WORD:
        raise ValueError("a hash or storage key must have 32 bytes")
    return raw


def scalar(value: object) -> int:
    """The r or s of a signature, as a quantity or as 32 bytes in hex with leading zeros."""
    if isinstance(value, str) and len(value) == 2 + 2 * _WORD:
        return int.from_bytes(word(value), "big")
    return quantity(value)
