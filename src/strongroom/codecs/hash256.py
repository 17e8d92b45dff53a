"""Bitcoin's double SHA-256, and the tagged SHA-256 of BIP-340."""

from __future__ import annotations

from functools import cache
from hashlib import sha256


def hash256(data: bytes) -> bytes:
    """SHA-256 of SHA-256, 32 bytes."""
    return sha256(sha256(data).digest()).digest()


def tagged_hash(tag: str, data: bytes) -> bytes:
    """SHA-256 of the tag's hash, the tag's hash again and ``data``, 32 bytes (BIP-340, Design)."""
    return sha256(_prefix(tag) + data).digest()


@cache
def _prefix(tag: str) -> bytes:
    return sha256(tag.encode()).digest() * 2
