from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import alerts

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql", "openbao", "redis")]

KILLS = 20


def test_twenty_kills_lose_no_alert_and_repeat_none_in_silence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = alerts.campaign(tmp_path, KILLS, 1)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.violations == []
    assert report.kills == KILLS
