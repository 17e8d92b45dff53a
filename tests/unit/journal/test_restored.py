"""Which marks in the audit are trusted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from strongroom.domain.record import AUTHENTICATED_MARK, AuditOutcome
from strongroom.journal.audit import register
from strongroom.journal.restored import lost, marks
from strongroom.storage.base import Unit
from tests.support import rows
from tests.unit.journal.conftest import AUTHENTICITY, WatchedStorage

KEY = AUTHENTICITY.audit_key


async def _marked(storage: WatchedStorage) -> None:
    """Two marks: one comes after the writer's own row, the other after a record."""
    chain = await register(storage, KEY, "test")
    entries = [
        rows.entry(n, operation=AUTHENTICATED_MARK, outcome=AuditOutcome.SUCCEEDED, wallet_id=None) for n in range(2)
    ]
    records = chain.extend(entries)
    await storage.apply([Unit(rows=records)])
    chain.advance(records[-1])
    assert [each.sequence for each in await marks(storage, KEY, AUTHENTICATED_MARK)] == [1, 2]
    assert await lost(storage, [chain.head(rows.NOW)]) == {}


def _change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement).rowcount == 1
    connection.close()


@pytest.mark.parametrize(
    "change",
    ["details = x'00'", "mac = 'text'", "mac = 5", "client = x'ff'", "network = 7.5", "sequence = 'text'",
     "sequence = 9223372036854775807", "sequence = -9223372036854775808"],
)  # fmt: skip
async def test_a_mark_with_a_value_that_we_never_write_is_not_believed(
    storage: WatchedStorage, tmp_path: Path, change: str
) -> None:
    await _marked(storage)
    _change(tmp_path / "test.db", f"UPDATE audit SET {change} WHERE sequence = 2")
    assert [each.sequence for each in await marks(storage, KEY, AUTHENTICATED_MARK)] == [1]


@pytest.mark.parametrize("change", ["mac = 'text'", "mac = x'00'", "id = x'00112233445566778899aabbccddeeff'"])
async def test_a_first_record_holds_to_its_writers_row(storage: WatchedStorage, tmp_path: Path, change: str) -> None:
    await _marked(storage)
    _change(tmp_path / "test.db", f"UPDATE audit_writers SET {change}")
    assert [each.sequence for each in await marks(storage, KEY, AUTHENTICATED_MARK)] == [2]
