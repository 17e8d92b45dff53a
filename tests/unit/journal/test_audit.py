"""T9: 500 random mutations of the audit tables; each is found, or lies after the last head and is reported so."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import shutil
import sqlite3
import stat
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from strongroom.domain.record import AuditOutcome
from strongroom.errors import ConfigurationError
from strongroom.journal.audit import GENESIS, AuditChain, Head, record_mac, register
from strongroom.journal.heads import FileHeads, HeadsWriter, LogHeads, read_heads
from strongroom.journal.verify import Report, verify
from strongroom.storage.base import Unit
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from strongroom.telemetry.logging import flush
from tests.support import rows
from tests.support.rows import NOW
from tests.unit.journal.conftest import AUTHENTICITY, WatchedStorage

KEY = AUTHENTICITY.audit_key
WRITERS, RECORDS, ANCHORED = 3, 12, 9
MUTATIONS = 500


def test_a_record_by_hand() -> None:
    entry = rows.entry(operation_id=UUID(int=5), outcome=AuditOutcome.DENIED, wallet_id=None, details='{"é":1}')
    texts = [b"transactions.sign", b"denied", b"ethereum", b"request-0", b"127.0.0.1", '{"é":1}'.encode()]
    row = (
        UUID(int=4).bytes
        + struct.pack(">qq", 3, 1767323045678901)
        + entry.tenant_id.bytes
        + entry.principal_id.bytes
        + UUID(int=5).bytes
        + b"\0" + bytes(16)  # no wallet
        + b"\1"
        + b"".join(struct.pack(">I", len(text)) for text in texts)
        + b"".join(texts)
    )  # fmt: skip
    expected = hmac.new(KEY, b"p" * 32 + row, hashlib.sha256).digest()
    assert record_mac(KEY, b"p" * 32, UUID(int=4), 3, entry) == expected


async def _fill(storage: SqlStorage) -> list[Head]:
    heads = []
    for writer in range(WRITERS):
        chain = await register(storage, KEY, f"host-{writer}")
        heads.append(chain.head(NOW))
        for n in range(RECORDS):
            wallet_id = None if n % 4 == 0 else UUID(int=n)
            records = chain.extend([rows.entry(n, wallet_id=wallet_id, network=None if n % 3 == 0 else "ethereum")])
            await storage.apply([Unit(rows=records)])
            chain.advance(records[-1])
            if n + 1 == ANCHORED:
                heads.append(chain.head(NOW))
    return heads


async def _open(path: Path) -> SqlStorage:
    database = open_database(f"sqlite:///{path}")
    await migrate(database)
    return SqlStorage(database, AUTHENTICITY)


async def _verify(path: Path, heads: list[Head]) -> Report:
    storage = SqlStorage(open_database(f"sqlite:///{path}"), AUTHENTICITY)
    try:
        return await verify(storage, KEY, heads)
    finally:
        await storage.close()


class Vandal:
    """Somebody with the file, who knows everything but the key."""

    def __init__(self, dice: random.Random, connection: sqlite3.Connection) -> None:
        self._dice = dice
        self._connection = connection
        self.columns = [row[1] for row in connection.execute("PRAGMA table_info(audit)")]
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")

    def mutate(self) -> int | None:
        """The sequence of the first record that is missing, where the end of a chain was cut off; else None."""
        kinds: list[Callable[[], int | None]] = [
            self._edit, self._edit, self._edit, self._edit_writer, self._delete, self._swap, self._truncate,
            self._insert, self._insert_foreign, self._drop_writer, self._copy_over,
        ]  # fmt: skip
        return self._dice.choice(kinds)()

    def _record(self) -> tuple[bytes, int]:
        found: tuple[bytes, int] = self._dice.choice(
            self._connection.execute("SELECT writer_id, sequence FROM audit").fetchall()
        )
        return found

    def _writer(self) -> bytes:
        return bytes(self._dice.choice(self._connection.execute("SELECT id FROM audit_writers").fetchall())[0])

    def _other(self, value: object) -> object:
        if value is None:
            return self._dice.choice([b"\1" * 16, "x", ""])
        if isinstance(value, int):
            return value + 1000
        if isinstance(value, bytes):
            place = self._dice.randrange(len(value))
            return value[:place] + bytes([value[place] ^ 1 << self._dice.randrange(8)]) + value[place + 1 :]
        assert isinstance(value, str)
        return self._dice.choice([value + "x", value[:-1], value.replace("2", "3") + " ", ""])

    def _edit(self) -> None:
        place, column = self._record(), self._dice.choice(self.columns)
        where = "WHERE writer_id = ? AND sequence = ?"
        (old,) = self._connection.execute(f'SELECT "{column}" FROM audit {where}', place).fetchone()
        self._connection.execute(f'UPDATE audit SET "{column}" = ? {where}', (self._other(old), *place))

    def _edit_writer(self) -> None:
        writer, column = self._writer(), self._dice.choice(["id", "ordinal", "started_at", "host", "mac"])
        (old,) = self._connection.execute(f"SELECT {column} FROM audit_writers WHERE id = ?", (writer,)).fetchone()
        self._connection.execute(f"UPDATE audit_writers SET {column} = ? WHERE id = ?", (self._other(old), writer))

    def _delete(self) -> int | None:
        writer, sequence = self._record()
        self._connection.execute("DELETE FROM audit WHERE writer_id = ? AND sequence = ?", (writer, sequence))
        return sequence if sequence == RECORDS else None

    def _swap(self) -> None:
        writer, sequence = self._record()
        other = sequence % RECORDS + 1
        for old, new in ((sequence, -1), (other, sequence), (-1, other)):
            self._connection.execute(
                "UPDATE audit SET sequence = ? WHERE writer_id = ? AND sequence = ?", (new, writer, old)
            )

    def _truncate(self) -> int:
        writer, sequence = self._record()
        self._connection.execute("DELETE FROM audit WHERE writer_id = ? AND sequence >= ?", (writer, sequence))
        return sequence

    def _insert(self) -> None:
        self._copy({"sequence": self._dice.choice([-5, 0, RECORDS + 1, RECORDS + 7])})

    def _insert_foreign(self) -> None:
        self._copy({"writer_id": bytes(16)})

    def _copy(self, new: dict[str, object]) -> None:
        columns = ", ".join("?" if column in new else f'"{column}"' for column in self.columns)
        self._connection.execute(
            f"INSERT INTO audit SELECT {columns} FROM audit WHERE writer_id = ? AND sequence = ?",
            (*new.values(), *self._record()),
        )

    def _drop_writer(self) -> None:
        writer = self._writer()
        self._connection.execute("DELETE FROM audit WHERE writer_id = ?", (writer,))
        if self._dice.random() < 0.8:
            self._connection.execute("DELETE FROM audit_writers WHERE id = ?", (writer,))

    def _copy_over(self) -> None:
        """One record in another's place, its MAC and all."""
        (writer, sequence), (other, _) = self._record(), self._record()
        columns = [name for name in self.columns if name not in ("writer_id", "sequence")]
        for column in columns:
            self._connection.execute(
                f"UPDATE audit SET {column} = (SELECT o.{column} FROM audit o WHERE o.writer_id = ? AND o.sequence = ?)"
                " WHERE writer_id = ? AND sequence = ?",
                (other, sequence % RECORDS + 1, writer, sequence),
            )


async def test_500_mutations_are_found(tmp_path: Path) -> None:
    storage = await _open(tmp_path / "test.db")
    heads = await _fill(storage)
    report = await verify(storage, KEY, heads)
    assert report.ok
    assert (report.writers, report.records) == (WRITERS, WRITERS * RECORDS)
    assert report.unanchored == WRITERS * (RECORDS - ANCHORED)
    dice = random.Random(9)
    missed, beyond = [], 0
    original, connection = sqlite3.connect(":memory:"), sqlite3.connect(tmp_path / "test.db")
    connection.execute("PRAGMA synchronous = OFF")
    connection.backup(original)
    for number in range(MUTATIONS):
        cut = Vandal(dice, connection).mutate()
        connection.commit()
        changed = await verify(storage, KEY, heads)
        original.backup(connection)
        if cut is not None and cut > ANCHORED:
            beyond += 1  # nobody can know; but what is left there is said to be unanchored
            assert changed.ok
            assert changed.unanchored == report.unanchored - (RECORDS - cut + 1)
        elif changed.ok:
            missed.append(number)
    original.close()
    connection.close()
    await storage.close()
    assert missed == []
    assert 0 < beyond < MUTATIONS / 5


async def test_an_older_copy_of_the_database_is_found(tmp_path: Path) -> None:
    original, copy = tmp_path / "original.db", tmp_path / "copy.db"
    storage = await _open(original)
    chain = await register(storage, KEY, "host")
    await _write(storage, chain, 3)
    await storage.close()
    shutil.copyfile(original, copy)
    storage = await _open(original)
    await _write(storage, chain, 1)
    await storage.close()
    head = chain.head(NOW)
    assert (await _verify(original, [head])).ok
    assert [each.kind for each in (await _verify(copy, [head])).findings] == ["head_missing"]


async def test_a_whole_chain_that_goes_with_its_writer_is_found_by_its_first_head(tmp_path: Path) -> None:
    storage = await _open(tmp_path / "test.db")
    first, last = await register(storage, KEY, "host"), await register(storage, KEY, "host")
    heads = [first.head(NOW), last.head(NOW)]
    await storage.close()
    with sqlite3.connect(tmp_path / "test.db") as connection:
        connection.execute("DROP TRIGGER audit_writers_no_delete")
        connection.execute("DELETE FROM audit_writers WHERE ordinal = 2")
    connection.close()
    assert [each.kind for each in (await _verify(tmp_path / "test.db", heads)).findings] == ["writer_missing"]
    assert [each.kind for each in (await _verify(tmp_path / "test.db", [])).findings] == ["no_heads"]


async def test_another_key_verifies_nothing(storage: WatchedStorage) -> None:
    chain = await register(storage, KEY, "host")
    await _write(storage, chain, 1)
    report = await verify(storage, b"x" * 32)
    assert [each.kind for each in report.findings] == ["writer_changed", "record_changed"]


async def test_two_heads_that_contradict_each_other_are_found(storage: WatchedStorage) -> None:
    chain = await register(storage, KEY, "host")
    head = chain.head(NOW)
    report = await verify(storage, KEY, [head, Head(NOW, head.writer_id, 0, GENESIS)])
    assert [each.kind for each in report.findings] == ["head_differs"]


async def test_writers_that_begin_at_once_are_one_chain(storage: WatchedStorage) -> None:
    await asyncio.gather(*[register(storage, KEY, "host") for _ in range(5)])
    assert [writer.ordinal for writer in await storage.audit_writers()] == [1, 2, 3, 4, 5]
    assert (await verify(storage, KEY)).ok


async def test_heads_are_written_at_start_when_moved_and_at_the_end(storage: WatchedStorage, tmp_path: Path) -> None:
    path = tmp_path / "heads"
    chain = await register(storage, KEY, "host")
    writer = HeadsWriter(lambda: chain.head(datetime.now(UTC)), FileHeads(path), interval=0.01)
    await writer.start()
    await asyncio.sleep(0.05)
    await _write(storage, chain, 2)
    await asyncio.sleep(0.1)
    await _write(storage, chain, 1)
    await writer.close()
    heads = _read(path)
    assert [head.sequence for head in heads] in ([0, 2, 3], [0, 3])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (await verify(storage, KEY, heads)).ok


def test_a_torn_line_is_left_out_and_not_built_on(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    heads = [Head(NOW, UUID(int=n), n, bytes([n]) * 32) for n in range(3)]
    FileHeads(path).append(heads[0])
    with path.open("a") as file:
        file.write('{"at": "20')
    assert _read(path) == heads[:1]
    FileHeads(path).append(heads[1])
    with pytest.raises(ConfigurationError, match="line 2"):
        _read(path)


def test_heads_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    LogHeads().append(Head(NOW, UUID(int=7), 3, b"m" * 32))
    flush(60)
    line = capfd.readouterr().out
    assert "audit.head" in line
    assert (b"m" * 32).hex() in line


async def test_a_sink_that_is_full_stops_nothing(storage: WatchedStorage, tmp_path: Path) -> None:
    chain = await register(storage, KEY, "host")
    writer = HeadsWriter(lambda: chain.head(NOW), FileHeads(tmp_path / "missing" / "heads"))
    await writer.start()
    await writer.close()


async def _write(storage: SqlStorage, chain: AuditChain, count: int) -> None:
    records = chain.extend(rows.entry(n) for n in range(count))
    await storage.apply([Unit(rows=records)])
    chain.advance(records[-1])


def _read(path: Path) -> list[Head]:
    with path.open() as lines:
        return read_heads(lines)
