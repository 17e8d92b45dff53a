"""Keeps to the rate that a provider allows. A request waits a little for its turn, then another source is asked."""

from __future__ import annotations

import asyncio
from typing import Final

from aiolimiter import AsyncLimiter

from strongroom.rpc.base import NodeError, Verdict

_PATIENCE: Final = 1.0
FULL: Final = "own_limit"
"""Cause of a refusal by our own limit. Nothing was sent."""


class Bucket:
    """Allows ``rate`` requests per second and ``burst`` at once in this process. Replicas share what the provider
    allows.
    """

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self._burst = max(burst or rate, 1.0)
        self._limiter = AsyncLimiter(self._burst, self._burst / rate)

    async def take(self, requests: int = 1) -> None:
        """Raises NodeError (BUSY) if this would take more than a second."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._limiter.acquire(min(requests, self._burst))
        except TimeoutError:
            raise NodeError(Verdict.BUSY, FULL, retry_after=_PATIENCE) from None
