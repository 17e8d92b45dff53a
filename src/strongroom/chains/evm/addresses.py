"""EVM addresses of keys and contracts."""

from __future__ import annotations

from functools import lru_cache

from btclib_secp256k1 import keys

from strongroom.chains.base import ParsedAddress
from strongroom.codecs import eip55, rlp
from strongroom.codecs.keccak import keccak256
from strongroom.errors import InvalidAddress


@lru_cache(maxsize=8192)
def from_public_key(public_key: bytes) -> bytes:
    """The 20-byte address of a public key (Yellow Paper, appendix F). Raises ValueError."""
    return keccak256(keys.reserialize(public_key, compressed=False)[1:])[12:]


def created_by(sender: bytes, nonce: int) -> bytes:
    """The address of a contract that CREATE makes (Yellow Paper, section 7)."""
    return keccak256(rlp.encode([sender, rlp.uint(nonce)]))[12:]


def show(address: bytes) -> ParsedAddress:
    text = eip55.checksum(address)
    return ParsedAddress(address, text, {"address": text, "lowercase": text.lower()})


def parse(text: str) -> ParsedAddress:
    """Raises InvalidAddress."""
    try:
        return show(eip55.parse(text))
    except ValueError as error:
        raise InvalidAddress(str(error), field="address") from None
