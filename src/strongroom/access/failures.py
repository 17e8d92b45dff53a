"""How often one client address may fail to authenticate. This is checked before the database is queried."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from strongroom.access.recent import Recent
from strongroom.domain.rate import Rate
from strongroom.errors import ConfigurationError, RateLimited
from strongroom.telemetry.signals import SIGNALS

_IPV6_NETWORK: Final = 64
"""Providers give each customer a prefix of this length or shorter, so one customer has every address in it."""


class FailureLimit:
    """A token bucket for each IPv4 address and each IPv6 /64. At most ``size`` buckets are kept.

    ``rate`` is a text such as ``60/minute``: up to that many failures at once, and as many in each period. None means
    no limit.
    """

    def __init__(self, rate: str | None, *, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._per_second = _parse(rate) if rate is not None else (0, 0.0)
        self._clock = clock
        self._buckets: Recent[str, tuple[float, float]] = Recent(size)
        """How many failures are left, and when that was computed."""

    def check(self, client: str) -> None:
        """Raises RateLimited with the seconds to wait. Counts nothing."""
        if self._most and (left := self._left(_network(client))) < 1:
            SIGNALS.note("failed_logins", "api-keys", client=client)
            raise RateLimited(
                "this address sent too many invalid credentials",
                retry_after=max(1, math.ceil((1 - left) / self._per_second)),
            )

    def count(self, client: str) -> None:
        if self._most:
            network = _network(client)
            self._buckets.keep(network, (max(0.0, self._left(network) - 1), self._clock()))

    def _left(self, network: str) -> float:
        known = self._buckets.get(network)
        if known is None:
            return self._most
        return min(self._most, known[0] + (self._clock() - known[1]) * self._per_second)


def _network(client: str) -> str:
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(int(address) >> 128 - _IPV6_NETWORK) if isinstance(address, IPv6Address) else client


def _parse(rate: str) -> tuple[int, float]:
    try:
        found = Rate.parse(rate)
    except ValueError:
        raise ConfigurationError(
            "the rate limit failed_authentication must be a rate such as 60/minute or 100/10 minute"
        ) from None
    return found.quota, found.quota / found.window
