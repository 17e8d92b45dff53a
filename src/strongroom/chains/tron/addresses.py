"""Addresses: 0x41 and the last 20 bytes of the key's hash; Base58Check ``T…``, or hex as nodes write it.

The 20 bytes alone, with 0x before them, are how contracts and typed data see an address. They are shown, and read only
where a contract reads them: as an address they could be of any EVM chain.
"""

from __future__ import annotations

from binascii import a2b_hex
from functools import lru_cache
from typing import Final

from strongroom.chains.base import ParsedAddress
from strongroom.chains.evm import addresses as evm
from strongroom.codecs import base58, eip55
from strongroom.errors import InvalidAddress

PREFIX: Final = b"\x41"
LENGTH: Final = 21
_BASE58_LENGTH: Final = 34


def from_public_key(public_key: bytes) -> bytes:
    """21 bytes. Raises ValueError."""
    return PREFIX + evm.from_public_key(public_key)


@lru_cache(maxsize=8192)
def to_text(address: bytes) -> str:
    """``T…`` of 21 bytes."""
    return base58.encode_check(address)


def from_evm(address: bytes) -> str:
    """``T…`` of the last 20 bytes."""
    return to_text(PREFIX + address)


def from_base58(text: str) -> bytes:
    """Raises ValueError."""
    if len(text) != _BASE58_LENGTH:
        raise ValueError("a Tron address is 34 characters and begins with T")
    address = base58.decode_check(text)
    if not is_address(address):
        raise ValueError("the address is not of Tron: its first byte is not 0x41")
    return address


def from_hex(text: str) -> bytes:
    """``41`` and 40 hex digits. Raises ValueError."""
    if len(text) != 2 * LENGTH:
        raise ValueError("a Tron address in hex is 41 and 40 hex digits, without 0x")
    try:
        address = a2b_hex(text)
    except ValueError:
        raise ValueError("a Tron address in hex is 41 and 40 hex digits, without 0x") from None
    if not is_address(address):
        raise ValueError("the address is not of Tron: its first byte is not 0x41")
    return address


def read(text: str) -> bytes:
    """Either form, told apart by their length. Raises ValueError."""
    if text.startswith("0x"):
        raise ValueError("0x and 40 hex digits are an EVM address: write it as T…, or as 41 and the 40 digits")
    return from_hex(text) if len(text) == 2 * LENGTH else from_base58(text)


def from_any(text: str) -> bytes:
    """20 bytes of either form, or of the EVM form: for typed data, which contracts read. Raises ValueError."""
    return eip55.parse(text) if text.startswith("0x") else read(text)[1:]


def is_address(address: bytes) -> bool:
    return len(address) == LENGTH and address.startswith(PREFIX)


def show(address: bytes) -> ParsedAddress:
    text, evm_form = to_text(address), eip55.checksum(address[1:])
    forms = {
        "address": text,
        "base58": text,
        "hex": address.hex(),
        "evm": evm_form.lower(),
        "evm_checksum": evm_form,
    }
    return ParsedAddress(address, text, forms)


def parse(text: str) -> ParsedAddress:
    """Raises InvalidAddress."""
    try:
        return show(read(text))
    except ValueError as error:
        raise InvalidAddress(str(error), field="address") from None
