from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import drill

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.needs("postgresql", "openbao", "curl"),
]


def test_all_that_was_lost_comes_back_from_the_backup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = drill.run(tmp_path)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.passed
