"""The networks from which a tenant's callers may come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from strongroom.access.recent import Recent
from strongroom.access.shared import SharedReads
from strongroom.domain.client_networks import Network, parse_network
from strongroom.storage.base import Storage

_REMEMBERED: Final = 10_000


class TenantNetworks:
    """Results are cached for ``ttl`` seconds. After that time a change holds in every process."""

    def __init__(self, storage: Storage, *, ttl: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._ttl = ttl
        self._clock = clock
        self._known: Recent[UUID, tuple[float, tuple[Network, ...]]] = Recent(_REMEMBERED)
        self._reads: SharedReads[UUID, tuple[Network, ...]] = SharedReads()

    async def of(self, tenant_id: UUID) -> tuple[Network, ...]:
        """Empty means any address. Raises StorageUnavailable, or IntegrityError if the row was tampered with."""
        known = self._known.get(tenant_id)
        if known is not None and known[0] > self._clock():
            return known[1]
        return await self._reads.get(tenant_id, lambda: self._read(tenant_id))

    async def _read(self, tenant_id: UUID) -> tuple[Network, ...]:
        row = await self._storage.client_networks(tenant_id)
        networks = () if row is None else tuple(map(parse_network, row.listed))
        self._known.keep(tenant_id, (self._clock() + self._ttl, networks))
        return networks

    def forget(self, tenant_id: UUID) -> None:
        """Make a change take effect in this process at once."""
        self._known.drop(tenant_id)
        self._reads.forget(tenant_id)
