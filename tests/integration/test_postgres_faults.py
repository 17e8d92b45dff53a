"""Every way in which PostgreSQL goes away, in half a minute. `make campaign` runs the whole campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import outages
from tests.campaign.outages import Plan

pytestmark = pytest.mark.needs("postgresql")


def test_nothing_is_lost_or_done_twice_while_postgresql_comes_and_goes(tmp_path: Path) -> None:
    report = outages.run(tmp_path, Plan(restarts=2, seconds=2, read_only=1.7, cuts=9))
    # The machine may be busy with other tests, so no limit of a second counts as a fault here.
    assert report.failures(told_within=60, alive_within=60) == [], str(report)
    assert [each.name for each in report.outages if each.refused] != [], str(report)
