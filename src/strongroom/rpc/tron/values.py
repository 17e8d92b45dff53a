"""Amounts, ids, addresses and times as Tron's interfaces write them. Raises NodeError for a bad form or range."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from strongroom.codecs import base58
from strongroom.domain.network import Network
from strongroom.rpc.base import NodeError, Verdict

MAINNET: Final = 0x2B6653DC
MOST_HEIGHT: Final = 10**10
"""A block every three seconds, for 950 years."""

_MOST_SUN: Final = 10**17
"""More TRX than ever existed on the main network."""
_MOST_INT64: Final = 2**63 - 1
_FIRST: Final = 1_500_000_000_000
"""Milliseconds, before Tron began."""
_LAST: Final = 253_402_300_799_999
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ADDRESS: Final = re.compile(r"41[0-9a-f]{40}", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,78}", re.ASCII)
_PREFIX: Final = 0x41


def bounded(value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise NodeError(Verdict.LYING, "out_of_range")
    return value


def sun(network: Network, amount: int) -> int:
    """An amount in sun. Test networks make as many coins as they like."""
    return bounded(amount, _MOST_SUN if network.chain_id == MAINNET else _MOST_INT64)


def decimal(text: str) -> int:
    """A decimal number of up to 256 bits, as TronGrid writes amounts of tokens."""
    if not _DIGITS.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_amount")
    return bounded(int(text), 2**256 - 1)


def height(number: int) -> int:
    return bounded(number, MOST_HEIGHT)


def time(milliseconds: int) -> datetime:
    if not _FIRST <= milliseconds <= _LAST:
        raise NodeError(Verdict.LYING, "impossible_time")
    return _EPOCH + timedelta(milliseconds=milliseconds)


def a_hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_hash")
    return text


def shown(address: str) -> str:
    """``T…`` from ``41`` and 40 hex digits, or from itself."""
    if _ADDRESS.fullmatch(address):
        return base58.encode_check(bytes.fromhex(address))
    raw(address)
    return address


def raw(address: str) -> bytes:
    """The 21 bytes of ``T…``."""
    try:
        found = base58.decode_check(address) if len(address) == 34 else b""
    except ValueError:
        found = b""
    if len(found) != 21 or found[0] != _PREFIX:
        raise NodeError(Verdict.BROKEN, "bad_address")
    return found
