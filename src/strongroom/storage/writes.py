"""What `apply` does inside its transaction.

First everything is simply inserted, by one prepared statement a table. Only where that meets a row which exists is it
done again with a look at what is there, to say whose fault it was. Within a transaction the order is: guards that are
given up, new rows, changes and moves, and last the rows that may exist already, so that a unit which relies on a
guard never counts one that another unit of the batch gives away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Dialect, bindparam, delete, null, select, tuple_, update

from strongroom.domain.record import HeldGuard
from strongroom.domain.wallet import Address
from strongroom.storage import tables
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Change, Conflict, MoveGuard, Row, Unit
from strongroom.storage.mapping import KIND_OF, KINDS, Key, Kind, Prepared, amend, insert_into, names_of
from strongroom.telemetry.alarms import integrity_alarm

_C = TypeVar("_C", Change, MoveGuard)
_KEYS_A_QUERY = 1000
_GUARD = KIND_OF[HeldGuard]
_GUARD_KEY = _GUARD.keys[0]
_FIXED = names_of(tables.addresses, "label", "external_id", "created_at", "mac")


class Lost(Exception):  # noqa: N818
    """Rolls the transaction back."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__()
        self.conflicts = conflicts


class Writes:
    """The statements of one database, compiled once."""

    def __init__(self, dialect: Dialect, authenticity: Authenticity) -> None:
        self.authenticity = authenticity
        self._dialect = dialect
        guards = tables.guards
        self.inserts = {kind.of: insert_into(dialect, kind.table) for kind in KINDS}
        self.release = Prepared(dialect, delete(guards).where(guards.c.operation_id == bindparam("id")))
        self.unmark = Prepared(
            dialect, update(guards).where(guards.c.replaced_by == bindparam("id")).values(replaced_by=null())
        )
        self.move = Prepared(
            dialect,
            update(guards)
            .where(*[guards.c[name] == bindparam(f"old_{name}") for name in _GUARD_KEY])
            .values({name: bindparam(name) for name in names_of(guards, *_GUARD_KEY)}),
        )
        self._changes: dict[tuple[type, Key], Prepared] = {}

    def change(self, kind: Kind, names: Key) -> Prepared:
        statement = self._changes.get((kind.of, names))
        if statement is None:
            statement = Prepared(
                self._dialect,
                update(kind.table)
                .where(kind.table.c.id == bindparam("old_id"))
                .values({name: bindparam(name) for name in names}),
            )
            self._changes[kind.of, names] = statement
        return statement

    def apply(self, connection: Connection, units: Sequence[Unit], *, look: bool) -> Applied:
        """Raises Lost, and SQLAlchemy's IntegrityError where a row is in the way and ``look`` was not asked for."""
        return _Transaction(self, connection, units, look).run()


class _Entry(NamedTuple):
    unit: int
    row: Row
    values: tuple[Any, ...]


class _Transaction:
    def __init__(self, writes: Writes, connection: Connection, units: Sequence[Unit], look: bool) -> None:
        self._writes = writes
        self._connection = connection
        self._units = units
        self._look = look
        self._lost: dict[int, tuple[Conflict, int | None]] = {}
        """By unit: its conflict, and the unit of this batch that was in the way, if it was one."""
        self._present: list[tuple[int, Row]] = []

    def run(self) -> Applied:
        self._release()
        self._insert([(n, row) for n, unit in enumerate(self._units) for row in unit.rows], same=False)
        self._change()
        self._move()
        self._insert([(n, row) for n, unit in enumerate(self._units) for row in unit.same], same=True)
        if self._lost:
            # Who lost to a unit that lost itself is not to blame: it is tried again.
            raise Lost([conflict for conflict, to in self._lost.values() if to is None or to not in self._lost])
        return Applied(present=self._present)

    def _lose(self, unit: int, cause: Row | Change | MoveGuard, found: Row | None, to: int | None = None) -> None:
        self._lost.setdefault(unit, (Conflict(unit, cause, found), to))

    def _release(self) -> None:
        given_up = [{"id": release.operation_id} for unit in self._units for release in unit.releases]
        if given_up:
            self._writes.release.run(self._connection, given_up)
            self._writes.unmark.run(self._connection, given_up)

    def _insert(self, rows: Sequence[tuple[int, Row]], *, same: bool) -> None:
        by_type: dict[type, list[_Entry]] = defaultdict(list)
        for unit, row in rows:
            values = KIND_OF[type(row)].values(row, self._writes.authenticity)
            by_type[type(row)].append(_Entry(unit, row, values))
        for kind in KINDS:
            entries = by_type.get(kind.of, [])
            if entries and self._look:
                entries = self._sift(kind, entries, same=same)
            if entries and not self._lost:
                take = kind.key_of(kind.keys[0])
                in_order = sorted([entry.values for entry in entries], key=take)
                self._writes.inserts[kind.of].run_values(self._connection, in_order)

    def _sift(self, kind: Kind, entries: Sequence[_Entry], *, same: bool) -> list[_Entry]:
        """Those of ``entries`` that are to be inserted: none like it is there, and its unit has not lost."""
        there: dict[Key, dict[tuple[Any, ...], tuple[Row, int | None]]] = {}
        for key in kind.keys:
            take = kind.key_of(key)
            wanted = {take(entry.values) for entry in entries}
            there[key] = {k: (row, None) for k, row in self._find(kind, key, wanted, lock=same).items()}
        kept = []
        for entry in entries:
            if entry.unit in self._lost:
                continue
            met = self._met(kind, entry, there)
            if met is None:
                kept.append(entry)
                for key in kind.keys:
                    there[key][kind.key_of(key)(entry.values)] = (entry.row, entry.unit)
            elif same and _is_same(entry.row, met[0]):
                self._present.append((entry.unit, met[0]))
            else:
                self._lose(entry.unit, entry.row, *met)
        return kept

    def _met(
        self, kind: Kind, entry: _Entry, there: dict[Key, dict[tuple[Any, ...], tuple[Row, int | None]]]
    ) -> tuple[Row, int | None] | None:
        for key in kind.keys:
            value = kind.key_of(key)(entry.values)
            met = None if None in value else there[key].get(value)  # NULL is unlike NULL
            if met is not None and met[1] not in self._lost:
                return met
        return None

    def _find(self, kind: Kind, key: Key, wanted: set[tuple[Any, ...]], *, lock: bool) -> dict[tuple[Any, ...], Row]:
        columns = [kind.table.c[name] for name in key]
        ordered = sorted(value for value in wanted if None not in value)
        found: dict[tuple[Any, ...], Row] = {}
        for start in range(0, len(ordered), _KEYS_A_QUERY):
            part = ordered[start : start + _KEYS_A_QUERY]
            query = select(kind.table).where(tuple_(*columns).in_(part)).order_by(*columns)
            for row in self._connection.execute(query.with_for_update() if lock else query):
                value = tuple(row._mapping[name] for name in key)
                found[value] = kind.load(row, self._writes.authenticity)
        return found

    def _change(self) -> None:
        shapes: dict[tuple[type, Key, Key], list[tuple[int, Change]]] = defaultdict(list)
        changed: dict[tuple[type, object], int] = {}
        for unit, change in self._each(Change):
            earlier = changed.setdefault((change.of, change.id), unit)
            if earlier != unit:
                self._lose(unit, change, None, earlier)
            else:
                shapes[change.of, tuple(change.expect), tuple(change.set)].append((unit, change))
        for (of, expected, _), changes in shapes.items():
            self._change_alike(KIND_OF[of], expected, changes)

    def _change_alike(self, kind: Kind, expected: Key, changes: Sequence[tuple[int, Change]]) -> None:
        id_ = kind.table.c.id
        columns = list(kind.table.c) if kind.amended_whole else [id_, *[kind.table.c[name] for name in expected]]
        query = select(*columns).where(id_.in_(sorted(change.id for _, change in changes))).order_by(id_)
        rows = {row.id: row for row in self._connection.execute(query.with_for_update())}
        updates: list[dict[str, Any]] = []
        for unit, change in changes:
            row = rows.get(change.id)
            if row is None or any(row._mapping[name] != value for name, value in change.expect.items()):
                self._lose(unit, change, self._as_it_stands(kind, change))
            else:
                updates.append({"old_id": change.id, **amend(kind, row, change.set, self._writes.authenticity)})
        if updates and not self._lost:
            names = tuple(name for name in updates[0] if name != "old_id")
            self._writes.change(kind, names).run(self._connection, updates)

    def _as_it_stands(self, kind: Kind, change: Change) -> Row | None:
        row = self._connection.execute(select(kind.table).where(kind.table.c.id == change.id)).first()
        found: Row | None = None if row is None else kind.load(row, self._writes.authenticity)
        return found

    def _move(self) -> None:
        moves = [(unit, move, _guard_key(move.held)) for unit, move in self._each(MoveGuard)]
        if not moves:
            return
        held = self._find(_GUARD, _GUARD_KEY, {key for _, _, key in moves}, lock=True)
        updates: list[dict[str, Any]] = []
        for unit, move, key in moves:
            if held.get(key) != move.held:
                self._lose(unit, move, held.get(key))
                continue
            held[key] = move.to
            new = dict(zip(_GUARD.names, _GUARD.values(move.to, self._writes.authenticity), strict=True))
            updates.append({f"old_{name}" if name in _GUARD_KEY else name: value for name, value in new.items()})
        if updates and not self._lost:
            self._writes.move.run(self._connection, updates)

    def _each(self, of: type[_C]) -> list[tuple[int, _C]]:
        """The changes of one type whose unit has not lost."""
        return [
            (n, change)
            for n, unit in enumerate(self._units)
            if n not in self._lost
            for change in unit.changes
            if isinstance(change, of)
        ]


def _guard_key(held: HeldGuard) -> tuple[str, str, str, str]:
    guard = held.guard
    return (guard.keyspace, guard.chain_id, guard.address, guard.sequence)


def _is_same(row: Row, there: Row) -> bool:
    if isinstance(row, HeldGuard) and isinstance(there, HeldGuard):
        return row.guard == there.guard
    assert isinstance(row, Address)
    assert isinstance(there, Address)
    if _fixed(row) == _fixed(there):
        return True
    integrity_alarm("address", tenant_id=there.tenant_id, account_id=there.account_id, index=there.index)
    return False


def _fixed(address: Address) -> tuple[object, ...]:
    """All but what a caller said of it and when."""
    return tuple(getattr(address, name) for name in _FIXED)
