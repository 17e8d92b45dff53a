from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import dead

pytestmark = [pytest.mark.campaign, pytest.mark.needs("postgresql", "openbao", "redis")]

SECONDS = 600


async def test_ten_minutes_without_dependencies_are_no_reason_to_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = await dead.run(tmp_path, SECONDS)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.passed
