"""Slots, amounts, keys and times as Solana nodes write them. Raises NodeError for a bad form or a value out of
range.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from strongroom.codecs import base58, solana
from strongroom.rpc.base import NodeError, Verdict

COMMITMENT: Final = "confirmed"
"""Blocks that two thirds of the stake have voted for are read. None of them was ever reverted."""
FINALIZED: Final = "finalized"
PROCESSED: Final = "processed"
MOST_LAMPORTS: Final = 10**18
"""A thousand million SOL, more than exist."""
MOST_U64: Final = 2**64 - 1
MOST_SLOT: Final = 2**53 - 1
Anything = msgspec.Raw
"""A value of which only the presence is read. Two bytes of JSON may become an object of sixty in memory."""
NOTHING: Final = msgspec.Raw(b"null")
_SIGNATURE: Final = 64
_MOST_SIGNATURE: Final = 88
_MOST_TIME: Final = 253_402_300_799
"""The end of the year 9999."""


def is_there(said: Anything) -> bool:
    return said != NOTHING


def bounded(value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise NodeError(Verdict.LYING, "out_of_range")
    return value


def slot(value: int) -> int:
    return bounded(value, MOST_SLOT)


def lamports(value: int) -> int:
    return bounded(value, MOST_LAMPORTS)


def amount(text: str) -> int:
    """A decimal number, as amounts of tokens are written."""
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise NodeError(Verdict.BROKEN, "bad_amount")
    return bounded(int(text), MOST_U64)


def key(text: str) -> bytes:
    """32 bytes: an address, or the hash of a block."""
    try:
        return solana.from_text(text)
    except ValueError:
        raise NodeError(Verdict.BROKEN, "bad_key") from None


def is_signature(text: str) -> bool:
    try:
        return len(text) <= _MOST_SIGNATURE and len(base58.decode(text)) == _SIGNATURE
    except ValueError:
        return False


def signature(text: str) -> str:
    if not is_signature(text):
        raise NodeError(Verdict.BROKEN, "bad_signature")
    return text


def time(seconds: int) -> datetime:
    return datetime.fromtimestamp(bounded(seconds, _MOST_TIME), UTC)
