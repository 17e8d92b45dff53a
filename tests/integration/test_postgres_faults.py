"""Every way in which PostgreSQL goes away, in half a minute. `make campaign` runs the whole campaign."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from tests.campaign import outages
from tests.campaign.outages import Plan
from tests.support import stack
from tests.support.openbao import OpenBao
from tests.support.postgres import Postgres
from tests.support.service import running

pytestmark = pytest.mark.needs("postgresql")


def test_nothing_is_lost_or_done_twice_while_postgresql_comes_and_goes(tmp_path: Path) -> None:
    report = outages.run(tmp_path, Plan(restarts=2, seconds=2, read_only=1.7, cuts=9))
    # The machine may be busy with other tests, so no limit of a second counts as a fault here.
    assert report.failures(told_within=60, alive_within=60) == [], str(report)
    assert [each.name for each in report.outages if each.refused] != [], str(report)


@pytest.mark.needs("openbao")
async def test_a_commit_waits_as_long_as_the_settings_allow(
    tmp_path: Path, postgres_server: Postgres, openbao: OpenBao
) -> None:
    """Longer than the two seconds after which 1.0.8 gave up, whatever `database.timeout` said."""
    name = postgres_server.create_database(migrated=True)
    settings = {**stack.settings(postgres_server, name, openbao), "PROFILE": "production"}
    async with running(tmp_path, settings) as service:
        other = await asyncpg.connect(postgres_server.url(name), timeout=60)
        try:
            async with other.transaction():
                await other.execute("LOCK TABLE audit")
                waiting = asyncio.create_task(service.http.call("wallets.create", {"networks": []}, key=service.key))
                await asyncio.sleep(3)
        finally:
            await other.close()
        answer = await waiting
    assert answer.code == "ok", answer
