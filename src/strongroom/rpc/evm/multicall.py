"""Multicall3's ``aggregate3``: many reads of one shape in one ``eth_call``.

Contract and address are those of https://github.com/mds1/multicall3 (MIT). They are the same on every network that the
pre-signed transaction was sent to. Some networks have other code there, so the hash of the code is checked first.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from strongroom.codecs.abi import WORD
from strongroom.codecs.keccak import keccak256
from strongroom.rpc.base import NodeError, Verdict

ADDRESS: Final = "0xca11bde05977b3631167028862be2a173976ca11"
CODE_HASH: Final = bytes.fromhex("d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891")
CHUNK: Final = 500
"""Reads per call: 224 KB of hex for the request, 160 KB for the response, and at about 6,100 gas each 3 million gas."""

_AGGREGATE3: Final = bytes.fromhex("82ad56cb")
_GET_ETH_BALANCE: Final = bytes.fromhex("4d2301cc")
_BALANCE_OF: Final = bytes.fromhex("70a08231")
_DECIMALS: Final = bytes.fromhex("313ce567")
_CALL_SIZE: Final = 36
_TUPLE: Final = 6 * WORD
_EMPTY_RESULT: Final = 3 * WORD


@dataclass(frozen=True, slots=True)
class Read:
    """A call of 4 + 32 bytes that returns one word."""

    target: str
    """0x-hex, lower case."""
    call: bytes

    @property
    def native(self) -> bool:
        """Whether it reads the coin. Only nodes with Multicall3 know this call."""
        return self.call[:4] == _GET_ETH_BALANCE

    @property
    def holder(self) -> str:
        return "0x" + self.call[16:].hex()


def balance(holder: bytes, contract: str | None) -> Read:
    """The balance of a token or, if ``contract`` is None, of the coin."""
    padded = holder.rjust(WORD, b"\0")
    return Read(ADDRESS, _GET_ETH_BALANCE + padded) if contract is None else Read(contract, _BALANCE_OF + padded)


def decimals(contract: str) -> Read:
    """The decimals of a token. Contracts ignore the word after the selector, which gives the read the common shape."""
    return Read(contract, _DECIMALS + bytes(WORD))


@cache
def code() -> str:
    """The code at `ADDRESS` as 0x-hex, to be sent with a call where it is not deployed."""
    found = base64.b64decode(files("strongroom.rpc.evm").joinpath("multicall3.b64").read_bytes())
    assert keccak256(found) == CODE_HASH
    return "0x" + found.hex()


def encode(reads: Sequence[Read]) -> str:
    """The ``aggregate3`` call for all reads. No read can make the others fail."""
    count = len(reads)
    parts = [_AGGREGATE3, _word(WORD), _word(count)]
    parts += [_word(count * WORD + number * _TUPLE) for number in range(count)]
    for read in reads:
        assert len(read.call) == _CALL_SIZE
        parts += [bytes.fromhex(read.target[2:]).rjust(WORD, b"\0"), _word(1), _word(3 * WORD), _word(_CALL_SIZE)]
        parts += [read.call, bytes(2 * WORD - _CALL_SIZE)]
    return "0x" + b"".join(parts).hex()


def decode(data: bytes, count: int) -> list[int | None]:
    """The word that each read returned, or None if it failed or returned anything else. Raises NodeError."""
    try:
        return [_result(data, 2 * WORD + _uint(data, 2 * WORD + number * WORD)) for number in _numbers(data, count)]
    except ValueError:
        raise NodeError(Verdict.BROKEN, "bad_multicall") from None


def word(data: bytes) -> int | None:
    """The word that a single ``eth_call`` returned. An address without code returns nothing, which is not 0."""
    return int.from_bytes(data, "big") if len(data) == WORD else None


def _numbers(data: bytes, count: int) -> range:
    if _uint(data, 0) != WORD or _uint(data, WORD) != count:
        raise ValueError
    return range(count)


def _result(data: bytes, at: int) -> int | None:
    succeeded, offset, size = _uint(data, at), _uint(data, at + WORD), _uint(data, at + 2 * WORD)
    if succeeded > 1 or offset != 2 * WORD or at + _EMPTY_RESULT + size > len(data):
        raise ValueError
    return _uint(data, at + _EMPTY_RESULT) if succeeded and size == WORD else None


def _uint(data: bytes, at: int) -> int:
    if at + WORD > len(data):
        raise ValueError
    return int.from_bytes(data[at : at + WORD], "big")


def _word(value: int) -> bytes:
    return value.to_bytes(WORD, "big")
