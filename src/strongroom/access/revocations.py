"""Subjects and tokens that are refused although their issuer still vouches for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from strongroom.access.recent import Recent
from strongroom.storage.base import Storage

_REMEMBERED: Final = 20_000


class Revocations:
    """Results are cached for ``ttl`` seconds. After that time a revocation holds in every process."""

    def __init__(self, storage: Storage, *, ttl: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._ttl = ttl
        self._clock = clock
        self._known: Recent[tuple[UUID, UUID], tuple[float, bool]] = Recent(_REMEMBERED)

    async def of(self, tenant_id: UUID, targets: Sequence[UUID]) -> set[UUID]:
        """Return those of ``targets`` that are revoked. Raises StorageUnavailable, IntegrityError."""
        now = self._clock()
        known = {target: self._known.get((tenant_id, target)) for target in targets}
        asked = [target for target, found in known.items() if found is None or found[0] <= now]
        if asked:
            rows = await self._storage.revocations_of(tenant_id, asked)
            in_force = {row.target for row in rows if row.lifted_at is None}
            for target in asked:
                known[target] = (now + self._ttl, target in in_force)
                self._known.keep((tenant_id, target), (now + self._ttl, target in in_force))
        return {target for target, found in known.items() if found is not None and found[1]}

    def forget(self, tenant_id: UUID, target: UUID) -> None:
        """Make a change take effect in this process at once."""
        self._known.drop((tenant_id, target))
