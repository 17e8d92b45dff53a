"""Large work runs in few threads; what finds no place is told to come again; the loop goes on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from strongroom.errors import InvalidField, RateLimited
from strongroom.operations.offload import Offload


def test_what_is_large() -> None:
    offload = Offload(large=1000)
    assert not offload.is_large("x" * 900)
    assert offload.is_large("x" * 1000)
    assert not offload.is_large({"a": "x" * 100, "b": [1, 2, {"c": None}]})
    assert offload.is_large({"a": {"b": ["x" * 1000]}})
    assert offload.is_large([1] * 200)
    assert offload.is_large({"k" * 1000: 1})
    assert offload.is_large([[[]] * 10_000_000])
    assert not offload.is_large(None)
    offload.close()


async def test_small_work_runs_here_and_large_work_elsewhere() -> None:
    offload = Offload()
    assert await offload.run(False, threading.get_ident) == threading.get_ident()
    assert await offload.run(True, threading.get_ident) != threading.get_ident()

    def refuse() -> None:
        raise InvalidField("no")

    for large in (False, True):
        with pytest.raises(InvalidField):
            await offload.run(large, refuse)
    offload.close()


async def test_more_than_may_wait_is_refused_and_the_loop_goes_on() -> None:
    offload = Offload(threads=1, waiting=2)
    gate = threading.Event()
    running = [asyncio.create_task(offload.run(True, gate.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited) as refused:
        await offload.run(True, gate.wait)
    assert refused.value.retry_after
    gate.set()
    await asyncio.gather(*running)
    await asyncio.sleep(0)
    assert await offload.run(True, lambda: 7) == 7
    offload.close()


async def test_a_call_that_gave_up_keeps_its_place_until_its_thread_is_free() -> None:
    offload = Offload(threads=1, waiting=0)
    begun, gate = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait()

    task = asyncio.create_task(offload.run(True, work))
    assert await asyncio.to_thread(begun.wait, 300)  # what is cancelled before it began leaves its place at once
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(RateLimited):
        await offload.run(True, gate.wait)
    gate.set()
    async with asyncio.timeout(300):
        while True:
            try:
                assert await offload.run(True, lambda: 7) == 7
                break
            except RateLimited:
                await asyncio.sleep(0.01)
    offload.close()
