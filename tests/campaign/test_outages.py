from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import outages
from tests.campaign.outages import Plan

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql")]


def test_postgresql_goes_away_in_every_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = outages.run(tmp_path, Plan(restarts=20, seconds=60, read_only=10, cuts=100))
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures() == []
