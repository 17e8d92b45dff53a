from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import kills

pytestmark = pytest.mark.campaign


def test_a_thousand_creates_and_signs_under_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = kills.run(tmp_path, operations=1000, seed=1)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures(kills.LEAST_OF_EACH) == []


@pytest.mark.needs("postgresql", "openbao")
def test_the_same_with_two_workers_on_postgresql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Restarts take longer here, and it takes more operations until kills have met each state often enough.
    report = kills.run(tmp_path, operations=2500, seed=3, on_postgres=True)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures(kills.LEAST_OF_EACH) == []
    assert min(report.kills[victim] for victim in kills.VICTIMS) >= 1
