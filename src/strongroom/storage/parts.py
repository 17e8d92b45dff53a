"""The parts of a group. Each is SQL over a table ``g`` of its rows, which each database receives in its own way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Column, Table

from strongroom.domain.record import HeldGuard
from strongroom.storage import tables
from strongroom.storage.mapping import KIND_OF, KINDS

GUARD_KEY: Final = len(KIND_OF[HeldGuard].keys[0])
"""Number of key columns of a guard. They are its first columns."""
EXPECTED: Final = ("epoch", "state")
"""Columns that must have their expected values when an operation changes."""
CHANGING: Final = ("wallet_id", "state", "lease_until", "epoch", "result", "mac")
"""Columns of an operation that can change. Every change sets all of them."""
PLANS: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Settings with which PostgreSQL always finds a row by its key. A plan that was made while a table was empty or not yet
analysed would scan the whole table, and PostgreSQL would keep that plan while the table grows.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of work in a group, such as inserting guards. ``sql`` takes the text of the table ``g`` of its rows and
    returns the statement.
    """

    columns: tuple[Column[Any], ...]
    """The columns of ``g``, which are called c0, c1 and so on there."""
    sql: Callable[[str], str]
    changes: bool = False
    """Whether it updates existing rows."""
    counted: bool = True
    """Whether it must find as many rows as ``g`` has."""
    lock: str = ""
    """Text that is added on PostgreSQL only, to lock the rows."""


def equal(columns: Sequence[Column[Any]], start: int = 0, of: str = "t") -> str:
    """The condition that ``columns`` of the table ``of`` equal those of ``g`` from its column ``start`` on."""
    return " AND ".join(
        f'{of}."{column.name}" {"IS NOT DISTINCT FROM" if column.nullable else "="} g.c{n}'
        for n, column in enumerate(columns, start)
    )


def names(table: Table, of: str) -> str:
    """The columns in the order of ``table``. In the database, they are in the order in which migrations added them."""
    return ", ".join(f'{of}."{column.name}"' for column in table.columns)


def _insert(table: Table) -> Part:
    columns = tuple(table.columns)
    into = ", ".join(f'"{column.name}"' for column in columns)
    return Part(columns, lambda given: f"INSERT INTO {table.name} ({into}) SELECT * FROM {given}", counted=False)


def _keep(table: Table, lock: str = "") -> Part:
    columns = tuple(table.columns)
    return Part(columns, lambda given: f"SELECT 1 FROM {given} JOIN {table.name} t ON {equal(columns)}", lock=lock)


def _update(table: Table, old: Sequence[Column[Any]], new: Sequence[Column[Any]]) -> Part:
    """Updates the rows whose columns ``old`` have the given values. The first of these columns are the key."""
    set_ = ", ".join(f'"{column.name}" = g.c{n}' for n, column in enumerate(new, len(old)))
    return Part(
        (*old, *new),
        lambda given: f"UPDATE {table.name} AS t SET {set_} FROM {given} WHERE {equal(old)}",
        changes=True,
    )


def _change_operations() -> Part:
    column = tables.operations.c
    old = [column[name] for name in ("id", *EXPECTED)]
    return _update(tables.operations, old, [column[name] for name in CHANGING])


def _move_guards() -> Part:
    old = tuple(tables.guards.columns)
    return _update(tables.guards, old, old[GUARD_KEY:])


def _open() -> Part:
    secret, wallet = tuple(tables.secrets.columns), tuple(tables.wallets.columns)
    newer = "SELECT 1 FROM secrets n WHERE n.wallet_id = s.wallet_id AND n.version > s.version"
    return Part(
        (*secret, *wallet),
        lambda given: (
            f"SELECT 1 FROM {given} JOIN secrets s ON {equal(secret, of='s')} "
            f"JOIN wallets t ON {equal(wallet, len(secret))} WHERE NOT EXISTS ({newer})"
        ),
    )


PARTS: Final[dict[str, Part]] = {
    "open": _open(),
    "change operations": _change_operations(),
    "move guards": _move_guards(),
    "keep guards": _keep(tables.guards, " ORDER BY t.keyspace, t.chain_id, t.address, t.sequence FOR UPDATE OF t"),
    "keep addresses": _keep(tables.addresses),
    **{f"insert {kind.table.name}": _insert(kind.table) for kind in KINDS},
}
"""Groups always run their parts in this order, so that two processes do not deadlock."""

ORDER: Final[dict[str, Callable[[Sequence[Any]], Any]]] = {
    "change operations": itemgetter(0),
    "move guards": itemgetter(*range(GUARD_KEY)),
    "keep guards": itemgetter(*range(GUARD_KEY)),
    **{f"insert {kind.table.name}": kind.key_of(kind.keys[0]) for kind in KINDS},
}
"""By part: how its rows are sorted, so that locks are taken in the order of keys."""
