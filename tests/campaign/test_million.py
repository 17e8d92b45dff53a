from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import million

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql", "openbao")]

SIGNATURES, WALLETS = 100_000, 1000
"""`python -m tests.campaign.million` does ten times as many, which takes much longer."""


def test_signatures_without_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = million.run(tmp_path, SIGNATURES, WALLETS)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.violations == []
    assert report.recovered == SIGNATURES // 1000
