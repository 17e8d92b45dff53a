"""The form of entries in a store that others can write to.

    format (1 byte) ‖ expiry (8 bytes, Unix milliseconds) ‖ HMAC-SHA-256 (32 bytes) ‖ value

The MAC binds the value to its key, its expiry and this format. Keys are MACs too, so they reveal no ids, and services
with different secrets never share an entry.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

from strongroom.cache.base import MAX_SIZE, CacheKey, Entry, Kind

FORMAT: Final = 1
"""Raise it also when the form of any kind's values changes."""
NAMESPACE: Final = f"strongroom:{FORMAT}:"
_HEAD: Final = 9
_MAC_SIZE: Final = 32


class Forged(Exception):
    """The content is not what we wrote under this key."""


class Envelopes:
    """Seals and opens entries. ``key`` is 32 bytes that only the service knows; it is kept out of the repr."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Envelopes(…)"

    def place(self, key: CacheKey) -> str:
        return f"{NAMESPACE}{key.kind}:{self._mac(b'place', _identity(key))[:16].hex()}"

    def members(self, owner: UUID) -> str:
        """The key of the set that lists a wallet's entries."""
        return f"{NAMESPACE}of:{self._mac(b'owner', owner.bytes)[:16].hex()}"

    def seal(self, key: CacheKey, entry: Entry) -> bytes:
        head = FORMAT.to_bytes(1, "big") + entry.expires_at.to_bytes(8, "big")
        return head + self._mac(b"entry", head, _identity(key), entry.value) + entry.value

    def open(self, key: CacheKey, sealed: bytes) -> Entry:
        """Raises Forged."""
        head, mac, value = sealed[:_HEAD], sealed[_HEAD : _HEAD + _MAC_SIZE], sealed[_HEAD + _MAC_SIZE :]
        if sealed[:1] != FORMAT.to_bytes(1, "big") or len(sealed) > largest(key.kind):
            raise Forged
        if not hmac.compare_digest(self._mac(b"entry", head, _identity(key), value), mac):
            raise Forged
        return Entry(value, int.from_bytes(head[1:], "big"))

    def _mac(self, *parts: bytes) -> bytes:
        return hmac.digest(self._key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")


def largest(kind: Kind) -> int:
    """The longest sealed entry of a kind, in bytes."""
    return _HEAD + _MAC_SIZE + MAX_SIZE[kind]


def _identity(key: CacheKey) -> bytes:
    """The identity is unique: an owner has 16 bytes, and no kind has a zero byte in its name."""
    return key.owner.bytes + key.kind.encode() + b"\0" + key.name.encode()
