"""How often a principal may call, by class of operation. Both faces count into the same window."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from uuid import UUID

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from strongroom.errors import ConfigurationError, RateLimited


class RateLimits:
    """``rates`` by limit class, in words such as ``100/second``; a class that is not named is not limited."""

    def __init__(self, rates: Mapping[str, str]) -> None:
        self._rates: dict[str, RateLimitItem] = {}
        for name, text in rates.items():
            try:
                self._rates[name] = parse(text)
            except ValueError:
                raise ConfigurationError(f"rate limit {name}: write it as 100/second or 1000/minute") from None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, limit_class: str, principal_id: UUID) -> None:
        """Counts one call. Raises RateLimited with the seconds to wait."""
        rate = self._rates.get(limit_class)
        if rate is None or await self._limiter.hit(rate, limit_class, str(principal_id)):
            return
        window = await self._limiter.get_window_stats(rate, limit_class, str(principal_id))
        wait = max(1, math.ceil(window.reset_time - time.time()))
        raise RateLimited(f"more than {rate} calls of this kind", retry_after=wait)
