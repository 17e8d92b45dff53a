"""The database's clock in statements. SQLite has no server, so there it is this machine's clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from strongroom.storage.column_types import Timestamp

_SQLITE_NOW: Final = "(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"
"""Microseconds since 1970, accurate to a millisecond. It is constant within a statement, like PostgreSQL's now()."""


class from_now(FunctionElement[datetime]):  # noqa: N801 - it is written as a function
    """Now, or a number of microseconds from now; NULL if that number is NULL."""

    inherit_cache = True
    type = Timestamp()


@compiles(from_now, "sqlite")
def _sqlite(element: from_now, compiler: SQLCompiler, **kw: Any) -> str:
    later = [compiler.process(each, **kw) for each in element.clauses]
    return f"({' + '.join([_SQLITE_NOW, *later])})"


@compiles(from_now, "postgresql")
def _postgresql(element: from_now, compiler: SQLCompiler, **kw: Any) -> str:
    later = [f"{compiler.process(each, **kw)} * interval '1 microsecond'" for each in element.clauses]
    return f"({' + '.join(['now()', *later])})"
