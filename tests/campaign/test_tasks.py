from __future__ import annotations

import pytest

from tests.campaign import tasks

pytestmark = pytest.mark.campaign

TASKS, KILLS = 10_000, 1000


@pytest.mark.parametrize(
    "on_postgres", [False, pytest.param(True, marks=pytest.mark.needs("postgresql"))], ids=["sqlite", "postgresql"]
)
def test_a_thousand_kills_lose_no_task_and_settle_none_twice(
    capsys: pytest.CaptureFixture[str], on_postgres: bool
) -> None:
    report = tasks.campaign(TASKS, KILLS, 1, on_postgres=on_postgres)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.violations == []
    assert (report.kills, report.results) == (KILLS, TASKS)
