"""The port of the cache: what can be read again elsewhere, kept close by for a while. A hint, never a source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID


class Kind(StrEnum):
    ADDRESS = "address"
    BALANCE = "balance"
    HISTORY = "history"
    HEALTH = "health"
    HEAD = "head"
    FEES = "fees"
    TRANSACTION = "transaction"
    STALE = "stale"
    """A balance that has expired, kept for when no source answers."""


MAX_SIZE: Final = {
    Kind.ADDRESS: 4096, Kind.BALANCE: 16_384, Kind.HISTORY: 262_144, Kind.HEALTH: 16_384, Kind.HEAD: 1024,
    Kind.FEES: 4096, Kind.TRANSACTION: 16_384, Kind.STALE: 16_384,
}  # fmt: skip
"""Bytes of a value. A longer one is not kept, and nothing that is longer is read."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    kind: Kind
    owner: UUID
    """The wallet that it is of: they are forgotten together. Of what is nobody's: an id of the network."""
    name: str
    """Unique within kind and owner."""


@dataclass(frozen=True, slots=True)
class Entry:
    value: bytes
    expires_at: int
    """Unix time in milliseconds."""


class Tier(Protocol):
    """One place where entries are kept. Raises nothing: what it cannot do is a miss, or was not kept."""

    async def get(self, key: CacheKey) -> Entry | None: ...
    async def put(self, key: CacheKey, entry: Entry) -> None: ...
    async def forget(self, owner: UUID) -> None:
        """Drops what is kept of a wallet, in this place."""

    async def close(self) -> None: ...


class Cache(Tier, Protocol):
    """All tiers as one, and how long each kind of data lives."""

    async def fetch(
        self,
        key: CacheKey,
        fill: Callable[[], Awaitable[bytes | None]],
        accept: Callable[[bytes], bool] = lambda _: True,
        *,
        lifetime: float | None = None,
    ) -> bytes | None:
        """What is kept, else what ``fill`` brings; of many who ask at once, one fills for all.

        ``lifetime``: seconds, where that is less than its kind has.

        ``accept`` judges what came from outside this process; what it refuses is an alarm and a miss. None from
        ``fill`` is not kept. Raises what ``fill`` raises.
        """

    async def keep(self, key: CacheKey, value: bytes, *, lifetime: float | None = None) -> None:
        """Keeps it for as long as its kind lives, or for ``lifetime`` where that is less."""
