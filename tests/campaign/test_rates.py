from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import rates

pytestmark = [pytest.mark.campaign, pytest.mark.needs("redis", "postgresql", "openbao")]


def test_no_more_than_the_limit_with_redis_and_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = rates.run(tmp_path, 60, 20, REDIS__TIMEOUT="1")
    with capsys.disabled():
        print(f"\n{report}")
    assert report.failures(overload=3) == []
