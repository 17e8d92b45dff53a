"""How often one client address may fail to authenticate. Asked before the database is."""

from __future__ import annotations

import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final, Generic, TypeVar

from strongroom.errors import ConfigurationError, RateLimited

K = TypeVar("K")
V = TypeVar("V")

_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(?:([1-9][0-9]{0,4}) )?(second|minute|hour|day)", re.ASCII)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_IPV6_NETWORK: Final = 64
"""Bits that one customer of a provider gets at least: who has them has all addresses below."""


class Recent(Generic[K, V]):
    """The ``size`` entries that were kept last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        return self._entries.get(key)

    def keep(self, key: K, value: V) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        self._entries.pop(key, None)


class FailureLimit:
    """A token bucket for each IPv4 address and each IPv6 /64, at most ``size`` of them.

    ``rate``: such as ``60/minute``; None: no limit. So many failures may come at once, and as many in each period.
    """

    def __init__(self, rate: str | None, *, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._per_second = _parse(rate) if rate is not None else (0, 0.0)
        self._clock = clock
        self._buckets: Recent[str, tuple[float, float]] = Recent(size)
        """How many failures are left, and when that was."""

    def check(self, client: str) -> None:
        """Raises RateLimited with the seconds to wait."""
        if self._most and (left := self._left(_network(client))) < 1:
            raise RateLimited(
                "this address sent too many API keys that are not valid",
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
    found = _RATE.fullmatch(rate)
    if found is None:
        raise ConfigurationError("rate limit failed_authentication: write it as 60/minute or 100/10 minute")
    return int(found[1]), int(found[1]) / (int(found[2] or 1) * _SECONDS[found[3]])
