"""Whole tables, a page at a time, for verification and for giving old rows their MACs once.

Unlike other reads these do not stop at a row that was tampered with. They report it and go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Select, select, tuple_
from sqlalchemy import Row as SqlRow

from strongroom.domain.record import AuditRecord, Floor
from strongroom.errors import IntegrityError
from strongroom.storage.base import Row, Scanned
from strongroom.storage.bulk import bulk_update
from strongroom.storage.mapping import KIND_OF, KINDS, Kind
from strongroom.storage.reads import Reads
from strongroom.storage.tables import audit, is_mark
from strongroom.telemetry.alarms import integrity_alarm

R = TypeVar("R", bound=Row)

_KINDS: Final = {kind.table.name: kind for kind in KINDS}
_UNREADABLE: Final = (ValueError, TypeError, AttributeError, OverflowError)
_AT_ONCE: Final = 500


class Scans(Reads):
    async def scan(self, table: str, after: str | None, limit: int) -> Scanned:
        kind = _KINDS[table]
        query = _page(kind, after, limit)
        return await self._database.scan(partial(self._scanned, kind=kind, query=query, limit=limit))

    def _scanned(self, connection: Connection, kind: Kind, query: Select[Any], limit: int) -> Scanned:
        found = _readable(connection, query, limit)
        rows: list[Row] = []
        broken: list[str] = []
        last: str | None = None
        for row in found:
            if row is None:
                integrity_alarm("row", table=kind.table.name)
                broken.append("unreadable")
                continue
            last = _key_text(kind, row)
            loaded = self._load(kind, row)
            if loaded is None:
                broken.append(last)
            else:
                rows.append(loaded)
        return Scanned(rows, broken, last if len(found) == limit else None)

    def _load(self, kind: Kind, row: SqlRow[Any]) -> Row | None:
        """The row, or None after the alarm if it was tampered with."""
        try:
            loaded: Row = kind.load(row, self._authenticity)
        except IntegrityError:
            return None
        except _UNREADABLE:
            integrity_alarm("row", table=kind.table.name)
            return None
        return loaded

    async def find(self, of: type[R], names: tuple[str, ...], values: Sequence[tuple[object, ...]]) -> list[R]:
        kind = KIND_OF[of]
        columns = [kind.table.c[name] for name in names]
        wanted = list(dict.fromkeys(values))

        def work(connection: Connection) -> list[R]:
            found: list[Any] = []
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                one = columns[0].in_([value[0] for value in part])
                query = select(kind.table).where(one if len(columns) == 1 else tuple_(*columns).in_(part))
                found += [row for row in _readable(connection, query, None) if row is not None]
            return [loaded for row in found if (loaded := self._load(kind, row)) is not None]  # type: ignore[misc]

        return await self._database.scan(work)

    async def marks(self, operation: str) -> list[AuditRecord]:
        query = select(audit).where(is_mark, audit.c.operation == operation)
        return await self._all(AuditRecord, query.order_by(audit.c.at, audit.c.writer_id, audit.c.sequence))

    async def floors(self) -> list[Floor]:
        table = KIND_OF[Floor].table
        return await self._all(Floor, select(table).order_by(table.c.accepted_at))

    async def authenticate(self, table: str, after: str | None, limit: int) -> tuple[int, str | None]:
        kind = _KINDS[table]
        return await self._database.write(partial(self._authenticate, kind=kind, after=after, limit=limit))

    def _authenticate(
        self, connection: Connection, kind: Kind, after: str | None, limit: int
    ) -> tuple[int, str | None]:
        key = kind.keys[0]
        found = connection.execute(_page(kind, after, limit).with_for_update()).all()
        bare = [row for row in found if not self._authenticity.holds(kind.table.name, row)]
        if bare:
            take = kind.key_of(key)
            update = bulk_update(self._database.dialect, kind.table, key, ("mac",))
            macs = [self._authenticity.row_mac(kind.table.name, row[:-1]) for row in bare]
            update.run(connection, update.bind([(*take(row), mac) for row, mac in zip(bare, macs, strict=True)]))
        return len(bare), _key_text(kind, found[-1]) if len(found) == limit else None


def _page(kind: Kind, after: str | None, limit: int) -> Select[Any]:
    columns = [kind.table.c[name] for name in kind.keys[0]]
    query = select(kind.table).order_by(*columns).limit(limit)
    if after is not None:
        place = _key_values(after)
        query = query.where(columns[0] > place[0] if len(columns) == 1 else tuple_(*columns) > tuple(place))
    return query


def _readable(connection: Connection, query: Select[Any], limit: int | None) -> list[SqlRow[Any] | None]:
    """The rows. None for each row with values that our types cannot hold, which SQLite allows."""
    try:
        return list(connection.execute(query).all())
    except _UNREADABLE:
        pass
    found: list[SqlRow[Any] | None] = []
    while limit is None or len(found) < limit:
        try:
            row = connection.execute(query.limit(1).offset(len(found))).first()
        except _UNREADABLE:
            found.append(None)
            continue
        if row is None:
            break
        found.append(row)
    return found


def _key_text(kind: Kind, row: SqlRow[Any]) -> str:
    return json.dumps([_tagged(value) for value in kind.key_of(kind.keys[0])(row)])


def _tagged(value: object) -> list[str]:
    if isinstance(value, UUID):
        return ["id", str(value)]
    if isinstance(value, datetime):
        return ["time", value.isoformat()]
    return ["number" if isinstance(value, int) else "text", str(value)]


_FROM_TEXT: Final[dict[str, Callable[[str], Any]]] = {
    "id": UUID,
    "time": datetime.fromisoformat,
    "number": int,
    "text": str,
}


def _key_values(text: str) -> list[Any]:
    return [_FROM_TEXT[kind](value) for kind, value in json.loads(text)]
