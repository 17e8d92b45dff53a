"""Writes a group to SQLite as one short transaction with one statement per part.

SQLite releases the interpreter's lock at every step of a statement. If the event loop is busy, the thread waits up to
the switch interval to get the lock back. So the event loop prepares everything, and the thread only executes the
statements. The rows of a part are one `VALUES` list. Its text is cached for each power of two, and a `LIMIT` cuts off
the rows that only fill it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Dialect, LargeBinary, Select, Table, select, tuple_
from sqlalchemy.types import TypeEngine

from strongroom.storage import tables
from strongroom.storage.column_types import Id
from strongroom.storage.mapping import KIND_OF, fetch
from strongroom.storage.parts import PARTS, Part
from strongroom.storage.writes import SECRETS_AND_WALLETS

T = TypeVar("T")

_PADDING: Final = (0,)
"""Fills up the last rows of `VALUES`. An int, because `sqlite3` searches for an adapter for None."""


class Statement(NamedTuple):
    text: str
    parameters: tuple[Any, ...]
    touches: int | None
    """Number of rows that it must change or count. None: it has succeeded if it does not raise."""


class Database(Protocol):
    """`sqlite.SqliteDatabase`."""

    @property
    def dialect(self) -> Dialect: ...

    async def read(self, work: Callable[[Connection], T]) -> T: ...

    async def commit(self, statements: Sequence[Statement]) -> None: ...


class FewStatements:
    """Implements `database.Direct`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._parts = {name: _Prepared(part, database.dialect) for name, part in PARTS.items()}

    async def ping(self) -> None:
        """A commit opens nothing here that a read does not use."""

    async def commit(self, parts: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        await self._database.commit([self._parts[name].statement(rows) for name, rows in parts.items()])

    async def secrets_and_wallets(self, wallet_ids: Sequence[UUID]) -> Sequence[Sequence[Any]]:
        return await self._read(tables.secrets, SECRETS_AND_WALLETS.params(wallet_ids=wallet_ids))

    async def standing(self, of: type, keys: Sequence[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        kind = KIND_OF[of]
        query = select(kind.table).where(tuple_(*[kind.table.c[name] for name in kind.keys[0]]).in_(keys))
        return await self._read(kind.table, query)

    async def _read(self, of: Table, query: Select[Any]) -> Sequence[Sequence[Any]]:
        def work(connection: Connection) -> Sequence[Sequence[Any]]:
            return fetch(connection, of, query)

        return await self._database.read(work)


class _Prepared:
    """A part, with its texts by number of rows."""

    def __init__(self, part: Part, dialect: Dialect) -> None:
        self._part = part
        self._texts: dict[int, str] = {}
        self._to_driver = [
            (place, process)
            for place, column in enumerate(part.columns)
            if (process := _process(column.type, dialect)) is not None
        ]

    def statement(self, rows: Sequence[tuple[Any, ...]]) -> Statement:
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, process in self._to_driver:
            columns[place] = [None if value is None else process(value) for value in columns[place]]
        size = 1 << (len(rows) - 1).bit_length()
        padding = _PADDING * (len(columns) * (size - len(rows)))
        parameters = (*chain.from_iterable(zip(*columns, strict=True)), *padding, len(rows))
        return Statement(self._text(size), parameters, len(rows) if self._part.counted else None)

    def _text(self, size: int) -> str:
        text = self._texts.get(size)
        if text is None:
            text = self._texts[size] = self._made(size)
        return text

    def _made(self, size: int) -> str:
        width = len(self._part.columns)
        cells = ", ".join(f"column{n + 1} AS c{n}" for n in range(width))
        values = ", ".join([f"({', '.join('?' * width)})"] * size)
        made = self._part.sql(f"(SELECT {cells} FROM (VALUES {values}) LIMIT ?) AS g")
        made = made.replace("IS NOT DISTINCT FROM", "IS")  # for SQLite before 3.39
        return made if self._part.changes or not self._part.counted else f"SELECT count(*) FROM ({made})"


def _process(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Returns the conversion of a value for the driver, or None if there is none. Bytes become a `bytearray`, because
    `sqlite3` searches for adapters for bytes, which takes half as long as inserting the row.
    """
    process: Callable[[Any], Any] | None = type_.dialect_impl(dialect).bind_processor(dialect)
    if isinstance(type_, LargeBinary):
        return bytearray
    if isinstance(type_, Id):
        return lambda value: bytearray(value.bytes)
    return process
