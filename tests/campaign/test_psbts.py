from __future__ import annotations

import resource

import pytest

from tests.fuzz import psbts
from tests.support.service import RunningService

pytestmark = pytest.mark.campaign

PSBTS = 10_000
SLOWEST = 1.0
MOST_GROWTH = 50 * 1024
"""KiB."""


async def test_ten_thousand_changed_psbts(service: RunningService, capsys: pytest.CaptureFixture[str]) -> None:
    await psbts.run(service, 100, seed=0)  # load and cache everything first
    before = _peak()
    report = await psbts.run(service, PSBTS, seed=2)
    with capsys.disabled():
        print(f"\n{report}; memory +{(_peak() - before) / 1024:.1f} MiB")
    assert report.faults == []
    assert report.slowest < SLOWEST
    assert _peak() - before < MOST_GROWTH


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
