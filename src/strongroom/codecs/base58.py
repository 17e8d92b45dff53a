"""Base58 with Bitcoin's alphabet, and Base58Check (Bitcoin Core, src/base58.cpp)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MAX_LENGTH: Final = 4096
"""Characters. Decoding takes quadratic time, and nothing that is written in Base58 comes near this length."""

_DIGITS: Final = {sign: value for value, sign in enumerate(ALPHABET)}
_CHUNK: Final = 10
_BASE: Final = 58**_CHUNK
_CHECKSUM: Final = 4


def encode(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    signs: list[str] = []
    while number:  # ten digits at a time, because dividing a long integer is the expensive part
        number, chunk = divmod(number, _BASE)
        for _ in range(_CHUNK):
            chunk, digit = divmod(chunk, 58)
            signs.append(ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(signs)).lstrip("1")


def decode(text: str) -> bytes:
    """Raises ValueError on a character outside the alphabet, even a space, and on more than `MAX_LENGTH` characters."""
    if len(text) > MAX_LENGTH:
        raise ValueError("the Base58 text is too long")
    number = 0
    for sign in text:
        digit = _DIGITS.get(sign)
        if digit is None:
            raise ValueError("a character is not in the Base58 alphabet")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_check(payload: bytes) -> str:
    return encode(payload + _checksum(payload))


def decode_check(text: str) -> bytes:
    """The payload without its checksum. Raises ValueError if `decode` does or if the checksum is wrong."""
    data = decode(text)
    payload, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if len(data) < _CHECKSUM or checksum != _checksum(payload):
        raise ValueError("the Base58Check checksum is wrong")
    return payload


def _checksum(payload: bytes) -> bytes:
    return sha256(sha256(payload).digest()).digest()[:_CHECKSUM]
