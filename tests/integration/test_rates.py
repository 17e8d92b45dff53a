"""T28 in short. `python -m tests.campaign.rates` is the whole campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import rates

pytestmark = pytest.mark.needs("redis", "postgresql", "openbao")


def test_five_processes_share_a_limit_and_keep_to_it_without_redis(tmp_path: Path) -> None:
    """The load that a busy machine offers does not matter, because the bound on accepted calls holds for any."""
    report = rates.run(tmp_path, 8, 4, REDIS__TIMEOUT="1")
    assert report.failures(overload=0) == []
    assert all(stream.refused[phase] for stream in report.streams for phase in (0, 1)), str(report)
