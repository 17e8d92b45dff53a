"""Verifying the audit in slices finds the same as verifying it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from strongroom.domain.verification import Looked
from strongroom.journal import verify
from strongroom.journal.audit import Head, register
from strongroom.journal.committer import Committer
from strongroom.journal.heads import FileHeads
from strongroom.journal.slices import AuditSlices, newest_heads
from strongroom.storage.base import Unit
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.database import execute
from tests.unit.journal.conftest import AUTHENTICITY

KEY = AUTHENTICITY.audit_key


async def write(storage: SqlStorage, records: int) -> Head:
    committer = Committer(storage, await register(storage, KEY, "test"), timeout=60)
    committer.start()
    for n in range(records):
        await committer.commit(Unit(), [rows.entry(n)])
    head = committer.head()
    await committer.close()
    return head


async def walk(storage: SqlStorage, size: int, heads: Path | None = None) -> tuple[set[str], int, int]:
    """Kinds of flaws, rows looked at, slices; each slice by another process."""
    cursor: bytes | None = None
    kinds: set[str] = set()
    checked = slices = 0
    while slices < 500:
        read: Callable[[], Mapping[UUID, Head]] = lambda: {} if heads is None else newest_heads(heads)  # noqa: E731
        looked: Looked = await AuditSlices(storage, KEY, read, size)(cursor)
        assert looked.checked <= size + 1
        kinds |= {flaw.kind for flaw in looked.flaws}
        checked, slices, cursor = checked + looked.checked, slices + 1, looked.cursor
        if cursor is None:
            return kinds, checked, slices
    raise AssertionError("it does not end")


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
async def test_a_sound_audit_has_no_flaws_however_it_is_cut(storage: SqlStorage, tmp_path: Path, size: int) -> None:
    sink = FileHeads(tmp_path / "heads")
    for records in (0, 5, 7, 1):
        sink.append(await write(storage, records))
    kinds, checked, slices = await walk(storage, size, tmp_path / "heads")
    assert kinds == set()
    assert checked >= 13 + 4
    assert (slices == 1) == (size == 1000)


TRIGGERS = ("audit_no_update", "audit_no_delete", "audit_writers_no_update", "audit_writers_no_delete")
SECOND = "(SELECT id FROM audit_writers WHERE ordinal = 2)"


@pytest.mark.parametrize(
    ("mutation", "kinds"),
    [
        (f"UPDATE audit SET client = 'x' WHERE writer_id = {SECOND} AND sequence = 3", {"record_changed"}),
        (f"DELETE FROM audit WHERE writer_id = {SECOND} AND sequence = 3", {"record_missing", "record_changed"}),
        (f"DELETE FROM audit WHERE writer_id = {SECOND} AND sequence = 6", {"head_missing"}),
        (f"DELETE FROM audit WHERE writer_id = {SECOND}", {"head_missing"}),
        (f"UPDATE audit SET outcome = 'x' WHERE writer_id = {SECOND} AND sequence = 3", {"unreadable"}),
        ("DELETE FROM audit_writers WHERE ordinal = 3", {"writer_missing", "writer_unknown"}),
        ("DELETE FROM audit_writers WHERE ordinal = 1", {"writer_missing", "writer_unknown", "writer_changed"}),
        ("UPDATE audit_writers SET host = 'x' WHERE ordinal = 2", {"writer_changed"}),
        (
            f"UPDATE audit SET writer_id = zeroblob(16) WHERE writer_id = {SECOND} AND sequence = 6",
            {"head_missing", "writer_unknown"},
        ),
        (
            f"UPDATE audit SET writer_id = x'00' WHERE writer_id = {SECOND} AND sequence = 6",
            {"head_missing", "unreadable"},
        ),
        ("UPDATE audit_writers SET started_at = 'x' WHERE ordinal = 2", {"unreadable"}),
    ],
)
@pytest.mark.parametrize("size", [2, 1000])
async def test_what_was_changed_is_found(
    storage: SqlStorage, tmp_path: Path, mutation: str, kinds: set[str], size: int
) -> None:
    sink = FileHeads(tmp_path / "heads")
    for _ in range(3):
        sink.append(await write(storage, 6))
    for trigger in TRIGGERS:
        await execute(storage._database, f"DROP TRIGGER {trigger}")
    await execute(storage._database, mutation)
    found, _, _ = await walk(storage, size, tmp_path / "heads")
    assert found >= kinds
    report = await verify.verify(storage, KEY, _heads(tmp_path / "heads"))
    assert {finding.kind for finding in report.findings} & kinds


def _heads(path: Path) -> list[Head]:
    return list(newest_heads(path).values())


def test_of_a_heads_file_the_newest_of_each_writer_counts(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    sink = FileHeads(path)
    writer, other = rows.entry().operation_id, rows.entry().operation_id
    for id_, sequence in ((writer, 1), (writer, 9), (other, 2), (writer, 4)):
        sink.append(Head(datetime.now(UTC), id_, sequence, bytes([sequence]) * 32))
    path.write_text(f"not json\n{json.dumps({'at': 1})}\n" + path.read_text() + '{"torn')
    assert {id_: head.sequence for id_, head in newest_heads(path).items()} == {writer: 9, other: 2}
    assert newest_heads(tmp_path / "none") == {}
