"""Solana addresses: 32 bytes in base58, without a checksum and without a mark of the network."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from strongroom.chains.base import ParsedAddress
from strongroom.codecs import base58
from strongroom.codecs.ed25519 import is_on_curve
from strongroom.errors import InvalidAddress

LENGTH: Final = 32
_MAX_TEXT: Final = 44
_MARKER: Final = b"ProgramDerivedAddress"


def parse(text: str) -> ParsedAddress:
    """Raises InvalidAddress."""
    try:
        return show(from_text(text))
    except ValueError as error:
        raise InvalidAddress(str(error), field="address") from None


def from_text(text: object) -> bytes:
    """The 32 bytes of an address or a hash. Raises ValueError."""
    if not isinstance(text, str) or not LENGTH <= len(text) <= _MAX_TEXT:
        raise ValueError("base58 of 32 bytes is 32 to 44 characters")
    found = base58.decode(text)
    if len(found) != LENGTH:
        raise ValueError("it does not decode to 32 bytes")
    return found


def show(address: bytes) -> ParsedAddress:
    """``kind`` is ``wallet`` on the curve, else ``program_address``: no key signs for it."""
    text = base58.encode(address)
    on_curve = is_on_curve(address)
    return ParsedAddress(
        canonical=address,
        address=text,
        forms={"address": text, "hex": address.hex()},
        kind="wallet" if on_curve else "program_address",
        details={"on_curve": on_curve},
    )


def program_address(seeds: tuple[bytes, ...], program: bytes) -> bytes:
    """The program derived address with the highest bump seed (find_program_address of the Solana SDK)."""
    for bump in range(255, -1, -1):
        found = sha256(b"".join(seeds) + bytes((bump,)) + program + _MARKER).digest()
        if not is_on_curve(found):
            return found
    raise ValueError("no bump seed gives an address off the curve")
