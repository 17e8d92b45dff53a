"""Every way in which PostgreSQL goes away, in half a minute: the whole campaign is `make campaign`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import outages
from tests.campaign.outages import Plan

pytestmark = pytest.mark.needs("postgresql")


def test_nothing_is_lost_or_done_twice_while_postgresql_comes_and_goes(tmp_path: Path) -> None:
    report = outages.run(tmp_path, Plan(restarts=2, seconds=2, read_only=1.7, cuts=9))
    # The machine that runs this may be busy with other tests: no limit of a second is a fault here.
    assert report.failures(told_within=60, alive_within=60) == [], str(report)
    assert [each.name for each in report.outages if each.refused] != [], str(report)
