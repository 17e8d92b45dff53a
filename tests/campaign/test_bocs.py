from __future__ import annotations

import pytest

from tests.fuzz import bocs
from tests.support.service import RunningService

pytestmark = pytest.mark.campaign

BAGS = 10_000
SLOWEST = 0.05
"""Seconds that the chain's code takes."""


async def test_ten_thousand_changed_bags_of_cells(service: RunningService, capsys: pytest.CaptureFixture[str]) -> None:
    await bocs.run(service, 100, seed=0)  # load and cache everything first
    report = await bocs.run(service, BAGS, seed=2)
    with capsys.disabled():
        print(f"\n{report}".replace("PSBTs", "bags of cells, thrice each"))
    assert report.faults == []
    assert report.slowest < SLOWEST
