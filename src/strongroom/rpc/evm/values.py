"""Quantities, hashes and addresses as EVM nodes write them. Raises NodeError for a bad form or a value out of range."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from strongroom.rpc.base import NodeError, Verdict

MOST_HEIGHT: Final = 2**53 - 1
MOST_GAS_PRICE: Final = 10**16
"""In wei per gas: ten million gwei. A plain transfer would cost 210 coins."""

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_HASH: Final = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}", re.ASCII)
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,78}", re.ASCII)
_MOST_TIME: Final = 253_402_300_799
"""The end of the year 9999."""


def quantity(text: str, most: int = 2**256 - 1) -> int:
    """A number of up to 256 bits in hex. Leading zeros are accepted, because some nodes write them. Above ``most``:
    `LYING`.
    """
    if not _QUANTITY.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_quantity")
    return bounded(int(text, 16), most)


def decimal(text: str, most: int = 2**256 - 1) -> int:
    """A decimal number, as indexers write integers."""
    if not _DIGITS.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_quantity")
    return bounded(int(text), most)


def bounded(value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise NodeError(Verdict.LYING, "out_of_range")
    return value


def hash32(text: str) -> str:
    """A hash in lower case."""
    if not _HASH.fullmatch(lower := text.lower()):
        raise NodeError(Verdict.BROKEN, "bad_hash")
    return lower


def address(text: str) -> str:
    """An address in lower case. Its checksum is not looked at."""
    if not _ADDRESS.fullmatch(lower := text.lower()):
        raise NodeError(Verdict.BROKEN, "bad_address")
    return lower


def data(text: str) -> bytes:
    if not _DATA.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_data")
    return bytes.fromhex(text[2:])


def time(seconds: int) -> datetime:
    return datetime.fromtimestamp(bounded(seconds, _MOST_TIME), UTC)
