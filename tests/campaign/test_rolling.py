from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import rolling

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql", "openbao")]

RESTARTS, RATE = 50, 100


def test_restarts_by_turns_fail_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = rolling.run(tmp_path, RESTARTS, RATE)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.violations == []
    assert report.restarts == RESTARTS
