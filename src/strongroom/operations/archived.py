"""Drops the opened secrets of wallets that another process archived.

Every process refuses to sign for an archived wallet at once, in T1. The sweep only takes the open seed out of memory, a
few seconds later.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

import structlog

from strongroom.errors import StrongroomError
from strongroom.storage.base import Storage

_log = structlog.get_logger(__name__)


class ArchivedSweep:
    """Every ``interval`` seconds, forgets those of the opened wallets that have been archived."""

    def __init__(
        self,
        storage: Storage,
        opened: Callable[[], Collection[UUID]],
        forget: Callable[[UUID], Awaitable[None]],
        *,
        interval: float = 5.0,
    ) -> None:
        self._storage = storage
        self._opened = opened
        self._forget = forget
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="archived")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> None:
        if opened := self._opened():
            for wallet_id in await self._storage.not_active(sorted(opened)):
                await self._forget(wallet_id)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.sweep()
            except StrongroomError as error:
                _log.warning("archived.not_swept", reason=error.code)
