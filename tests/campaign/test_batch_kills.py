from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import batch_kills

pytestmark = pytest.mark.campaign


def test_fifty_kills_in_the_middle_of_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = batch_kills.run(tmp_path, kills=50, seed=1)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.violations == []
    assert report.in_the_middle >= 25
