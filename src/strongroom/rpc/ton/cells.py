"""An address as a bag of one cell, which is how get-methods take and return it."""

from __future__ import annotations

import base64
from typing import Final

from strongroom.codecs import base64text

_HEAD: Final = bytes.fromhex("b5ee9c7201010101002400")
_CELL: Final = bytes.fromhex("0043")
"""No references; 33 whole bytes and a part of one."""
_MAGIC: Final = bytes.fromhex("b5ee9c72")
_STANDARD: Final = 0b100
_BITS: Final = 264
_PADDING: Final = 0b10000


def of_address(canonical: bytes) -> str:
    return base64.b64encode(_HEAD + _CELL + _data(canonical)).decode()


def address_of(text: object) -> bytes | None:
    """The address, or None for anything but one standard address."""
    if not isinstance(text, str) or len(text) > 200:
        return None
    try:
        found = base64text.decode(text)
    except ValueError:
        return None
    at = found.find(_CELL)
    cell = found[at + 2 : at + 36]
    if not found.startswith(_MAGIC) or at < 0 or len(cell) != 34 or len(found) - at not in (36, 40):
        return None
    canonical = (int.from_bytes(cell, "big") >> 5 & (1 << _BITS) - 1).to_bytes(33, "big")
    return canonical if _data(canonical) == cell else None


def _data(canonical: bytes) -> bytes:
    bits = _STANDARD << _BITS | int.from_bytes(canonical, "big")
    return (bits << 5 | _PADDING).to_bytes(34, "big")
