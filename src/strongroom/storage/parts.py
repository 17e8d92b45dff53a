"""The parts of a group, each as SQL over a table `g` of its rows, which the two databases are given differently."""

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
"""Number of key columns of a guard, which come first."""
EXPECTED: Final = ("epoch", "state")
"""What is expected of an operation that changes."""
CHANGING: Final = ("wallet_id", "state", "lease_until", "epoch", "result", "mac")
"""All columns that ever change. Every change sets all of them."""
PLANS: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Settings that make PostgreSQL always find a row by its key. A plan made while a table was empty or never analysed
would scan all of it, and would be kept while the table grows.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """``sql`` makes its statement of the text that stands for the table ``g`` of its rows."""

    columns: tuple[Column[Any], ...]
    """Of ``g``, where they are c0, c1 and so on."""
    sql: Callable[[str], str]
    changes: bool = False
    """It changes rows that are there already, and must find as many as it was given."""
    counted: bool = True
    """Whether it must find as many rows as it was given."""
    lock: str = ""
    """What PostgreSQL adds to it."""


def equal(columns: Sequence[Column[Any]], start: int = 0, of: str = "t") -> str:
    """That the row of ``of`` is what ``g`` says, from its column ``start`` on."""
    return " AND ".join(
        f'{of}."{column.name}" {"IS NOT DISTINCT FROM" if column.nullable else "="} g.c{n}'
        for n, column in enumerate(columns, start)
    )


def names(table: Table, of: str) -> str:
    """The columns in the order of ``table``. In the database they have the order in which migrations added them."""
    return ", ".join(f'{of}."{column.name}"' for column in table.columns)


def _insert(table: Table) -> Part:
    columns = tuple(table.columns)
    into = ", ".join(f'"{column.name}"' for column in columns)
    return Part(columns, lambda given: f"INSERT INTO {table.name} ({into}) SELECT * FROM {given}", counted=False)


def _keep(table: Table, lock: str = "") -> Part:
    columns = tuple(table.columns)
    return Part(columns, lambda given: f"SELECT 1 FROM {given} JOIN {table.name} t ON {equal(columns)}", lock=lock)


def _update(table: Table, old: Sequence[Column[Any]], new: Sequence[Column[Any]]) -> Part:
    """Where the row is as ``old`` says; its key is what ``old`` begins with."""
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
"""Always in this order, so that two processes do not wait for each other."""

ORDER: Final[dict[str, Callable[[Sequence[Any]], Any]]] = {
    "change operations": itemgetter(0),
    "move guards": itemgetter(*range(GUARD_KEY)),
    "keep guards": itemgetter(*range(GUARD_KEY)),
    **{f"insert {kind.table.name}": kind.key_of(kind.keys[0]) for kind in KINDS},
}
"""What the rows of a part are sorted by, so that locks are taken in the order of keys."""
