"""Writes a group to PostgreSQL as one statement, which is a transaction of its own. It takes one round trip instead of
seven.

Each part of the group is a common table expression over `unnest` of arrays, one array per column. The text of the
statement therefore depends on which parts there are, not on the number of rows, and the server plans it once. If a part
does not find every row that it expects, the statement divides by zero and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Column
from sqlalchemy.dialects import postgresql

from strongroom.domain.record import HeldGuard
from strongroom.domain.wallet import Address
from strongroom.storage import tables
from strongroom.storage.mapping import KIND_OF, Kind
from strongroom.storage.parts import PARTS, Part, equal, names

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


class Connection(Protocol):
    """`direct.DirectConnection`."""

    async def fetch(self, statement: str, arguments: Sequence[object]) -> Sequence[Any]: ...


class OneStatement:
    """Implements `database.Direct`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._texts: dict[tuple[str, ...], str] = {}

    async def ping(self) -> None:
        await self._connection.fetch("SELECT 1", [])

    async def commit(self, parts: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        arguments: list[Sequence[Any]] = []
        for rows in parts.values():
            arguments += zip(*rows, strict=True)
        await self._connection.fetch(self._text(tuple(parts)), arguments)

    async def secrets_and_wallets(self, wallet_ids: Sequence[UUID]) -> Sequence[Sequence[Any]]:
        return await self._connection.fetch(_SECRETS_AND_WALLETS, [wallet_ids])

    async def standing(self, of: type, keys: Sequence[tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        return await self._connection.fetch(_STANDING[of], list(zip(*keys, strict=True)))

    def _text(self, of: tuple[str, ...]) -> str:
        text = self._texts.get(of)
        if text is None:
            text = self._texts[of] = _statement([PARTS[name] for name in of])
        return text


def _statement(parts: Sequence[Part]) -> str:
    numbers = count(1)
    expressions, checks = [], []
    for n, part in enumerate(parts):
        placed = [f"${next(numbers)}::{_type(column)}[]" for column in part.columns]
        given = f"unnest({', '.join(placed)}) AS g ({', '.join(f'c{n}' for n in range(len(placed)))})"
        sql = part.sql(given) + (" RETURNING 1" if part.changes else "")
        expressions.append(f"p{n} AS ({sql}{part.lock})")
        if part.counted:
            checks.append(f"(SELECT count(*) FROM p{n}) = cardinality({placed[0]})")
    result = f"1 / CASE WHEN {' AND '.join(checks)} THEN 1 ELSE 0 END" if checks else "1"
    return f"WITH {', '.join(expressions)} SELECT {result}"


def _type(column: Column[Any]) -> str:
    return column.type.compile(_DIALECT)


def _lookup(kind: Kind) -> str:
    columns = [kind.table.c[name] for name in kind.keys[0]]
    given = ", ".join(f"${n}::{_type(column)}[]" for n, column in enumerate(columns, 1))
    keys = ", ".join(f"c{n}" for n in range(len(columns)))
    cells = names(kind.table, "t")
    return f"SELECT {cells} FROM unnest({given}) AS g ({keys}) JOIN {kind.table.name} t ON {equal(columns)}"


_STANDING: Final[dict[type, str]] = {of: _lookup(KIND_OF[of]) for of in (HeldGuard, Address)}
_SECRETS_AND_WALLETS: Final = (
    f"SELECT {names(tables.secrets, 's')}, {names(tables.wallets, 'w')} "
    "FROM unnest($1::uuid[]) AS g (id) JOIN secrets s ON s.wallet_id = g.id "
    "JOIN wallets w ON w.id = s.wallet_id ORDER BY s.version"
)
