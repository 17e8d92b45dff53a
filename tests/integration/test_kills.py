"""A few minutes' campaign in a few seconds: the whole one is `make campaign`."""

from __future__ import annotations

from pathlib import Path

from tests.campaign import kills


def test_what_is_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    report = kills.run(tmp_path, operations=80, seed=5, most_kills=4)
    assert report.kills.total() >= 1, str(report)
    assert report.failures(least=0) == [], str(report)
