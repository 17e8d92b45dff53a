"""Items that run together share their requests, and other work gets its turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from strongroom.operations.together import Meeting, Slices, run_slice


class Asked:
    """A part of the service that takes many requests at once."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    async def double(self, numbers: Sequence[int]) -> list[int | BaseException]:
        self.calls.append(list(numbers))
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]

    async def crash(self, numbers: Sequence[int]) -> list[int | BaseException]:
        raise OSError(len(numbers))


def soon() -> float:
    return asyncio.get_running_loop().time() + 20


async def test_items_ask_together_and_each_gets_its_own_answer() -> None:
    asked = Asked()

    def work(number: int):  # type: ignore[no-untyped-def]
        async def twice(meeting: Meeting) -> int:
            return await meeting.ask(asked.double, await meeting.ask(asked.double, number))

        return twice

    ended = await run_slice([work(n) for n in (1, -2, 3, 4)], soon())
    assert [each if isinstance(each, int) else type(each) for each in ended] == [4, ValueError, 12, 16]
    assert asked.calls == [[1, -2, 3, 4], [2, 6, 8]]


async def test_call_that_fails_fails_for_each() -> None:
    asked = Asked()
    ended = await run_slice([lambda meeting: meeting.ask(asked.crash, 1)] * 3, soon())
    assert [type(each) for each in ended] == [OSError] * 3


async def test_items_do_not_wait_for_one_that_is_busy_elsewhere() -> None:
    asked, freed = Asked(), asyncio.Event()

    async def busy(meeting: Meeting) -> int:
        await freed.wait()
        return await meeting.ask(asked.double, 5)

    async def quick(meeting: Meeting) -> int:
        answer = await meeting.ask(asked.double, 1)
        freed.set()
        return answer

    assert await run_slice([busy, quick, quick], soon()) == [10, 2, 2]
    assert asked.calls == [[1, 1], [5]]


async def test_item_that_ends_early_is_not_waited_for() -> None:
    asked = Asked()

    async def refused(meeting: Meeting) -> int:
        raise KeyError

    async def asks(meeting: Meeting) -> int:
        return await meeting.ask(asked.double, 1)

    ended = await run_slice([asks, refused, asks], soon())
    assert [ended[0], type(ended[1]), ended[2]] == [2, KeyError, 2]
    assert asked.calls == [[1, 1]]


async def test_what_has_not_ended_in_time_is_cut_off_and_the_rest_counts() -> None:
    cancelled = asyncio.Event()

    async def never(meeting: Meeting) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return 0

    async def at_once(meeting: Meeting) -> int:
        return 1

    slices = Slices(1)
    ended = await slices.run([at_once, never, at_once], 2, asyncio.get_running_loop().time() + 0.2)
    assert [ended[0], type(ended[1]), type(ended[2])] == [1, TimeoutError, TimeoutError]
    assert cancelled.is_set()


async def test_batches_take_turns() -> None:
    order: list[str] = []

    def work(name: str):  # type: ignore[no-untyped-def]
        async def note(meeting: Meeting) -> None:
            order.append(name)

        return note

    slices = Slices(1)
    await asyncio.gather(*[slices.run([work(name)] * 6, 2, soon()) for name in "ab"])
    assert order == list("aabbaabbaabb")


async def test_others_get_their_turn_while_items_work() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def busy(meeting: Meeting) -> None:
        until = time.perf_counter() + 0.002
        while time.perf_counter() < until:
            pass

    beside = asyncio.create_task(other())
    await run_slice([busy] * 50, soon())
    beside.cancel()
    assert turns >= 20, "of 50 items of 2 ms at most a few go without a turn of others between them"


async def test_who_is_cancelled_takes_its_items_along() -> None:
    begun, ended = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def never(meeting: Meeting) -> None:
        begun.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.release()

    whole = asyncio.create_task(Slices().run([never] * 3, 2, soon()))
    for _ in range(3):
        await begun.acquire()
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    for _ in range(3):
        await ended.acquire()
