"""`strongroom audit verify` as an auditor runs it, over a database that was tampered with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server

SIGN = {"network": "ethereum", "format": "eip191", "message": "pay", "encoding": "text"}
REFUSED, USAGE = 1, 2


@dataclass(frozen=True)
class Verdict:
    code: int
    report: dict[str, Any]
    words: str

    @property
    def kinds(self) -> set[str]:
        return {finding["kind"] for finding in self.report["findings"]}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the service. ``older.db`` is the database after the first."""
    folder = tmp_path_factory.mktemp("audited")
    with Server(folder / "data") as server:
        for run in range(2):
            with server.client() as client:
                wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
                for _ in range(4):
                    assert client.post(f"/wallets/{wallet}/sign-message", json=SIGN).is_success
            assert server.stop() == 0
            if run == 0:
                shutil.copy(folder / "data" / "strongroom.db", folder / "data" / "older.db")
                server.start()
    return folder / "data"


@pytest.fixture
def server(written: Path, tmp_path: Path) -> Server:
    shutil.copytree(written, tmp_path / "data")
    return Server(tmp_path / "data")


def verify(server: Server, heads: Path | None = None) -> Verdict:
    path = heads or server.data_dir / "audit-heads.jsonl"
    found = server.command("audit", "verify", "--heads", str(path), "--json")
    return Verdict(found.returncode, json.loads(found.stdout) if found.stdout else {}, found.stderr)


def write(server: Server, work: Callable[[sqlite3.Connection], object]) -> None:
    """As the owner of the database, who is not stopped by triggers."""
    with closing(sqlite3.connect(server.data_dir / "strongroom.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        work(database)


def statement(text: str) -> Callable[[sqlite3.Connection], None]:
    def work(database: sqlite3.Connection) -> None:
        assert database.execute(text).rowcount > 0

    return work


def test_an_audit_that_nobody_touched_holds(server: Server) -> None:
    verdict = verify(server)
    assert (verdict.code, verdict.report["ok"], verdict.report["unanchored"]) == (0, True, 0)
    assert verdict.report["records"] == 23


@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET mac = x'00'"])
@pytest.mark.parametrize("table", ["audit", "audit_writers"])
def test_the_database_itself_refuses_changes_of_the_audit(server: Server, table: str, verb: str) -> None:
    with (
        closing(sqlite3.connect(server.data_dir / "strongroom.db")) as database,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        database.execute(verb.format(table))


_FIRST = "writer_id = (SELECT writer_id FROM audit GROUP BY writer_id ORDER BY count(*) DESC, writer_id LIMIT 1)"
"""A process that did something. The very first one only marked the new database."""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"UPDATE audit SET outcome = 'failed' WHERE sequence = 2 AND {_FIRST}", "record_changed"),
        (f"UPDATE audit SET at = at + 1 WHERE sequence = 3 AND {_FIRST}", "record_changed"),
        (f"DELETE FROM audit WHERE sequence = 3 AND {_FIRST}", "record_missing"),
        (f"DELETE FROM audit WHERE sequence > 4 AND {_FIRST}", "head_missing"),
        (f"UPDATE audit SET sequence = sequence + 100 WHERE sequence = 3 AND {_FIRST}", "record_missing"),
        (f"DELETE FROM audit_writers WHERE {_FIRST.replace('writer_id', 'id', 1)}", "writer_unknown"),
        ("DELETE FROM audit", "head_missing"),
    ],
)
def test_what_was_changed_is_found(server: Server, text: str, kind: str) -> None:
    write(server, statement(text))
    verdict = verify(server)
    assert verdict.code == REFUSED
    assert "the audit failed its verification: see the findings above" in verdict.words
    assert kind in verdict.kinds


def test_a_writer_that_vanished_with_its_records_is_missed(server: Server) -> None:
    def work(database: sqlite3.Connection) -> None:
        [last] = database.execute("SELECT id FROM audit_writers ORDER BY ordinal DESC LIMIT 1").fetchone()
        database.execute("DELETE FROM audit WHERE writer_id = ?", [last])
        database.execute("DELETE FROM audit_writers WHERE id = ?", [last])

    write(server, work)
    verdict = verify(server)
    assert verdict.code == REFUSED
    assert "writer_missing" in verdict.kinds


def test_an_older_copy_of_the_whole_database_is_known_for_one(server: Server) -> None:
    for left in server.data_dir.glob("strongroom.db*"):
        left.unlink()
    (server.data_dir / "older.db").rename(server.data_dir / "strongroom.db")
    verdict = verify(server)
    assert verdict.code == REFUSED
    assert "writer_missing" in verdict.kinds


def test_what_is_younger_than_the_last_head_is_called_unanchored(server: Server) -> None:
    path = server.data_dir / "audit-heads.jsonl"
    heads = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(head) + "\n" for head in heads if head["sequence"] == 0))
    write(server, statement(f"DELETE FROM audit WHERE sequence = 10 AND {_FIRST}"))

    verdict = verify(server)
    assert (verdict.code, verdict.report["ok"]) == (0, True)
    assert verdict.report["unanchored"] == verdict.report["records"] == 22


def test_without_heads_it_says_so_and_verifies_nothing(server: Server) -> None:
    missing = verify(server, server.data_dir / "elsewhere.jsonl")
    assert (missing.code, missing.report) == (USAGE, {})
    assert "cannot be read" in missing.words

    damaged = server.data_dir / "damaged.jsonl"
    damaged.write_text('{"at": "never"}\n')
    verdict = verify(server, damaged)
    assert (verdict.code, verdict.report) == (USAGE, {})
    assert "line 1 of the audit heads cannot be read" in verdict.words
    assert "never" not in verdict.words
