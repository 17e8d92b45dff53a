"""The port of the cache: copies of data that can be read again elsewhere. A cached value is a hint, never a source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID


class Kind(StrEnum):
    """The kinds of cached data. Each has its own lifetime and largest size."""

    ADDRESS = "address"
    BALANCE = "balance"
    HISTORY = "history"
    HEALTH = "health"
    HEAD = "head"
    FEES = "fees"
    TRANSACTION = "transaction"
    STALE = "stale"
    """An expired balance, kept for when no source responds."""


MAX_SIZE: Final = {
    Kind.ADDRESS: 4096, Kind.BALANCE: 16_384, Kind.HISTORY: 262_144, Kind.HEALTH: 16_384, Kind.HEAD: 1024,
    Kind.FEES: 4096, Kind.TRANSACTION: 16_384, Kind.STALE: 16_384,
}  # fmt: skip
"""Largest value of each kind, in bytes. A longer one is neither kept nor read."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Identifies a cached value."""

    kind: Kind
    owner: UUID
    """The wallet that the entry belongs to; all entries of a wallet are forgotten together. Else a network's id."""
    name: str
    """Unique within kind and owner."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached value and its expiry."""

    value: bytes
    expires_at: int
    """Unix time in milliseconds."""


class Tier(Protocol):
    """One place for entries. It raises nothing: a failed read is a miss, and a failed write is not kept."""

    async def get(self, key: CacheKey) -> Entry | None: ...
    async def put(self, key: CacheKey, entry: Entry) -> None: ...
    async def forget(self, owner: UUID) -> None:
        """Drop all entries of a wallet in this tier."""

    async def close(self) -> None: ...


class Cache(Tier, Protocol):
    """All tiers together, with a lifetime for each kind of data."""

    async def fetch(
        self,
        key: CacheKey,
        fill: Callable[[], Awaitable[bytes | None]],
        accept: Callable[[bytes], bool] = lambda _: True,
        *,
        lifetime: float | None = None,
    ) -> bytes | None:
        """Return the cached value, else what ``fill`` returns. Of concurrent callers, one fills for all.

        ``accept`` judges values from outside this process. A rejected one raises an alarm and counts as a miss.
        ``lifetime``, in seconds, applies if it is shorter than the kind's own. None from ``fill`` is not cached.
        Raises what ``fill`` raises.
        """

    async def keep(self, key: CacheKey, value: bytes, *, lifetime: float | None = None) -> None:
        """Cache the value for its kind's lifetime, or for ``lifetime`` if that is shorter."""
