"""A full disk is distinguished from other errors, remembered, and forgotten when there is space again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from strongroom.errors import StorageUnavailable
from strongroom.storage import database as module
from strongroom.storage.disk import Disk, is_full_disk
from strongroom.storage.sqlite import SqliteDatabase


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class FakePostgresError(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(module, "DISK", disk)
    return disk


def test_it_counts_as_full_until_nothing_was_refused_for_a_while() -> None:
    clock = Clock()
    disk = Disk(seconds=10, clock=clock)
    assert not disk.full
    disk.refused()
    clock.now += 9
    assert disk.full
    disk.refused()
    clock.now += 9
    assert disk.full
    clock.now += 2
    assert not disk.full


def test_a_stretch_of_refusals_is_one_line_of_the_log_and_its_end_another(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    clock = Clock()
    disk = Disk(seconds=10, clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("strongroom.storage.disk._log.error", lambda event, **_: said.append(event), raising=False)
        patch.setattr("strongroom.storage.disk._log.warning", lambda event, **_: said.append(event), raising=False)
        for _ in range(5):
            disk.refused()
        clock.now += 11
        assert not disk.full
        assert not disk.full
    assert said == ["database.disk_full", "database.disk_has_room"]


async def test_a_write_that_finds_no_room_says_so(tmp_path: Path, disk: Disk) -> None:
    database = SqliteDatabase(f"sqlite:///{tmp_path / 'a.db'}")
    await database.write(lambda connection: connection.execute(text("CREATE TABLE t (x BLOB)")))
    await database.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 4"))
    with pytest.raises(StorageUnavailable, match="the database's disk is full"):
        await database.write(lambda connection: connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))")))
    assert disk.full
    await database.close()


@pytest.mark.parametrize(
    ("code", "full"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_WRITE, True),
        (sqlite3.SQLITE_IOERR_SHMSIZE, True),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_BUSY, False),
        (sqlite3.SQLITE_CORRUPT, False),
    ],
)
def test_which_errors_of_sqlite_mean_it(code: int, full: bool) -> None:
    error = sqlite3.OperationalError()
    error.sqlite_errorcode = code
    assert is_full_disk(error) is full


def test_which_errors_of_postgresql_mean_it() -> None:
    assert is_full_disk(FakePostgresError("53100"))
    assert not is_full_disk(FakePostgresError("53200"))  # out of memory
    assert not is_full_disk(OSError())
