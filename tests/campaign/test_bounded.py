"""Nothing that a caller sends holds up the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.bounded import Monitored, run
from tests.fuzz.seeds import LIMITS_OFF

pytestmark = pytest.mark.campaign

SECONDS = 180


async def test_three_minutes_of_the_worst_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Monitored(tmp_path, LIMITS_OFF) as server:
        result = await run(server, SECONDS)
    with capsys.disabled():
        print(f"\n{result}")
    assert result.failures() == []
