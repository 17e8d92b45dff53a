"""Runs the items of a batch so that their requests to other parts of the service are combined.

The items of a slice run side by side, each with the handler of a single request. An item that wants to commit or sign
waits until the other items of its slice wait too, and then one call serves all of them. Between items other requests
get their turn on the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - item
R = TypeVar("R")

Ask = Callable[[Sequence[I]], Awaitable[Sequence[R | BaseException]]]
"""Makes one request for many items. For each item it returns the response or the error."""

_PATIENCE: Final = 0.05
"""Seconds without progress of any item, after which waiting items go ahead. The others may be waiting for a node."""
_TURN: Final = 0.001
"""Seconds that items run before other requests get their turn."""
_QUIET: Final = 0.0002
"""A turn of the event loop that is shorter than this had nothing else to do."""
_GIVEN_WAY: Final = 8
"""Turns in a row that busy others get. Then the items run again, whoever is waiting."""
_MOST_AT_ONCE: Final = 32
_TO_SETTLE: Final = 0.5
"""Seconds in which cancelled items record that they failed."""


class Pace:
    """Chooses how many items run between two turns of other requests, about `_TURN` seconds of them."""

    def __init__(self) -> None:
        self._size = 4

    def chunks(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        rest = iter(items)
        while chunk := list(islice(rest, self._size)):
            yield chunk

    async def rest(self) -> None:
        """Lets the items that were just started or woken run, and then others as long as they are busy."""
        took = await _turn()
        if took > 2 * _TURN:
            self._size = max(1, self._size // 2)
        elif took < _TURN / 2:
            self._size = min(_MOST_AT_ONCE, self._size * 2)
        for _ in range(_GIVEN_WAY):
            if await _turn() < _QUIET:
                return


async def _turn() -> float:
    started = time.perf_counter()
    await asyncio.sleep(0)
    return time.perf_counter() - started


@dataclass(slots=True, eq=False)
class _Asked:
    item: Any
    answer: asyncio.Future[Any]
    taken: bool = False


class Meeting:
    """The place where the items of one slice wait for each other."""

    def __init__(self, items: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._busy = items
        """Items that have neither ended nor wait here."""
        self._asked: dict[Ask[Any, Any], list[_Asked]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._signs = 0
        """How often an item came, left or got a response."""

    async def ask(self, of: Ask[I, R], item: I) -> R:
        """The response for ``item``. Raises what ``of`` raised for it or for all items."""
        asked = _Asked(item, self._loop.create_future())
        self._asked.setdefault(of, []).append(asked)
        self._busy -= 1
        self._go_if_all_wait()
        try:
            answer: R = await asked.answer
            return answer
        except asyncio.CancelledError:
            if not asked.taken:
                self._busy += 1
                self._asked[of].remove(asked)
            raise

    def leave(self) -> None:
        """Tells the others that an item has ended."""
        self._busy -= 1
        self._go_if_all_wait()

    def _go_if_all_wait(self) -> None:
        self._signs += 1
        if self._busy <= 0:
            if any(self._asked.values()):
                self._go()
        elif self._timer is None and any(self._asked.values()):
            self._go_after_silence(-1)

    def _go_after_silence(self, signs: int) -> None:
        """``signs`` is the number of signs some time ago."""
        if signs == self._signs:
            self._go()
        else:
            self._timer = self._loop.call_later(_PATIENCE, self._go_after_silence, self._signs)

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        groups, self._asked = self._asked, {}
        for ask, group in groups.items():
            for asked in group:
                asked.taken = True
            self._busy += len(group)
            call = asyncio.create_task(self._call(ask, group))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, ask: Ask[Any, Any], group: Sequence[_Asked]) -> None:
        answers: Sequence[Any]
        try:
            answers = await ask([asked.item for asked in group])
        except Exception as error:  # noqa: BLE001 - every waiting item gets it
            answers = [error] * len(group)
        pace = Pace()
        for chunk in pace.chunks(list(zip(group, answers, strict=True))):
            for asked, answer in chunk:
                self._signs += 1
                if asked.answer.done():  # the item was cancelled
                    continue
                if isinstance(answer, BaseException):
                    asked.answer.set_exception(answer)
                else:
                    asked.answer.set_result(answer)
            await pace.rest()


Work = Callable[[Meeting], Awaitable[T]]


async def run_slice(works: Sequence[Work[T]], until: float) -> list[T | BaseException]:
    """The result or the exception of each work. Those still running at ``until``, a time of the event loop, are
    cancelled.

    If this call is cancelled, all works are cancelled.
    """
    meeting, pace = Meeting(len(works)), Pace()
    tasks: list[asyncio.Task[T]] = []
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                for chunk in pace.chunks(works):
                    tasks += [asyncio.create_task(_attend(work, meeting)) for work in chunk]
                    await pace.rest()
                await asyncio.wait(tasks)
    finally:
        for task in tasks:
            task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_TO_SETTLE)
    return [_end_of(task) for task in tasks] + [TimeoutError() for _ in works[len(tasks) :]]


async def _attend(work: Work[T], meeting: Meeting) -> T:
    try:
        return await work(meeting)
    finally:
        meeting.leave()


def _end_of(task: asyncio.Task[T]) -> T | BaseException:
    if not task.done() or task.cancelled():
        return TimeoutError()
    return task.exception() or task.result()


class Slices:
    """The slices of all batches of a process. Few run at a time, and batches take turns."""

    def __init__(self, at_once: int = 2) -> None:
        self._at_once = at_once
        self._turns = asyncio.Semaphore(at_once)

    async def run(self, works: Sequence[Work[T]], size: int, until: float) -> list[T | BaseException]:
        """The result or the exception of each work, in order. TimeoutError for those that did not end in time."""
        ended: list[T | BaseException] = [TimeoutError() for _ in works]

        async def run(start: int) -> None:
            ended[start : start + size] = await run_slice(works[start : start + size], until)

        await self.each(range(0, len(works), size), run, until)
        return ended

    async def each(self, parts: Iterable[T], run: Callable[[T], Awaitable[None]], until: float) -> None:
        """Runs the parts that there is time for, in turn. One is committed while the next is prepared."""
        rest = iter(parts)

        async def work_off() -> None:
            for part in rest:
                async with self._turns:
                    if asyncio.get_running_loop().time() >= until:
                        return
                    await run(part)

        with suppress(TimeoutError):
            async with asyncio.timeout_at(until + _TO_SETTLE), asyncio.TaskGroup() as group:
                for _ in range(self._at_once):
                    group.create_task(work_off())
