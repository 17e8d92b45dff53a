"""The database's clock in statements: PostgreSQL's own, and for SQLite, which has no server, this machine's."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from strongroom.storage.tables import Timestamp

_SQLITE_NOW: Final = "(CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"
"""Microseconds since 1970, to the millisecond. It is the same throughout a statement, as PostgreSQL's now() is."""


class from_now(FunctionElement[datetime]):  # noqa: N801 - it is written as a function
    """Now, or so many microseconds from now; NULL where that number is NULL."""

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
