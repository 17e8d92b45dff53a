"""A campaign of some minutes in some seconds. `make campaign` runs the whole one."""

from __future__ import annotations

from pathlib import Path

from tests.campaign import batch_kills, kills


def test_what_is_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    report = kills.run(tmp_path, operations=80, seed=5, most_kills=4)
    assert report.kills.total() >= 1, str(report)
    assert report.failures(least=0) == [], str(report)


def test_batch_that_was_killed_is_finished_by_its_repeat(tmp_path: Path) -> None:
    report = batch_kills.run(tmp_path, kills=2, seed=2)
    assert report.kills == 2
    assert report.violations == [], str(report)
