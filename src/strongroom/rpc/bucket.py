"""How many requests a provider takes: waited for a little, then somebody else is asked."""

from __future__ import annotations

import asyncio
from typing import Final

from aiolimiter import AsyncLimiter

from strongroom.rpc.base import NodeError, Verdict

_PATIENCE: Final = 1.0
FULL: Final = "own_limit"
"""Cause of a refusal of our own: nothing was sent."""


class Bucket:
    """``rate`` requests a second, ``burst`` at once. Of this process: replicas share what the provider gives."""

    def __init__(self, rate: float, burst: float | None = None) -> None:
        self._burst = max(burst or rate, 1.0)
        self._limiter = AsyncLimiter(self._burst, self._burst / rate)

    async def take(self, requests: int = 1) -> None:
        """Raises NodeError (BUSY) where that would take more than a second."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._limiter.acquire(min(requests, self._burst))
        except TimeoutError:
            raise NodeError(Verdict.BUSY, FULL, retry_after=_PATIENCE) from None
