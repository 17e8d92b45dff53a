from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from strongroom.errors import KeyWrapUnavailable
from strongroom.keywrap.base import Wrapped
from strongroom.keywrap.gathered import GatheredKeyWrap
from strongroom.keywrap.local import LocalKeyWrap

Item = tuple[bytes, bytes]


class SlowKeyWrap(LocalKeyWrap):
    """Responds when allowed to, and remembers the size of each call."""

    def __init__(self) -> None:
        super().__init__([b"k" * 32])
        self.gate = asyncio.Event()
        self.sizes: list[int] = []
        self.away = False

    async def wrap(self, items: Sequence[Item]) -> list[Wrapped]:
        self.sizes.append(len(items))
        await self.gate.wait()
        if self.away:
            raise KeyWrapUnavailable("away", retry_after=1)
        return await super().wrap(items)


@pytest.fixture
async def slow() -> SlowKeyWrap:
    return SlowKeyWrap()


def item(n: int) -> Item:
    return (n.to_bytes(32, "big"), n.to_bytes(32, "big"))


async def callers(gathered: GatheredKeyWrap, count: int, items: int = 1) -> list[asyncio.Task[list[Wrapped]]]:
    tasks = [asyncio.create_task(gathered.wrap([item(n * items + i) for i in range(items)])) for n in range(count)]
    for _ in range(10):
        await asyncio.sleep(0)  # turns of the loop, however long they take
    return tasks


async def test_who_comes_while_it_is_busy_goes_together_and_gets_his_own(slow: SlowKeyWrap) -> None:
    gathered = GatheredKeyWrap(slow)
    tasks = await callers(gathered, 108, items=3)
    assert slow.sizes == [3] * 8
    slow.gate.set()
    for n, task in enumerate(tasks):
        wrapped = await task
        wanted = [item(n * 3 + i) for i in range(3)]
        opened = await gathered.unwrap(list(zip(wrapped, [context for _, context in wanted], strict=True)))
        assert opened == [key for key, _ in wanted]
    assert sum(slow.sizes) == 3 * 108
    assert slow.sizes[8:] == [198, 102]


async def test_a_call_alone_waits_for_nobody(slow: SlowKeyWrap) -> None:
    slow.gate.set()
    gathered = GatheredKeyWrap(slow)
    for _ in range(3):
        await gathered.wrap([item(1)])
    assert slow.sizes == [1, 1, 1]


async def test_a_call_over_the_bound_goes_whole(slow: SlowKeyWrap) -> None:
    slow.gate.set()
    assert len(await GatheredKeyWrap(slow).wrap([item(n) for n in range(450)])) == 450
    assert slow.sizes == [450]


async def test_a_failure_is_told_to_all_who_shared_it_and_ends_nothing(slow: SlowKeyWrap) -> None:
    gathered = GatheredKeyWrap(slow)
    tasks = await callers(gathered, 20)
    slow.away = True
    slow.gate.set()
    for task in tasks:
        with pytest.raises(KeyWrapUnavailable):
            await task
    slow.away = False
    assert len(await gathered.wrap([item(1)])) == 1


async def test_who_is_cancelled_takes_nobody_along(slow: SlowKeyWrap) -> None:
    gathered = GatheredKeyWrap(slow)
    tasks = await callers(gathered, 30)
    for task in tasks[::2]:
        task.cancel()
    slow.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
    assert all(isinstance(result, list) and len(result) == 1 for result in results[1::2])
