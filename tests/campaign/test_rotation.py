from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import rotation

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql", "openbao")]

WALLETS, KILLS = 2000, 20


def test_a_rotation_under_load_fails_no_signature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = rotation.run(tmp_path, WALLETS, KILLS)
    with capsys.disabled():
        print(f"\n{report}")
    assert not report.violations
    assert report.kills == KILLS
    assert report.behind == 0
    assert report.old_version_refused
