from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from strongroom.access.api_keys import Authenticator, new_key
from strongroom.access.shared import SharedReads
from strongroom.domain.principal import ApiKey
from strongroom.storage.authenticity import Authenticity


async def test_those_who_ask_meanwhile_wait_for_one_reading() -> None:
    reads: SharedReads[str, int] = SharedReads()
    go, begun = asyncio.Event(), 0

    async def read() -> int:
        nonlocal begun
        begun += 1
        await go.wait()
        return begun

    waiting = [asyncio.create_task(reads.get("key", read)) for _ in range(9)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    go.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [1] * 8
    assert await reads.get("key", read) == 2


async def test_what_was_forgotten_is_read_anew() -> None:
    reads: SharedReads[str, int] = SharedReads()
    go = asyncio.Event()

    async def old() -> int:
        await go.wait()
        return 1

    async def new() -> int:
        return 2

    first = asyncio.create_task(reads.get("key", old))
    await asyncio.sleep(0)
    reads.forget("key")
    assert await reads.get("key", new) == 2
    go.set()
    assert await first == 1


async def test_a_failure_is_that_of_all_and_is_not_kept() -> None:
    reads: SharedReads[str, int] = SharedReads()

    async def fail() -> int:
        raise ValueError

    found = await asyncio.gather(*[reads.get("key", fail) for _ in range(3)], return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 3
    with pytest.raises(ValueError):  # noqa: PT011
        await reads.get("key", fail)


async def test_a_key_whose_row_has_run_out_is_read_once_for_all() -> None:
    authenticity = Authenticity(b"s" * 32)
    made = new_key(UUID(int=1), "test", ("read",), None, authenticity.api_key_mac, datetime.now(UTC))

    class Storage:
        asked = 0

        async def api_key(self, _: UUID) -> ApiKey:
            self.asked += 1
            await asyncio.sleep(0)
            return made.row

    now = [0.0]
    storage = Storage()
    authenticator = Authenticator(storage, authenticity.api_key_mac, clock=lambda: now[0])  # type: ignore[arg-type]
    for round_ in (1, 2):
        now[0] += 100
        found = await asyncio.gather(*[authenticator.authenticate(made.text.reveal()) for _ in range(64)])
        assert {each.id for each in found} == {made.row.id}
        assert storage.asked == round_
