"""HMAC-SHA-256 under the service's own keys. They are few and used for every row, so each is set up once."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    begun = _under(key).copy()
    begun.update(message)
    return begun.finalize()


@lru_cache(maxsize=64)
def _under(key: bytes) -> HMAC:
    """`hmac.digest` does this for each message, which takes longer than hashing a short one."""
    return HMAC(key, SHA256())
