"""Nothing that a caller sends delays the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.bounded import Monitored, run
from tests.fuzz.seeds import SETTINGS

pytestmark = pytest.mark.campaign

SECONDS = 180


async def test_three_minutes_of_the_worst_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Monitored(tmp_path, SETTINGS) as server:
        result = await run(server, SECONDS)
    with capsys.disabled():
        print(f"\n{result}")
    assert result.failures() == []
