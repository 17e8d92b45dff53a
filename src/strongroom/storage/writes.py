"""What `apply` does inside its transaction.

At first everything is simply inserted, with one prepared statement per table. Only if that meets an existing row is it
done again, looking at what exists, to find the unit at fault. The order within a transaction is: released guards, new
rows, changes and moves, and last the rows that may exist already. So a unit that relies on a guard never counts one
that another unit of the batch gives away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Dialect, bindparam, delete, select, tuple_
from sqlalchemy import Row as SqlRow
from sqlalchemy.dialects import postgresql, sqlite

from strongroom.domain.record import HeldGuard
from strongroom.domain.task import Task
from strongroom.domain.wallet import Address, SealedSecret, Wallet, WalletState
from strongroom.storage import tables
from strongroom.storage import tasks as tasks_sql
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Change, Conflict, MoveGuard, Opens, Row, SettleTask, Unit
from strongroom.storage.bulk import Bulk, bulk_insert, bulk_update
from strongroom.storage.mapping import KIND_OF, KINDS, Key, Kind, amend, fetch, load_all, names_of
from strongroom.storage.parts import PLANS
from strongroom.telemetry import failpoints
from strongroom.telemetry.alarms import integrity_alarm

_C = TypeVar("_C", Change, MoveGuard, SettleTask)
_KEYS_A_QUERY = 1000
_GUARD = KIND_OF[HeldGuard]
_GUARD_KEY = _GUARD.keys[0]
_SECRET = KIND_OF[SealedSecret]
_WALLET = KIND_OF[Wallet]
SECRETS_AND_WALLETS = (
    select(tables.secrets, tables.wallets)
    .join(tables.wallets, tables.wallets.c.id == tables.secrets.c.wallet_id)
    .where(tables.secrets.c.wallet_id.in_(bindparam("wallet_ids", expanding=True)))
    .order_by(tables.secrets.c.version)
)
_USABLE = 2_000
"""Most secrets and wallets that are remembered as verified."""
_SECRET_COLUMNS = len(tables.secrets.columns)
_BY_KEY = f"SELECT {', '.join(f'set_config({name!r}, {value!r}, true)' for name, value in PLANS.items())}"
"""For this transaction only."""
_FIXED = names_of(tables.addresses, "label", "external_id", "created_at", "networks", "mac")
_ADDRESS = KIND_OF[Address]
_ADDRESS_KEY = _ADDRESS.keys[0]


class Lost(Exception):
    """Rolls the transaction back."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__()
        self.conflicts = conflicts


class Unsure(Exception):
    """Rolls the transaction back. Something was in the way, and it has not been looked at yet."""


class Writes:
    """The statements of one database, compiled once."""

    def __init__(self, dialect: Dialect, authenticity: Authenticity) -> None:
        self.authenticity = authenticity
        self._dialect = dialect
        self.inserts = {kind.of: bulk_insert(dialect, kind.table) for kind in KINDS}
        self.wakes = tasks_sql.bulk_wake(dialect)
        self.settlements = tasks_sql.bulk_settle(dialect)
        self._updates: dict[tuple[type, Key, Key], Bulk] = {}
        self._usable: dict[tuple[Any, Any], tuple[tuple[Any, ...], SealedSecret | None]] = {}

    def update(self, kind: Kind, where: Key, names: Key) -> Bulk:
        statement = self._updates.get((kind.of, where, names))
        if statement is None:
            statement = bulk_update(self._dialect, kind.table, where, names)
            self._updates[kind.of, where, names] = statement
        return statement

    def usable(self, row: tuple[Any, ...]) -> SealedSecret | None:
        """The secret in a row of `SECRETS_AND_WALLETS`, if its wallet is active. Raises IntegrityError.

        A row that equals the one that was last checked against its MACs is not checked again.
        """
        place = (row[0], row[1])
        known = self._usable.get(place)
        if known is None or known[0] != row:
            [secret] = load_all(_SECRET, [row[:_SECRET_COLUMNS]], self.authenticity)
            [wallet] = load_all(_WALLET, [row[_SECRET_COLUMNS:]], self.authenticity)
            known = (row, secret if wallet.state is WalletState.ACTIVE else None)
            if len(self._usable) >= _USABLE or not self.authenticity.strict:
                self._usable.clear()
            self._usable[place] = known
        return known[1]

    def known(self, secret: SealedSecret) -> tuple[Any, ...] | None:
        """The row of a secret and its active wallet, as `usable` has verified them, or None."""
        known = self._usable.get((secret.wallet_id, secret.version))
        return known[0] if known is not None and known[1] == secret else None

    def apply(self, connection: Connection, units: Sequence[Unit], *, look: bool) -> Applied:
        """Commits the units. Raises Lost or, without ``look``, Unsure, and SQLAlchemy's IntegrityError for a row in the
        way.
        """
        if self._dialect.name == "postgresql":
            connection.exec_driver_sql(_BY_KEY)
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
        self._widened: dict[tuple[UUID, int, int], tuple[Address, Address]] = {}
        """Addresses that were handed out for one more network: as they were, and as they shall be."""

    def run(self) -> Applied:
        self._check_opens()
        self._release()
        self._insert([(n, row) for n, unit in enumerate(self._units) for row in unit.rows], same=False)
        self._change()
        self._move()
        self._insert([(n, row) for n, unit in enumerate(self._units) for row in unit.same], same=True)
        self._widen()
        self._settle_and_wake()
        self._put()
        if self._lost:
            # A unit that lost to another losing unit is not at fault and is tried again.
            raise Lost([conflict for conflict, to in self._lost.values() if to is None or to not in self._lost])
        failpoints.reached("commit.within")
        return Applied(present=self._present)

    def _lose(
        self,
        unit: int,
        cause: Row | Change | MoveGuard | SettleTask | Opens,
        found: Row | None,
        to: int | None = None,
    ) -> None:
        self._lost.setdefault(unit, (Conflict(unit, cause, found), to))

    def _check_opens(self) -> None:
        opens = [(n, each) for n, unit in enumerate(self._units) for each in unit.opens]
        if not opens:
            return
        wallet_ids = list({each.secret.wallet_id for _, each in opens})
        newest: dict[UUID, SealedSecret | None] = {}
        for row in fetch(self._connection, tables.secrets, SECRETS_AND_WALLETS, {"wallet_ids": wallet_ids}):
            newest[row[0]] = self._writes.usable(tuple(row))
        for unit, each in opens:
            if newest.get(each.secret.wallet_id) != each.secret:
                self._lose(unit, each, None)

    def _release(self) -> None:
        ids = sorted(release.operation_id for unit in self._units for release in unit.releases)
        if not ids:
            return
        guards, signatures = tables.guards, tables.signatures
        signed = select(signatures.c.operation_id).where(signatures.c.operation_id == guards.c.operation_id)
        self._connection.execute(delete(guards).where(guards.c.operation_id.in_(ids), ~signed.exists()))
        marked = select(guards).where(guards.c.replaced_by.in_(ids)).order_by(*[guards.c[name] for name in _GUARD_KEY])
        rows = fetch(self._connection, guards, marked.with_for_update())
        held = load_all(_GUARD, rows, self._writes.authenticity)
        wiped = [_GUARD.values(replace(each, replaced_by=None), self._writes.authenticity) for each in held]
        if wiped:
            size = len(_GUARD_KEY)
            names = names_of(tables.guards, *_GUARD_KEY)
            self._update(_GUARD, _GUARD_KEY, [row[:size] for row in wiped], names, [row[size:] for row in wiped])

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
                statement = self._writes.inserts[kind.of]
                bound = statement.bind([entry.values for entry in entries])
                bound.sort(key=kind.key_of(kind.keys[0]))
                statement.run(self._connection, bound)

    def _sift(self, kind: Kind, entries: Sequence[_Entry], *, same: bool) -> list[_Entry]:
        """The entries to insert: those without an existing equal, whose unit has not lost."""
        there: dict[Key, dict[tuple[Any, ...], tuple[Row, int | None]]] = {}
        for key in kind.keys:
            take = kind.key_of(key)
            wanted = {take(entry.values) for entry in entries}
            lock = same and kind is _GUARD
            there[key] = {k: (row, None) for k, row in self._find(kind, key, wanted, lock=lock).items()}
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
                self._note_wider(entry.row, met[0])
            else:
                self._lose(entry.unit, entry.row, *met)
        return kept

    def _note_wider(self, row: Row, there: Row) -> None:
        if not isinstance(row, Address) or not isinstance(there, Address):
            return
        place = (there.account_id, there.change, there.index)
        old, new = self._widened.get(place, (there, there))
        if lacking := new.lacks(row.networks):
            self._widened[place] = (old, replace(new, networks=" ".join([*new.handed_out_for, *lacking])))

    def _widen(self) -> None:
        """If another process widens a row at the same time, this raises Unsure and the rows are looked at again."""
        if not self._widened:
            return
        old = [(*place, self._writes.authenticity.address_mac(was)) for place, (was, _) in self._widened.items()]
        new = [(row.networks, self._writes.authenticity.address_mac(row)) for _, row in self._widened.values()]
        self._update(_ADDRESS, (*_ADDRESS_KEY, "mac"), old, ("networks", "mac"), new)

    def _met(
        self, kind: Kind, entry: _Entry, there: dict[Key, dict[tuple[Any, ...], tuple[Row, int | None]]]
    ) -> tuple[Row, int | None] | None:
        for key in kind.keys:
            value = kind.key_of(key)(entry.values)
            met = None if None in value else there[key].get(value)  # NULL does not equal NULL
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
            rows = fetch(self._connection, kind.table, query.with_for_update() if lock else query)
            for row, loaded in zip(rows, load_all(kind, rows, self._writes.authenticity), strict=True):
                found[tuple(row._mapping[name] for name in key)] = loaded
        return found

    def _change(self) -> None:
        alike: dict[tuple[type, Key, Key], list[tuple[int, Change]]] = defaultdict(list)
        changed: dict[tuple[type, UUID], int] = {}
        for unit, change in self._each(Change):
            earlier = changed.setdefault((change.of, change.id), unit)
            if earlier == unit:
                alike[change.of, tuple(change.expect), tuple(change.set)].append((unit, change))
            else:
                self._lose(unit, change, None, earlier)
        for (of, expected, _), changes in alike.items():
            self._change_alike(KIND_OF[of], expected, changes)

    def _change_alike(self, kind: Kind, expected: Key, changes: list[tuple[int, Change]]) -> None:
        rows: dict[UUID, SqlRow[Any]] = {}
        if self._look or any(change.was is None for _, change in changes):
            rows = self._lock(kind, sorted(change.id for _, change in changes))
            changes = [(unit, change) for unit, change in changes if self._holds(kind, unit, change, rows)]
        new = [amend(kind, change, rows.get(change.id), self._writes.authenticity) for _, change in changes]
        if new:
            old = [(change.id, *change.expect.values()) for _, change in changes]
            self._update(kind, ("id", *expected), old, tuple(new[0]), [tuple(each.values()) for each in new])

    def _lock(self, kind: Kind, ids: Sequence[UUID]) -> dict[UUID, SqlRow[Any]]:
        id_ = kind.table.c.id
        query = select(kind.table).where(id_.in_(ids)).order_by(id_).with_for_update()
        return {row.id: row for row in fetch(self._connection, kind.table, query)}

    def _holds(self, kind: Kind, unit: int, change: Change, rows: Mapping[UUID, SqlRow[Any]]) -> bool:
        row = rows.get(change.id)
        if row is not None and all(row._mapping[name] == value for name, value in change.expect.items()):
            return True
        there = None if row is None else load_all(kind, [row], self._writes.authenticity)[0]
        self._lose(unit, change, there)
        return False

    def _move(self) -> None:
        moves = [(unit, move, _guard_key(move.held)) for unit, move in self._each(MoveGuard)]
        if not moves:
            return
        held = self._find(_GUARD, _GUARD_KEY, {key for _, _, key in moves}, lock=True)
        moved: dict[tuple[str, ...], tuple[Any, ...]] = {}
        for unit, move, key in moves:
            if held.get(key) != move.held or key in moved:
                self._lose(unit, move, held.get(key))
            else:
                moved[key] = _GUARD.values(move.to, self._writes.authenticity)[len(key) :]
        if moved:
            self._update(_GUARD, _GUARD_KEY, list(moved), names_of(tables.guards, *_GUARD_KEY), list(moved.values()))

    def _update(
        self, kind: Kind, where: Key, old: Sequence[tuple[Any, ...]], names: Key, new: Sequence[tuple[Any, ...]]
    ) -> None:
        """Updates every row or raises Unsure."""
        if self._lost:
            return
        statement = self._writes.update(kind, where, names)
        bound = statement.bind([(*before, *after) for before, after in zip(old, new, strict=True)])
        bound.sort(key=itemgetter(*range(len(where))) if kind in (_GUARD, _ADDRESS) else itemgetter(0))
        if statement.run(self._connection, bound) != len(bound):
            raise Unsure

    def _settle_and_wake(self) -> None:
        settled = [(unit, each) for unit, each in self._each(SettleTask)]
        wakes = tasks_sql.wake_values([wake for unit in self._units for wake in unit.wakes])
        places = {each.task.place for _, each in settled} | {(row[0], row[1]) for row in wakes}
        rows: dict[tuple[str, str], Task] = {}
        if self._look or (len(places) > 1 and self._connection.dialect.name != "sqlite"):
            rows = tasks_sql.lock(self._connection, sorted(places), self._writes.authenticity) if places else {}
        taken: dict[tuple[str, str], int] = {}
        for unit, each in settled:
            earlier = taken.setdefault(each.task.place, unit)
            if earlier != unit:
                self._lose(unit, each, None, earlier)
            elif self._look and not _is_still(each.task, rows.get(each.task.place)):
                self._lose(unit, each, rows.get(each.task.place))
        if self._lost:
            return
        for statement, values in (
            (self._writes.settlements, [tasks_sql.settle_values(each) for _, each in settled]),
            (self._writes.wakes, wakes),
        ):
            if values and statement.run(self._connection, statement.bind(values)) != len(values):
                raise Unsure

    def _put(self) -> None:
        insert = sqlite.insert if self._connection.dialect.name == "sqlite" else postgresql.insert
        progress = [each for unit in self._units for each in unit.progress]
        puts = sorted(
            (each for unit in self._units for each in unit.puts), key=lambda each: (type(each).__name__, each.id)
        )
        for row in (*progress, *puts):  # sorted, so that no two processes wait for each other
            kind = KIND_OF[type(row)]
            values = dict(zip(kind.names, kind.values(row, self._writes.authenticity), strict=True))
            statement = insert(kind.table).values(values)
            self._connection.execute(statement.on_conflict_do_update(index_elements=kind.keys[0], set_=values))

    def _each(self, of: type[_C]) -> list[tuple[int, _C]]:
        """The changes of one type whose unit has not lost."""
        return [
            (n, change)
            for n, unit in enumerate(self._units)
            if n not in self._lost
            for change in unit.changes
            if isinstance(change, of)
        ]


def _is_still(task: Task, found: Task | None) -> bool:
    return found is not None and (found.epoch, found.created_at) == (task.epoch, task.created_at)


def _guard_key(held: HeldGuard) -> tuple[str, str, str, str]:
    guard = held.guard
    return (guard.keyspace, guard.chain_id, guard.address, guard.sequence)


def is_alike(row: Row, there: Row) -> bool:
    """Whether ``there`` counts as the same row as ``row`` of a unit's `same`."""
    if isinstance(row, HeldGuard) and isinstance(there, HeldGuard):
        return row.guard == there.guard
    assert isinstance(row, Address)
    assert isinstance(there, Address)
    return _fixed(row) == _fixed(there)


def _is_same(row: Row, there: Row) -> bool:
    if is_alike(row, there):
        return True
    if not isinstance(there, Address):
        return False
    integrity_alarm("address", tenant_id=there.tenant_id, account_id=there.account_id, index=there.index)
    return False


def _fixed(address: Address) -> tuple[object, ...]:
    """Everything except what the caller said about it, and when."""
    return tuple(getattr(address, name) for name in _FIXED)
