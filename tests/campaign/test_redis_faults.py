from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import redis_faults

pytestmark = [pytest.mark.campaign, pytest.mark.needs("redis")]


def test_redis_goes_away_in_every_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = redis_faults.run(tmp_path, 10_000)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures() == []
    assert sum(len(phase.latencies) for phase in report.phases) >= 10_000
