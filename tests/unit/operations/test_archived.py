"""A wallet that another process archived is dropped from this process's memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from strongroom.errors import StorageUnavailable
from strongroom.operations.archived import ArchivedSweep

ARCHIVED, ACTIVE = UUID(int=1), UUID(int=2)


class Storage:
    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    async def not_active(self, wallet_ids: Sequence[UUID]) -> list[UUID]:
        self.asked += 1
        if self.away:
            raise StorageUnavailable("away")
        return [each for each in wallet_ids if each == ARCHIVED]


async def test_archived_wallets_are_forgotten_and_an_outage_is_survived() -> None:
    storage: Any = Storage()
    opened = {ARCHIVED, ACTIVE}
    forgotten = asyncio.Event()

    async def forget(wallet_id: UUID) -> None:
        opened.remove(wallet_id)
        forgotten.set()

    sweep = ArchivedSweep(storage, lambda: opened, forget, interval=0.001)
    storage.away = True
    sweep.start()
    async with asyncio.timeout(300):
        while storage.asked < 3:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.001)
        storage.away = False
        await forgotten.wait()
    assert opened == {ACTIVE}
    await sweep.close()


async def test_nothing_open_asks_nothing() -> None:
    storage: Any = Storage()
    await ArchivedSweep(storage, set, None).sweep()  # type: ignore[arg-type]
    assert storage.asked == 0
