"""Tron addresses, 0x41 followed by the last 20 bytes of the key's hash, as Base58Check (``T…``) or as hex.

Contracts and typed data use the 20 bytes alone. This form, with 0x before it, is shown, but it is accepted only in data
for contracts, because as an address it could belong to any EVM chain.
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
    """The 21-byte address of a public key. Raises ValueError."""
    return PREFIX + evm.from_public_key(public_key)


@lru_cache(maxsize=8192)
def to_text(address: bytes) -> str:
    """The form ``T…`` of a 21-byte address."""
    return base58.encode_check(address)


def from_evm(address: bytes) -> str:
    """The form ``T…`` of the last 20 bytes of an address."""
    return to_text(PREFIX + address)


def from_base58(text: str) -> bytes:
    """Read ``T…``. Raises ValueError."""
    if len(text) != _BASE58_LENGTH:
        raise ValueError("a Tron address must have 34 characters and begin with T")
    address = base58.decode_check(text)
    if not is_address(address):
        raise ValueError("this is not a Tron address: its first byte must be 0x41")
    return address


def from_hex(text: str) -> bytes:
    """Read ``41`` and 40 hex digits. Raises ValueError."""
    if len(text) != 2 * LENGTH:
        raise ValueError("a Tron address in hex must be 41 and 40 hex digits, without 0x")
    try:
        address = a2b_hex(text)
    except ValueError:
        raise ValueError("a Tron address in hex must be 41 and 40 hex digits, without 0x") from None
    if not is_address(address):
        raise ValueError("this is not a Tron address: its first byte must be 0x41")
    return address


def read(text: str) -> bytes:
    """Read either form, by its length. Raises ValueError."""
    if text.startswith("0x"):
        raise ValueError("this is an EVM address: write it as T…, or as 41 and its 40 hex digits")
    return from_hex(text) if len(text) == 2 * LENGTH else from_base58(text)


def from_any(text: str) -> bytes:
    """The last 20 bytes of an address in either form or in the EVM form, for typed data. Raises ValueError."""
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
