"""Writes a group of units in the shortest transaction that the database supports: `one_statement` on PostgreSQL,
`few_statements` on SQLite.

Every row that the group relies on (one that changes, a secret that is opened, a guard that exists already) is compared
in all its columns, including the MAC, and counted. If one differs, nothing is written. Then `writes` runs the group
again and reads the rows to find out which unit is at fault. It also writes all groups that need something for which
there is no part.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from strongroom.domain.record import HeldGuard, OperationRecord
from strongroom.domain.wallet import Address, SealedSecret
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Change, MoveGuard, Row, SettleTask, Unit
from strongroom.storage.database import Direct, Refused
from strongroom.storage.mapping import KIND_OF, load_all
from strongroom.storage.parts import CHANGING, EXPECTED, GUARD_KEY, ORDER, PARTS
from strongroom.storage.writes import Unsure, Writes, is_alike

_GUARD: Final = KIND_OF[HeldGuard]
_OPERATION: Final = KIND_OF[OperationRecord]
_MOST_ROWS: Final = 1024
"""Maximum rows per part. SQLite allows 32,766 parameters by default, and a row has up to 21 columns."""
_REMEMBERED: Final = 10_000


class Several(Exception):
    """The group needs several statements, because there is no part for something in it."""


class Groups:
    """Implements the storage's `apply` for groups that can be written in this way."""

    def __init__(self, direct: Direct, writes: Writes) -> None:
        self._direct = direct
        self._writes = writes
        self._likely: OrderedDict[int, None] = OrderedDict()
        """Hashes of the keys of guards and addresses that were inserted or found recently. They are looked up first."""

    async def apply(self, units: Sequence[Unit]) -> Applied:
        """Commits the units. Raises Several, Unsure (nothing was done), OutcomeUnknown, StorageUnavailable,
        IntegrityError.
        """
        group = _gather(units, self._writes)
        await self._open(group)
        same = group.same
        wanted = [key for key in same if hash(key) in self._likely]
        met = await self._standing(wanted) if wanted else {}
        try:
            applied = await self._run(group, met)
        except Refused as refusal:
            # A retry signs the same payload for the same nonce again, and many transactions use the same change
            # address.
            rest = [key for key in same if key not in met]
            found = await self._standing(rest) if rest else {}
            if not found:
                raise Unsure from refusal
            met |= found
            try:
                applied = await self._run(group, met)
            except Refused as again:
                raise Unsure from again
        self._remember(same)
        return applied

    async def _run(self, group: _Group, met: dict[_Key, tuple[Row, tuple[Any, ...]]]) -> Applied:
        parts = {name: list(rows) for name, rows in group.rows.items()}
        present = []
        for key, wanted in group.same.items():
            kind = KIND_OF[key[0]]
            found = met.get(key)
            if found is None:
                if len(wanted) > 1:  # two units of the group want the same new row
                    raise Unsure
                row = wanted[0][1]
                parts.setdefault(f"insert {kind.table.name}", []).append(kind.values(row, self._writes.authenticity))
                continue
            if not all(is_alike(row, found[0]) and not _widens(row, found[0]) for _, row in wanted):
                raise Unsure
            present += [(unit, found[0]) for unit, _ in wanted]
            parts.setdefault(f"keep {kind.table.name}", []).append(found[1])
        await self._direct.commit({name: _sorted(name, parts[name]) for name in PARTS if name in parts})
        return Applied(present=present)

    async def _open(self, group: _Group) -> None:
        """Adds the secrets that are opened, each with its wallet, in the state in which their MACs were verified."""
        unknown = [secret.wallet_id for secret in group.opens if self._writes.known(secret) is None]
        if unknown:
            for row in await self._direct.secrets_and_wallets(sorted(set(unknown))):
                self._writes.usable(tuple(row))
        for secret in group.opens:
            known = self._writes.known(secret)
            if known is None:
                raise Unsure
            group.add("open", known)

    async def _standing(self, keys: Iterable[_Key]) -> dict[_Key, tuple[Row, tuple[Any, ...]]]:
        """The stored rows with these keys. Raises IntegrityError."""
        found: dict[_Key, tuple[Row, tuple[Any, ...]]] = {}
        for of in (HeldGuard, Address):
            wanted = [values for kind, values in keys if kind is of]
            if wanted:
                kind = KIND_OF[of]
                take = kind.key_of(kind.keys[0])
                for each in await self._direct.standing(of, wanted):
                    cells = tuple(each)
                    [row] = load_all(kind, [cells], self._writes.authenticity)
                    found[of, take(cells)] = (row, cells)
        return found

    def _remember(self, keys: Iterable[_Key]) -> None:
        for key in keys:
            self._likely[hash(key)] = None
        while len(self._likely) > _REMEMBERED:
            self._likely.popitem(last=False)


_Key = tuple[type, tuple[Any, ...]]
"""The type, `HeldGuard` or `Address`, and the primary key of a row."""


@dataclass(slots=True)
class _Group:
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """Rows by the name of their part."""
    same: dict[_Key, list[tuple[int, Row]]] = field(default_factory=dict)
    opens: list[SealedSecret] = field(default_factory=list)

    def add(self, part: str, row: tuple[Any, ...]) -> None:
        self.rows.setdefault(part, []).append(row)


def _gather(units: Sequence[Unit], writes: Writes) -> _Group:
    """Distributes the rows and changes of the units over the parts. Raises Several, Unsure."""
    authenticity = writes.authenticity
    if not authenticity.strict:  # stored rows may have no MAC yet, so a comparison would fail
        raise Several
    group = _Group()
    opens: dict[tuple[UUID, int], SealedSecret] = {}
    for n, unit in enumerate(units):
        if unit.releases or unit.wakes or unit.progress or unit.puts:
            raise Several
        for row in unit.rows:
            kind = KIND_OF[type(row)]
            group.add(f"insert {kind.table.name}", kind.values(row, authenticity))
        for row in unit.same:
            group.same.setdefault((type(row), _key_of(row)), []).append((n, row))
        for change in unit.changes:
            _add_change(group, change, authenticity)
        for each in unit.opens:
            place = (each.secret.wallet_id, each.secret.version)
            if opens.setdefault(place, each.secret) != each.secret:
                raise Unsure
    group.opens = list(opens.values())
    if max(len(group.same), *map(len, group.rows.values()), 0) > _MOST_ROWS:
        raise Several
    return group


def _sorted(name: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    order = ORDER.get(name)
    return rows if order is None else sorted(rows, key=order)


def _key_of(row: Address | HeldGuard) -> tuple[Any, ...]:
    if isinstance(row, Address):
        return (row.account_id, row.change, row.index)
    return (row.guard.keyspace, row.guard.chain_id, row.guard.address, row.guard.sequence)


def _widens(row: Row, there: Row) -> bool:
    """Whether an address is handed out for a network that its stored row lacks."""
    return isinstance(row, Address) and isinstance(there, Address) and bool(there.lacks(row.networks))


def _add_change(group: _Group, change: Change | MoveGuard | SettleTask, authenticity: Authenticity) -> None:
    if isinstance(change, MoveGuard):
        held, to = _GUARD.values(change.held, authenticity), _GUARD.values(change.to, authenticity)
        if held[:GUARD_KEY] != to[:GUARD_KEY]:
            raise Several
        group.add("move guards", (*held, *to[GUARD_KEY:]))
        return
    if isinstance(change, SettleTask) or change.was is None:
        raise Several
    if tuple(change.expect) != EXPECTED or not change.set.keys() <= _SETTABLE:
        raise Several
    after = _OPERATION.values(replace(change.was, **change.set), authenticity)  # type: ignore[arg-type]
    group.add("change operations", (change.id, *change.expect.values(), *_changing(after)))


_SETTABLE: Final = frozenset(CHANGING) - {"mac"}
_changing: Final = itemgetter(*[_OPERATION.names.index(name) for name in CHANGING])
