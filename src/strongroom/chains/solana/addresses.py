"""Solana addresses, 32 bytes in base58 without a checksum or a prefix for the network."""

from __future__ import annotations

from strongroom.chains.base import ParsedAddress
from strongroom.codecs import base58
from strongroom.codecs.ed25519 import is_on_curve
from strongroom.codecs.solana import from_text
from strongroom.errors import InvalidAddress


def parse(text: str) -> ParsedAddress:
    """Raises InvalidAddress."""
    try:
        return show(from_text(text))
    except ValueError as error:
        raise InvalidAddress(str(error), field="address") from None


def show(address: bytes) -> ParsedAddress:
    """``kind`` is ``wallet`` for a point on the curve, or ``program_address``, which no key can sign for."""
    text = base58.encode(address)
    on_curve = is_on_curve(address)
    return ParsedAddress(
        canonical=address,
        address=text,
        forms={"address": text, "hex": address.hex()},
        kind="wallet" if on_curve else "program_address",
        details={"on_curve": on_curve},
    )
