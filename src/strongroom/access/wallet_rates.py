"""Rates of single wallets, which replace the configured ones. A change takes effect everywhere within `TTL` seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from strongroom.access.recent import Recent
from strongroom.access.shared import SharedReads
from strongroom.domain.rate import Rate
from strongroom.storage.base import Storage

TTL: Final = 4.0
_MOST_NAMED: Final = 10_000
"""How many ids of wallets with own rates a process keeps. If there are more, it queries for each wallet it meets."""

Rates = Mapping[str, Rate | None]
"""By limit class. None means that the class is not limited."""


class WalletRates:
    """Caches which wallets have own rates, and those rates."""

    def __init__(self, storage: Storage, *, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._clock = clock
        self._named: frozenset[UUID] | None = frozenset()
        """The wallets with own rates. None if there are too many to keep."""
        self._named_until = 0.0
        self._reads: SharedReads[None, None] = SharedReads()
        self._rates: Recent[tuple[UUID, UUID], tuple[float, Rates]] = Recent(size)

    async def of(self, tenant_id: UUID, wallet_id: UUID) -> Rates:
        """The wallet's own rates; most wallets have none. Raises StorageUnavailable, IntegrityError."""
        now = self._clock()
        if now >= self._named_until:
            await self._reads.get(None, self._read_named)
        if self._named is not None and wallet_id not in self._named:
            return {}
        key = (tenant_id, wallet_id)
        known = self._rates.get(key)
        if known is None or now >= known[0]:
            wallet = await self._storage.wallet(tenant_id, wallet_id)
            known = (now + TTL, read_rates(None if wallet is None else wallet.rates))
            self._rates.keep(key, known)
        return known[1]

    async def _read_named(self) -> None:
        until = self._clock() + TTL
        found = await self._storage.wallets_with_rates(_MOST_NAMED + 1)
        self._named = frozenset(found) if len(found) <= _MOST_NAMED else None
        self._named_until = until

    def forget(self, tenant_id: UUID, wallet_id: UUID) -> None:
        """Make a change take effect in this process at once."""
        self._named_until = 0.0
        self._reads.forget(None)
        self._rates.drop((tenant_id, wallet_id))


def read_rates(stored: str | None) -> Rates:
    """Read a row's value: a JSON object from class to rate, or to ``off``."""
    texts = {} if stored is None else msgspec.json.decode(stored, type=dict[str, str])
    return {name: None if text == "off" else Rate.parse(text) for name, text in texts.items()}


def write_rates(rates: Mapping[str, str]) -> str | None:
    """The reverse of `read_rates`. None if there are no rates."""
    return msgspec.json.encode(dict(sorted(rates.items()))).decode() if rates else None
