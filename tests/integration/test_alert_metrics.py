"""The metrics of alerts. Prometheus' own rules use them for what no other metric shows."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strongroom.access.api_keys import new_key
from strongroom.domain.alert import RULES
from tests.support.service import TENANT, RunningService, running

QUICK = {
    "ALERTS__INTERVAL": "0.1", "TASKS__POLL": "0.1", "TASKS__METRICS_INTERVAL": "0.1", "DATABASE__TIMEOUT": "1",
    "RATES__FAILED_AUTHENTICATION": "2/minute",
}  # fmt: skip
INVALID_KEY = new_key(TENANT, "nobody", (), None, lambda _: b"", datetime.now(UTC)).text.reveal()


@pytest.fixture
async def service(tmp_path: Path, prepared_data: Path) -> AsyncIterator[RunningService]:
    shutil.copytree(prepared_data, tmp_path / "data")
    config = tmp_path / "strongroom.toml"
    config.write_text("[alert_rules.failed_logins]\nclear = 3\n[alert_rules.database_read_only]\nhold = 0\n")
    async with running(tmp_path / "data", {**QUICK, "CONFIG": str(config)}) as service:
        yield service


async def told(service: RunningService, metric: str, rule: str, value: float) -> None:
    """Waits until /metrics says so."""
    wanted = f'{metric}{{rule="{rule}"}} {value}'
    async with asyncio.timeout(120):
        while True:
            answer = await service.http.client.get("/metrics", headers={"X-API-Key": service.key})
            if wanted in answer.text.splitlines():
                return
            await asyncio.sleep(0.05)


async def test_what_fires_is_counted_by_rule_until_it_is_over(service: RunningService) -> None:
    for rule in RULES:
        await told(service, "strongroom_alerts_firing", rule, 0.0)
    for _ in range(4):
        await service.http.call("wallets.list", {}, key=INVALID_KEY)
    await told(service, "strongroom_alerts_firing", "failed_logins", 1.0)
    await told(service, "strongroom_alerts_firing", "failed_logins", 0.0)


async def test_a_database_that_cannot_be_written_is_seen(service: RunningService, tmp_path: Path) -> None:
    await told(service, "strongroom_alerts_seen", "database_read_only", 0.0)
    writer = sqlite3.connect(tmp_path / "data" / "strongroom.db", timeout=60, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    await told(service, "strongroom_alerts_seen", "database_read_only", 1.0)
    writer.rollback()
    writer.close()
    await told(service, "strongroom_alerts_seen", "database_read_only", 0.0)
