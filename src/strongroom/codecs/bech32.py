"""Segwit addresses, in Bech32 (BIP-173) for witness version 0 and in Bech32m (BIP-350) for 1 to 16."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MAX_LENGTH: Final = 90
MAX_VERSION: Final = 16

_DIGITS: Final = {sign: value for value, sign in enumerate(ALPHABET)}
_CHECKSUM: Final = 6
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32: Final = 1
_BECH32M: Final = 0x2BC830A3
_PROGRAM: Final = range(2, 41)
_V0_PROGRAMS: Final = (20, 32)


def encode(hrp: str, version: int, program: bytes) -> str:
    """The address in lower case. Raises ValueError if no witness program has this version or length."""
    _check(version, program)
    data = [version, *_regroup(program, 8, 5)]
    constant = _constant(version)
    polymod = _polymod([*_expand(hrp), *data, *bytes(_CHECKSUM)]) ^ constant
    data += [polymod >> 5 * (_CHECKSUM - 1 - i) & 31 for i in range(_CHECKSUM)]
    return f"{hrp}1{''.join(ALPHABET[digit] for digit in data)}"


def decode(hrp: str, text: str) -> tuple[int, bytes]:
    """The witness version and the program. ``hrp`` is in lower case. Raises ValueError if any rule is broken."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a segwit address must have at most {MAX_LENGTH} characters")
    if not text.isascii() or text not in (text.lower(), text.upper()):
        raise ValueError("a segwit address must be ASCII, all in lower case or all in upper case")
    prefix, separator, body = text.lower().rpartition("1")
    if not separator or prefix != hrp:
        raise ValueError("the address has no prefix, or that of another network")
    digits = [_DIGITS.get(sign, -1) for sign in body]
    if -1 in digits:
        raise ValueError("a character is not in the Bech32 alphabet")
    if len(digits) < 1 + _CHECKSUM:
        raise ValueError("the segwit address is too short")
    version = digits[0]
    if _polymod([*_expand(hrp), *digits]) != _constant(version):
        raise ValueError("the checksum of the segwit address is wrong, or belongs to another witness version")
    program = _bytes(digits[1:-_CHECKSUM])
    _check(version, program)
    return version, program


def _check(version: int, program: bytes) -> None:
    if not 0 <= version <= MAX_VERSION:
        raise ValueError(f"a witness version must be 0 to {MAX_VERSION}")
    if len(program) not in (_PROGRAM if version else _V0_PROGRAMS):
        raise ValueError("a witness program must have 2 to 40 bytes, and exactly 20 or 32 in version 0")


def _constant(version: int) -> int:
    return _BECH32M if version else _BECH32


def _expand(hrp: str) -> list[int]:
    codes = hrp.encode("ascii")
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for i, term in enumerate(_GENERATOR):
            if top >> i & 1:
                checksum ^= term
    return checksum


def _bytes(digits: Sequence[int]) -> bytes:
    padding = len(digits) * 5 % 8
    if padding > 4 or (padding and digits[-1] & ((1 << padding) - 1)):
        raise ValueError("the padding of the segwit address must be zero and not too long")
    return bytes(_regroup(digits, 5, 8)[: len(digits) * 5 // 8])


def _regroup(values: Iterable[int], size: int, to: int) -> list[int]:
    """The same bits in groups of ``to`` bits, the last one padded with zeros."""
    number = bits = 0
    groups = []
    for value in values:
        number, bits = number << size | value, bits + size
        while bits >= to:
            bits -= to
            groups.append(number >> bits & ((1 << to) - 1))
        number &= (1 << bits) - 1
    if bits:
        groups.append(number << (to - bits))
    return groups
