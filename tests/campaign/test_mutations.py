from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import mutations
from tests.support.postgres import Postgres

COUNT = 1_000


@pytest.mark.campaign
async def test_a_thousand_mutations_of_sqlite_are_all_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = await mutations.on_sqlite(tmp_path, COUNT, seed=1)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.passed


@pytest.mark.campaign
@pytest.mark.needs("postgresql")
async def test_a_thousand_mutations_of_postgresql_are_all_told(
    postgres_server: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = await mutations.on_postgres(tmp_path, postgres_server, COUNT, seed=2)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.passed


async def test_a_few_mutations_of_every_table_are_told(tmp_path: Path) -> None:
    report = await mutations.on_sqlite(tmp_path, 40, seed=3)
    assert report.faults == []
