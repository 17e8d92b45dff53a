"""Statements over many rows at once.

Each is compiled once for every power of two, and run as few times as the number of rows allows. SQLite releases the
interpreter's lock at every step of a statement, and getting it back beside a busy event loop takes milliseconds. 64
rows in one INSERT are one step, with `executemany` they are 64. On PostgreSQL they are one round trip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    bindparam,
    column,
    insert,
    select,
    update,
    values,
)
from sqlalchemy.sql.compiler import SQLCompiler

_MOST: Final = 256

Cells = list[dict[str, ColumnElement[Any]]]
"""The parameters of the rows, by column."""


class Bulk:
    """``make`` gives the statement for a number of rows. A row's values are in the order of ``columns``."""

    def __init__(self, dialect: Dialect, columns: dict[str, Any], make: Callable[[Cells], ClauseElement]) -> None:
        self._dialect = dialect
        self._columns = columns
        self._make = make
        self._texts: dict[int, str] = {}
        bind = [type_.dialect_impl(dialect).bind_processor(dialect) for type_ in columns.values()]
        if dialect.name == "sqlite":  # which takes bytes as they are
            bind = [
                None if type_.python_type is bytes else each for type_, each in zip(columns.values(), bind, strict=True)
            ]
        self._processors = [(place, process) for place, process in enumerate(bind) if process is not None]

    def bind(self, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them, converted column by column because that is fastest."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, process in self._processors:
            columns[place] = [None if value is None else process(value) for value in columns[place]]
        return list(zip(*columns, strict=True))

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Runs the statement for rows that are bound. Returns how many rows of the table it touched."""
        start = touched = 0
        while start < len(rows):
            size = min(_MOST, 1 << ((len(rows) - start).bit_length() - 1))
            parameters = tuple(chain.from_iterable(rows[start : start + size]))
            touched += connection.exec_driver_sql(self._text(size), parameters).rowcount
            start += size
        return touched

    def _text(self, size: int) -> str:
        text = self._texts.get(size)
        if text is None:
            text = self._texts[size] = self._compile(size)
        return text

    def _compile(self, size: int) -> str:
        if self._dialect.name == "sqlite" and size > 1:  # SQLAlchemy takes half a second to compile 256 rows
            row = f"({', '.join('?' * len(self._columns))})"
            if (one := self._text(1)).count(row) == 1:
                return one.replace(row, ", ".join([row] * size))
        cells: Cells = [
            {name: bindparam(f"{name}_{row}", type_=type_) for name, type_ in self._columns.items()}
            for row in range(size)
        ]
        compiled = self._make(cells).compile(dialect=self._dialect)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup == [f"{name}_{row}" for row in range(size) for name in self._columns]
        return str(compiled)


def bulk_insert(dialect: Dialect, table: Table) -> Bulk:
    """An INSERT. The columns are in the order of the table."""
    return Bulk(dialect, {column.name: column.type for column in table.columns}, insert(table).values)


def bulk_update(dialect: Dialect, table: Table, where: Sequence[str], names: Sequence[str]) -> Bulk:
    """An UPDATE that sets ``names`` where the columns ``where`` are as given. The values of ``where`` come first."""
    columns = {
        **{f"old_{name}": table.c[name].type for name in where},
        **{f"new_{name}": table.c[name].type for name in names},
    }

    def make(cells: Cells) -> ClauseElement:
        # The table expression is inside the subquery and not before the UPDATE, because sqlite3 counts rows only for
        # statements that begin with UPDATE.
        data = values(*[column(name, type_) for name, type_ in columns.items()], name="data")
        rows = data.data([tuple(row.values()) for row in cells]).cte("data", nesting=True)
        given = select(rows).subquery("given")
        matches = [table.c[name].is_not_distinct_from(given.c[f"old_{name}"]) for name in where[1:]]
        return (
            update(table)
            .where(table.c[where[0]] == given.c[f"old_{where[0]}"], *matches)
            .values({name: given.c[f"new_{name}"] for name in names})
        )

    return Bulk(dialect, columns, make)
