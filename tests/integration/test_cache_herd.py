"""T44: if nothing is cached any more and everybody asks at once, each process reads what is missing once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from strongroom.storage.sql import SqlStorage
from tests.support.redis import RedisServer
from tests.support.service import NewService, running

pytestmark = pytest.mark.needs("redis")

ADDRESSES, CALLERS = 10, 50


async def test_five_hundred_at_once_after_a_flush(
    new_service: NewService, patient_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"REDIS__URL": patient_redis.url, "RATES__ADDRESS": "off"}
    async with new_service(**settings) as one:
        made = await one.http.call("wallets.create", {"networks": ["ethereum"]}, key=one.key)
        commands = [
            {"wallet_id": made.result["id"], "network": "ethereum", "index": index} for index in range(ADDRESSES)
        ]
        true = [(await one.http.call("addresses.derive", command, key=one.key)).result for command in commands]
    read: Counter[tuple[Any, ...]] = Counter()
    address = SqlStorage.address

    async def counted(self: SqlStorage, *place: Any) -> Any:
        read[place] += 1
        return await address(self, *place)

    monkeypatch.setattr(SqlStorage, "address", counted)
    data = one.settings.data_dir
    async with running(data, settings) as first, running(data, settings) as second:
        patient_redis.ask.flushall()
        answers = await asyncio.gather(
            *(
                service.http.call("addresses.derive", command, key=one.key)
                for _ in range(CALLERS // 2)
                for service in (first, second)
                for command in commands
            )
        )
    assert [each.result for each in answers] == true * CALLERS
    assert len(read) == ADDRESSES
    assert max(read.values()) <= 2
