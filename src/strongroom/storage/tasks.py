"""Tasks over SQL. Both databases share the statements. `FOR UPDATE SKIP LOCKED` only exists on PostgreSQL. On SQLite
nobody else writes during `BEGIN IMMEDIATE`, which has the same effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
    values,
)
from sqlalchemy.dialects import postgresql, sqlite

from strongroom.domain.task import Task
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Backlog, SettleTask, Wake
from strongroom.storage.bulk import Bulk, Cells
from strongroom.storage.clock import from_now
from strongroom.storage.column_types import Id, Timestamp
from strongroom.storage.database import Database
from strongroom.storage.mapping import KIND_OF, fetch, load_all
from strongroom.storage.tables import tasks
from strongroom.telemetry import failpoints

_PLACE: Final = (tasks.c.kind, tasks.c.key)
_MICROSECOND: Final = timedelta(microseconds=1)
_MOST_COUNTED: Final = 1000
_TASK = KIND_OF[Task]

_FREE = or_(tasks.c.lease_until.is_(None), tasks.c.lease_until <= from_now())
_DUE = and_(tasks.c.kind == bindparam("of_kind"), tasks.c.due_at <= from_now())


def bulk_wake(dialect: Dialect) -> Bulk:
    """An upsert for rows of `Wake`, one per key. It inserts a task or makes it due earlier."""
    insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    columns = {"kind": Text(), "key": Text(), "tenant_id": Id(), "after": BigInteger(), "wanted": BigInteger()}

    def make(cells: Cells) -> ClauseElement:
        rows = [
            {
                "kind": row["kind"],
                "key": row["key"],
                "tenant_id": row["tenant_id"],
                "due_at": from_now(row["after"]),
                "epoch": literal_column("0"),
                "wanted": row["wanted"],
                "attempts": literal_column("0"),
                "created_at": from_now(),
            }
            for row in cells
        ]
        statement = insert(tasks).values(rows)
        new = statement.excluded
        later = or_(tasks.c.due_at.is_(None), tasks.c.due_at > new.due_at)
        return statement.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={
                "due_at": case((later, new.due_at), else_=tasks.c.due_at),
                "wanted": tasks.c.wanted + new.wanted,
            },
        )

    return Bulk(dialect, columns, make)


def bulk_settle(dialect: Dialect) -> Bulk:
    """An UPDATE for rows of `SettleTask`. It compares ``created_at``, because a new row with an old key is another
    task.
    """
    columns: dict[str, Any] = {
        "kind": Text(),
        "key": Text(),
        "created_at": Timestamp(),
        "epoch": BigInteger(),
        "wanted": BigInteger(),
        "again": BigInteger(),
        "attempts": BigInteger(),
        "error": Text(),
    }

    def make(cells: Cells) -> ClauseElement:
        data = values(*[column(name, type_) for name, type_ in columns.items()], name="data")
        rows = data.data([tuple(row.values()) for row in cells]).cte("data", nesting=True)
        given = select(rows).subquery("given").c
        woken = and_(tasks.c.wanted != given.wanted, or_(given.error.is_(None), given.again.is_(None)))
        return (
            update(tasks)
            .where(
                tasks.c.kind == given.kind,
                tasks.c.key == given.key,
                tasks.c.created_at == given.created_at,
                tasks.c.epoch == given.epoch,
            )
            .values(
                due_at=case((woken, from_now()), else_=from_now(given.again)),
                lease_until=null(),
                epoch=tasks.c.epoch + literal_column("1"),
                attempts=given.attempts,
                last_error_code=given.error,
            )
        )

    return Bulk(dialect, columns, make)


def wake_values(wakes: Sequence[Wake]) -> list[tuple[Any, ...]]:
    """One row per key, sorted, with the earliest time and the number of wakes with news."""
    folded: dict[tuple[str, str], tuple[Any, ...]] = {}
    for wake in wakes:
        place, after = (wake.kind, wake.key), wake.after // _MICROSECOND
        known = folded.get(place)
        if known is None:
            folded[place] = (*place, wake.tenant_id, after, int(wake.news))
        else:
            folded[place] = (*known[:3], min(known[3], after), known[4] + wake.news)
    return [folded[place] for place in sorted(folded)]


def settle_values(settled: SettleTask) -> tuple[Any, ...]:
    task = settled.task
    again = None if settled.again is None else settled.again // _MICROSECOND
    return (*task.place, task.created_at, task.epoch, task.wanted, again, settled.attempts, settled.error)


def lock(
    connection: Connection, places: Sequence[tuple[str, str]], authenticity: Authenticity
) -> dict[tuple[str, str], Task]:
    """The stored rows, locked in a fixed order, so that two processes never wait for each other."""
    query = select(tasks).where(_among(connection, places)).order_by(*_PLACE).with_for_update(of=tasks)
    found: list[Task] = load_all(_TASK, fetch(connection, tasks, query), authenticity)
    return {task.place: task for task in found}


def _among(connection: Connection, places: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    """A condition for these kinds and keys. PostgreSQL would compare each row with each pair of a list, so arrays are
    joined.
    """
    if connection.dialect.name == "sqlite":
        return tuple_(*_PLACE).in_(places)
    columns = [literal(list(each), postgresql.ARRAY(Text())) for each in zip(*places, strict=True)]
    given = func.unnest(*columns).table_valued("kind", "key").render_derived(name="given").c
    return and_(tasks.c.kind == given.kind, tasks.c.key == given.key)


def _claim() -> ClauseElement:
    picked = (
        select(*_PLACE)
        .where(_DUE, _FREE)
        .order_by(tasks.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return (
        update(tasks)
        .where(tasks.c.kind == picked.c.kind, tasks.c.key == picked.c.key)
        .values(
            lease_until=from_now(bindparam("lease", type_=BigInteger())),
            epoch=tasks.c.epoch + 1,
            attempts=tasks.c.attempts + 1,
        )
        .returning(*tasks.c)
    )


_CLAIM: Final[Any] = _claim()


class SqlTasks:
    """Implements `tasks.base.Tasks`."""

    def __init__(self, database: Database, authenticity: Authenticity) -> None:
        self._database = database
        self._authenticity = authenticity

    async def due(self, kinds: Sequence[str]) -> set[str]:
        query = _which_are_due(tuple(kinds))
        found = await self._database.read(lambda connection: connection.execute(query).one())
        return {kind for kind, due in zip(kinds, found, strict=True) if due}

    async def claim(self, kind: str, most: int, lease: timedelta) -> list[Task]:
        bound: Mapping[str, object] = {"of_kind": kind, "most": most, "lease": lease // _MICROSECOND}

        def work(connection: Connection) -> list[Task]:
            claimed: list[Task] = load_all(_TASK, fetch(connection, tasks, _CLAIM, bound), self._authenticity)
            failpoints.reached("claim.within")
            return claimed

        return sorted(await self._database.write(work), key=lambda task: (task.due_at or task.created_at, task.key))

    async def renew(self, held: Sequence[Task], lease: timedelta) -> set[tuple[str, str]]:
        epochs = {task.place: task.epoch for task in held}

        def work(connection: Connection) -> set[tuple[str, str]]:
            found = lock(connection, sorted(epochs), self._authenticity)
            ours = {place for place, task in found.items() if task.epoch == epochs[place]}
            until = from_now(literal_column(str(lease // _MICROSECOND), BigInteger()))
            if ours:
                connection.execute(update(tasks).where(_among(connection, sorted(ours))).values(lease_until=until))
            return ours

        return await self._database.write(work) if held else set()

    async def backlog(self, kinds: Sequence[str]) -> list[Backlog]:
        def work(connection: Connection) -> list[Backlog]:
            found = [(kind, connection.execute(_BACKLOG, {"of_kind": kind}).one()) for kind in kinds]
            return [Backlog(kind, _age(row.now, row.oldest), row.expired) for kind, row in found]

        return await self._database.read(work)

    async def purge(self, older_than: timedelta, most: int) -> int:
        created = tasks.c.created_at < from_now(literal_column(str(-older_than // _MICROSECOND), BigInteger()))
        sleeping = and_(tasks.c.due_at.is_(None), tasks.c.lease_until.is_(None), created)
        some = select(*_PLACE).where(sleeping).limit(most)
        statement = delete(tasks).where(tuple_(*_PLACE).in_(some), sleeping)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


@cache
def _which_are_due(kinds: tuple[str, ...]) -> Select[Any]:
    due: list[Any] = [
        exists().where(tasks.c.kind == kind, tasks.c.due_at <= from_now(), _FREE).label(f"due_{n}")
        for n, kind in enumerate(kinds)
    ]
    return select(*due)


def _backlog() -> Select[Any]:
    # Tasks are claimed in the order in which they became due, so leased ones come first.
    front = select(tasks.c.due_at, tasks.c.lease_until).where(_DUE).order_by(tasks.c.due_at).limit(_MOST_COUNTED)
    leases = front.subquery("front").c
    oldest = select(tasks.c.due_at).where(_DUE, _FREE).order_by(tasks.c.due_at).limit(1)
    expired = select(func.count()).where(leases.lease_until <= from_now())
    return select(
        from_now().label("now"),
        oldest.scalar_subquery().label("oldest"),
        expired.scalar_subquery().label("expired"),
    )


_BACKLOG: Final = _backlog()


def _age(now: datetime, oldest: datetime | None) -> timedelta:
    return timedelta() if oldest is None else max(timedelta(), now - oldest)
