"""Addresses, hashes and amounts as toncenter writes them. Raises NodeError for a bad form or a value out of range."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Final

from strongroom.codecs import base64text
from strongroom.codecs.crc import crc16
from strongroom.domain.network import Network
from strongroom.rpc.base import NodeError, Verdict

MASTERCHAIN: Final = -1
MOST_COINS: Final = 10**19
"""In nanotons. About 5.2 × 10^18 exist."""
MOST_TOKENS: Final = 2**120 - 1
MOST_HEIGHT: Final = 2**31 - 1
MOST_LT: Final = 2**63 - 1

_RAW: Final = re.compile(r"(0|-1):([0-9a-fA-F]{64})", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,40}", re.ASCII)
_FIRST: Final = 1_573_000_000
"""Before the first block, in November 2019."""
_LAST: Final = 2**32 - 1
_BOUNCEABLE: Final = 0x11
_NON_BOUNCEABLE: Final = 0x51
_TEST_ONLY: Final = 0x80


def canonical(text: str) -> bytes:
    """Workchain and hash, from the raw form."""
    if (found := _RAW.fullmatch(text)) is None:
        raise NodeError(Verdict.BROKEN, "bad_address")
    return (b"\0" if found[1] == "0" else b"\xff") + bytes.fromhex(found[2])


def raw(address: bytes) -> str:
    return f"{MASTERCHAIN if address[0] else 0}:{address[1:].hex()}"


def shown(network: Network, address: bytes) -> str:
    """The address in the network's notation."""
    return _friendly(address, _NON_BOUNCEABLE | (_TEST_ONLY if network.testnet else 0))


def master_shown(address: bytes) -> str:
    """The notation for masters of jettons, here and in the registry."""
    return _friendly(address, _BOUNCEABLE)


def master(text: str) -> bytes:
    """The canonical address of a contract in the registry, the reverse of `master_shown`."""
    return base64.urlsafe_b64decode(text)[1:34]


def _friendly(address: bytes, tag: int) -> str:
    content = bytes((tag,)) + address
    return base64.urlsafe_b64encode(content + crc16(content)).decode()


def hash32(text: str) -> str:
    """Lower-case hex, from base64."""
    try:
        found = base64text.decode(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise NodeError(Verdict.BROKEN, "bad_hash")
    return found.hex()


def number(text: str, most: int) -> int:
    """A decimal number. Amounts and logical times are written so, as strings."""
    if not _DIGITS.fullmatch(text):
        raise NodeError(Verdict.BROKEN, "bad_number")
    return bounded(int(text), most)


def coins(text: str | None) -> int:
    return 0 if text is None else number(text, MOST_COINS)


def bounded(value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise NodeError(Verdict.LYING, "out_of_range")
    return value


def time(seconds: int) -> datetime:
    if not _FIRST <= seconds <= _LAST:
        raise NodeError(Verdict.LYING, "impossible_time")
    return datetime.fromtimestamp(seconds, UTC)
