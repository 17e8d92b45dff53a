"""Rate limits by class of operation: for a principal, and for a wallet across all principals.

REST and gRPC count into the same buckets, and so do all processes that share a Redis.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from strongroom.access.recent import Recent
from strongroom.access.wallet_rates import Rates, WalletRates
from strongroom.domain.principal import Principal
from strongroom.domain.rate import Rate
from strongroom.errors import RateLimited
from strongroom.rates.base import Bucket, Buckets, Level
from strongroom.telemetry import tracing

_BELIEVED: Final = 1.0
"""The longest that a refusal is repeated without asking again, in seconds."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a caller is told about one bucket, in the header fields RateLimit and RateLimit-Policy."""

    policy: str
    """The class, or the class after ``wallet-``."""
    rate: Rate
    left: int
    """Units that would be accepted now."""
    full_after: int
    """Seconds, rounded up."""


CLASSES: Final = frozenset({
    "read", "create", "write", "address", "sign", "admin", "chain", "fresh", "broadcast",
})  # fmt: skip
"""The classes of operations that have a rate."""

Told = Callable[[Sequence[Quota]], None]
"""Receives the quotas of each charge, whether it was accepted or not."""


def tell_nobody(_: Sequence[Quota]) -> None:
    """A `Told` that ignores the quotas."""


class RateLimits:
    """``rates`` and ``wallet_rates`` are keyed by limit class. A class that is missing is not limited."""

    def __init__(
        self,
        rates: Mapping[str, Rate],
        wallet_rates: Mapping[str, Rate] | None = None,
        *,
        buckets: Buckets,
        overrides: WalletRates | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = rates
        self._wallet_rates = wallet_rates or {}
        self._buckets = buckets
        self._overrides = overrides
        self._clock = clock
        self._refused: Recent[tuple[UUID, str], tuple[float, Quota]] = Recent(10_000)
        """By principal and class: the time until which every charge would be refused, and the quota to report."""

    def require_room(self, principal: Principal, limit_class: str, tell: Told = tell_nobody) -> None:
        """Raises RateLimited if the principal was refused just now and still would be. Charges nothing, does no I/O."""
        known = self._refused.get((principal.id, limit_class))
        if known is not None and (wait := known[0] - self._clock()) > 0:
            tell([known[1]])
            raise _refusal(known[1].rate, wait)

    @tracing.traced("limits")
    async def charge(
        self,
        principal: Principal,
        limit_class: str,
        wallets: Collection[UUID] = (),
        units: int = 1,
        tell: Told = tell_nobody,
    ) -> None:
        """Charge ``units`` to the principal and to each of ``wallets``, or to none of them.

        If ``units`` is more than a quota, the bucket must be full, and owes the rest. Raises RateLimited with the
        seconds to wait, and StorageUnavailable or IntegrityError if the rates of a wallet cannot be read.
        """
        self.require_room(principal, limit_class, tell)
        buckets, policies = await self._of(principal, limit_class, wallets)
        if not buckets:
            return
        charged = await self._buckets.charge(buckets, units)
        quotas = list(map(_quota, policies, buckets, charged.levels))
        tell(quotas)
        if charged.accepted:
            return
        if units == 1 and policies[0] == limit_class and charged.levels[0].wait > 0:
            until = self._clock() + min(charged.levels[0].wait, _BELIEVED)
            self._refused.keep((principal.id, limit_class), (until, quotas[0]))
        worst = max(range(len(buckets)), key=lambda n: charged.levels[n].wait)
        raise _refusal(buckets[worst].rate, charged.levels[worst].wait)

    async def charge_items(
        self, principal: Principal, limit_class: str, items: Sequence[Collection[UUID]], tell: Told = tell_nobody
    ) -> list[RateLimited | None]:
        """Charge the principal one unit per item, and each wallet one unit per item that names it.

        ``items`` are the wallets of each item. Returns, for each item, the error if the rate of one of its wallets is
        used up, else None. Raises the same errors as `charge`.
        """
        await self.charge(principal, limit_class, units=len(items), tell=tell)
        counts = Counter(wallet for wallets in items for wallet in wallets)
        refused: dict[UUID, RateLimited] = {}
        for wallet_id, units in counts.items():
            bucket = await self._of_wallet(principal, limit_class, wallet_id)
            if bucket is None:
                continue
            charged = await self._buckets.charge([bucket], units)
            tell([_quota(_of_wallets(limit_class), bucket, charged.levels[0])])
            if not charged.accepted:
                refused[wallet_id] = _refusal(bucket.rate, charged.levels[0].wait)
        return [next((refused[each] for each in wallets if each in refused), None) for wallets in items]

    def rate_of(self, principal: Principal, limit_class: str) -> Rate | None:
        """The principal's rate for a class. None if it is not limited."""
        own: Rates = principal.restriction.rates
        return own[limit_class] if limit_class in own else self._rates.get(limit_class)

    def forget(self, tenant_id: UUID, wallet_id: UUID) -> None:
        if self._overrides is not None:
            self._overrides.forget(tenant_id, wallet_id)

    async def _of(
        self, principal: Principal, limit_class: str, wallets: Collection[UUID]
    ) -> tuple[list[Bucket], list[str]]:
        buckets, policies = [], []
        rate = self.rate_of(principal, limit_class)
        if rate is not None:
            buckets.append(Bucket(f"principal:{principal.id.hex}:{limit_class}", rate))
            policies.append(limit_class)
        for wallet_id in dict.fromkeys(wallets):
            bucket = await self._of_wallet(principal, limit_class, wallet_id)
            if bucket is not None:
                buckets.append(bucket)
                policies.append(_of_wallets(limit_class))
        return buckets, policies

    async def _of_wallet(self, principal: Principal, limit_class: str, wallet_id: UUID) -> Bucket | None:
        of_wallet: Rates = {}
        if self._overrides is not None:
            of_wallet = await self._overrides.of(principal.tenant_id, wallet_id)
        rate = of_wallet[limit_class] if limit_class in of_wallet else self._wallet_rates.get(limit_class)
        key = f"wallet:{principal.tenant_id.hex}:{wallet_id.hex}:{limit_class}"
        return None if rate is None else Bucket(key, rate)


def _of_wallets(limit_class: str) -> str:
    return f"wallet-{limit_class}"


def _quota(policy: str, bucket: Bucket, level: Level) -> Quota:
    return Quota(policy, bucket.rate, level.left, math.ceil(level.full_after))


def _refusal(rate: Rate, wait: float) -> RateLimited:
    return RateLimited(f"more than {rate} calls of this kind: wait, then retry", retry_after=max(1, math.ceil(wait)))
