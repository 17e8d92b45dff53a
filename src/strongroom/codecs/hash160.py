"""HASH160, Bitcoin's hash of public keys and scripts, which is RIPEMD-160 of SHA-256."""

from __future__ import annotations

from hashlib import sha256

from Crypto.Hash import RIPEMD160


def hash160(data: bytes) -> bytes:
    """20 bytes."""
    return RIPEMD160.new(sha256(data).digest()).digest()  # hashlib has RIPEMD-160 only in some builds of OpenSSL
