from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Any, cast
from uuid import UUID

from strongroom.access.tenant_networks import TenantNetworks
from strongroom.storage.base import Storage

TENANT = UUID(int=1)


class FakeStorage:
    """A fake: one row, which is read slowly."""

    def __init__(self) -> None:
        self.reads = 0

    async def client_networks(self, _: UUID) -> Any:
        self.reads += 1
        await asyncio.sleep(0)
        return type("Row", (), {"listed": ["192.0.2.0/24"]})


def opened(now: list[float]) -> tuple[TenantNetworks, FakeStorage]:
    storage = FakeStorage()
    return TenantNetworks(cast("Storage", storage), ttl=2.0, clock=lambda: now[0]), storage


async def test_requests_that_notice_together_that_it_ran_out_read_once() -> None:
    now = [0.0]
    networks, storage = opened(now)
    for reads, now[0] in ((1, 0.0), (2, 3.0)):
        found = await asyncio.gather(*(networks.of(TENANT) for _ in range(64)))
        assert found == [(ip_network("192.0.2.0/24"),)] * 64
        assert storage.reads == reads


async def test_what_was_changed_here_is_read_anew_although_a_reading_is_under_way() -> None:
    networks, storage = opened([0.0])
    before = asyncio.create_task(networks.of(TENANT))
    await asyncio.sleep(0)
    networks.forget(TENANT)
    await networks.of(TENANT)
    await before
    assert storage.reads == 2
