"""Ethereum addresses as text, with the checksum of EIP-55 in the case of the letters."""

from __future__ import annotations

from functools import lru_cache

from strongroom.codecs import hexadecimal
from strongroom.codecs.keccak import keccak256

LENGTH = 20


@lru_cache(maxsize=8192)
def checksum(address: bytes) -> str:
    """The mixed-case form of 20 bytes."""
    digits = address.hex()
    nibbles = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, nibbles, strict=False)
    )


def parse(text: str) -> bytes:
    """The 20 bytes of an address in lower case, in upper case or with a correct checksum. Raises ValueError."""
    if len(text) != 2 + 2 * LENGTH:
        raise ValueError("an address must be 0x and 40 hex digits")
    address = hexadecimal.to_bytes(text)
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != checksum(address):
        raise ValueError("the checksum of the address (EIP-55) is wrong")
    return address
