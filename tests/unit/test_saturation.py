"""When work that is done for many waits for more of them. The clocks are the test's own."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from strongroom import saturation
from strongroom.saturation import Gathering


class Clocks:
    """Time that passes, and the part of it in which the thread computed."""

    def __init__(self) -> None:
        self.wall = self.cpu = 100.0

    def pass_(self, seconds: float, *, share: float) -> None:
        self.wall += seconds
        self.cpu += seconds * share


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(
        saturation,
        "time",
        SimpleNamespace(perf_counter=lambda: clocks.wall, thread_time=lambda: clocks.cpu),
    )
    return clocks


async def waits(gathering: Gathering, waiting: int = 1) -> bool:
    """Whether it let the event loop go on to something else."""
    asked = asyncio.ensure_future(gathering.more(waiting))
    await asyncio.sleep(0)
    done = asked.done()
    await asked
    return not done


async def test_a_saturated_loop_waits_and_another_does_not(clocks: Clocks) -> None:
    gathering = Gathering()
    assert not await waits(gathering)
    clocks.pass_(0.1, share=0.5)
    assert not await waits(gathering)
    clocks.pass_(0.1, share=0.9)
    assert await waits(gathering)
    clocks.pass_(10, share=0.1)
    assert not await waits(gathering)


async def test_it_is_measured_over_some_time(clocks: Clocks) -> None:
    """A single piece of work is not a saturated loop."""
    gathering = Gathering()
    clocks.pass_(0.01, share=1)
    assert not await waits(gathering)
    clocks.pass_(0.05, share=0.3)
    assert not await waits(gathering)


async def test_where_many_share_the_cost_already_nobody_waits(clocks: Clocks) -> None:
    gathering = Gathering()
    clocks.pass_(0.1, share=1)
    assert await waits(gathering, 15)
    assert not await waits(gathering, 16)
