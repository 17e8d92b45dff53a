"""Group commit: one task per process commits everything that waits, in one transaction.

A batch is what arrived while the previous batch was being committed. Only a saturated process waits for more
(`saturation`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from strongroom import errors
from strongroom.domain.record import AuditEntry, AuditRecord, AuditWriter
from strongroom.domain.wallet import Address
from strongroom.errors import IntegrityError, InternalError, StorageUnavailable, StrongroomError
from strongroom.journal.audit import AuditChain, Head
from strongroom.journal.base import Lost, Pair
from strongroom.saturation import Gathering
from strongroom.storage.base import Applied, Change, Conflict, Row, Storage, Unit
from strongroom.telemetry import failpoints, tracing
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import COMMIT_SECONDS, COMMIT_UNITS, COMMITTER_QUEUE

_log = structlog.get_logger(__name__)

_MAX_BATCH: Final = 256
_MAX_PATIENT: Final = 100
"""Patient units per commit. More would make units that arrive meanwhile wait longer."""
_FEW_PATIENT: Final = (8, 25)
"""Least and most patient units per commit while others, who wait for them, commit too. In between it is one for each
millisecond that the last commit took, so that a batch gets on where a commit takes long anyway.
"""
_OTHERS_GONE: Final = 0.1
"""Seconds without an impatient unit after which patient units have the committer for themselves."""
_MAX_WAITING: Final = 4096
_MAX_ROUNDS: Final = 20
"""Rounds in which units of a batch may lose before the others are told to retry."""


_End = Sequence[Row] | StrongroomError | Lost
"""Of a unit: the rows of its `same` that were there already, or why it was not committed."""


class _Asked:
    """Units that one caller waits for. The first end of a unit is its end."""

    def __init__(self, units: int) -> None:
        self._ends: dict[int, _End] = {}
        self._units = units
        self._all = asyncio.get_running_loop().create_future()

    async def wait(self) -> list[_End]:
        if self._units:
            await self._all
        return [self._ends[n] for n in range(self._units)]

    def end(self, place: int, how: _End) -> None:
        self._ends.setdefault(place, how)
        if len(self._ends) == self._units and not self._all.done():  # a cancelled caller's are committed as well
            self._all.set_result(None)


@dataclass(slots=True)
class _Waiting:
    unit: Unit
    audit: Sequence[AuditEntry]
    span: tracing.Span | tracing.Nothing
    asked: _Asked
    place: int

    def end(self, how: _End) -> None:
        self.asked.end(self.place, how)


class Committer:
    """`start` it, `commit` from any task, `close` it. Units that wait when it is closed are still committed.

    ``timeout``: seconds after which a commit is given up, and everything that waits for the next one is refused.
    """

    def __init__(self, storage: Storage, chain: AuditChain, *, timeout: float) -> None:
        self._storage = storage
        self._chain = chain
        self._timeout = timeout
        self._waiting: deque[_Waiting] = deque()
        self._patient: deque[_Waiting] = deque()
        """Units of batches, which are committed after the others."""
        self._others_at = -math.inf
        """When an impatient unit was last committed."""
        self._took = 0.0
        """Seconds of the last commit."""
        self._wake = asyncio.Event()
        self._gathering = Gathering()
        self._chain_known = True
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self.woken: Callable[[set[str]], None] = lambda _: None
        """Called with the kinds of tasks that a commit has woken."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="committer")

    async def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def require_authentic(self, records: Sequence[AuditRecord]) -> None:
        """Raises IntegrityError, and the alarm, if one of ``records`` is not in its chain."""
        before = [(each.writer_id, each.sequence - 1) for each in records if each.sequence > 1]
        found = await self._storage.find(AuditRecord, ("writer_id", "sequence"), before)
        macs = {(each.writer_id, each.sequence): each.mac for each in found}
        first = [(each.writer_id,) for each in records if each.sequence == 1]
        macs |= {(each.id, 0): each.mac for each in await self._storage.find(AuditWriter, ("id",), first)}
        for record in records:
            previous = macs.get((record.writer_id, record.sequence - 1))
            if previous is None or not self._chain.holds(previous, record):
                integrity_alarm("audit", writer_id=record.writer_id, sequence=record.sequence)
                raise IntegrityError("an audit record was changed")

    def head(self) -> Head:
        return self._chain.head(datetime.now(UTC))

    async def commit(self, unit: Unit, audit: Sequence[AuditEntry] = (), *, patient: bool = False) -> Sequence[Row]:
        """Returns once both are durable, with the rows of ``unit.same`` that existed already.

        ``patient``: such units keep their order among themselves, and others go first. Raises Lost, IntegrityError (an
        address differs from the stored one), and StorageUnavailable, after which the outcome is unknown. Cancelling the
        caller does not cancel its unit.
        """
        [end] = await self._commit_units([(unit, audit)], self._patient if patient else self._waiting)
        if isinstance(end, Exception):
            raise end
        return end

    async def commit_all(self, units: Sequence[Pair]) -> Sequence[Sequence[Row] | StrongroomError | Lost]:
        """For each unit what `commit` returns or raises. They are patient, and share one commit if possible."""
        return await self._commit_units(units, self._patient)

    async def _commit_units(self, units: Sequence[Pair], queue: deque[_Waiting]) -> list[_End]:
        if self._closing or self._task is None or self._task.done():
            raise errors.ShuttingDown("this process is shutting down and commits nothing more")
        if len(queue) + len(units) > _MAX_WAITING:
            raise StorageUnavailable("too many operations are waiting to be committed", retry_after=1)
        asked = _Asked(len(units))
        with tracing.span("commit.wait") as span:
            queue.extend(_Waiting(unit, audit, span, asked, n) for n, (unit, audit) in enumerate(units))
            self._wake.set()
            return await asked.wait()

    async def _run(self) -> None:
        while self._waiting or self._patient or not self._closing:
            if not (self._waiting or self._patient):
                self._wake.clear()
                await self._wake.wait()
                continue
            if self._waiting:
                await self._gathering.more(len(self._waiting) + len(self._patient))
            batch = self._next()
            COMMITTER_QUEUE.set(len(self._waiting) + len(self._patient))
            await self._commit(batch)

    def _next(self) -> list[_Waiting]:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_BATCH))]
        now = asyncio.get_running_loop().time()
        if batch:
            self._others_at = now
        alone = now - self._others_at > _OTHERS_GONE
        least, most = _FEW_PATIENT
        few = min(max(least, round(self._took * 1000)), most)
        room = min(_MAX_PATIENT if alone else few, _MAX_BATCH - len(batch))
        while self._patient and room > 0:
            waiting = self._patient.popleft()
            batch.append(waiting)
            room -= max(1, len(waiting.audit))  # a unit may stand for many items
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Settles every unit of ``batch``. Raises nothing."""
        aside: list[_Waiting] = []
        await self._commit_together(batch, aside)
        for waiting in aside:
            await self._commit_together([waiting], aside)

    async def _commit_together(self, batch: list[_Waiting], aside: list[_Waiting]) -> None:
        """Settles all units except those that it puts ``aside``, which change a row that another unit of the batch
        changes too.
        """
        for _ in range(_MAX_ROUNDS):
            try:
                async with asyncio.timeout(self._timeout):
                    with tracing.join("commit", batch) as span:
                        span.note(units=len(batch))
                        applied = await self._apply(batch)
            except (StorageUnavailable, TimeoutError) as error:
                self._chain_known = False
                self._give_up(batch, aside, error)
                return
            except Exception as error:  # noqa: BLE001 - the task must live, and one unit's fault is not the others'
                self._chain_known = False
                if len(batch) == 1:
                    batch[0].end(_as_ours(error))
                    return
                for waiting in batch:
                    await self._commit([waiting])
                return
            if not applied.conflicts:
                _succeed(batch, applied)
                return
            batch = self._without_losers(batch, applied.conflicts, aside)
            if not batch:
                return
        for waiting in batch:
            waiting.end(StorageUnavailable("other operations are working on the same rows", retry_after=1))

    def _give_up(self, batch: Sequence[_Waiting], aside: list[_Waiting], error: Exception) -> None:
        """Fails everything that waits. Units behind the batch have waited as long, and nobody waits for the database
        twice.
        """
        why = error.message if isinstance(error, StorageUnavailable) else "the database does not respond"
        for waiting in (*batch, *aside, *self._waiting, *self._patient):
            waiting.end(StorageUnavailable(why, retry_after=1))
        aside.clear()
        self._waiting.clear()
        self._patient.clear()

    async def _apply(self, batch: Sequence[_Waiting]) -> Applied:
        if not self._chain_known:
            await self._chain.recall(self._storage)
            self._chain_known = True
        records = self._chain.extend(entry for waiting in batch for entry in waiting.audit)
        units, taken = [], 0
        for waiting in batch:
            own = records[taken : taken + len(waiting.audit)]
            taken += len(own)
            units.append(waiting.unit.with_rows(own))
        started = time.perf_counter()
        failpoints.reached("commit.before")
        applied = await self._storage.apply(units)
        failpoints.reached("commit.after")
        self._took = time.perf_counter() - started
        COMMIT_SECONDS.observe(self._took)
        if not applied.conflicts:
            COMMIT_UNITS.observe(len(batch))
            if records:
                self._chain.advance(records[-1])
            if kinds := {wake.kind for unit in units for wake in unit.wakes}:
                self.woken(kinds)
        return applied

    def _without_losers(
        self, batch: list[_Waiting], conflicts: Sequence[Conflict], aside: list[_Waiting]
    ) -> list[_Waiting]:
        losers = set()
        for conflict in conflicts:
            if isinstance(conflict.cause, AuditRecord):
                self._chain_known = False  # a commit that we had given up was made after all, which is nobody's fault
                continue
            losers.add(conflict.unit)
            if isinstance(conflict.cause, Change) and conflict.found is None and len(batch) > 1:
                aside.append(batch[conflict.unit])  # it has not been checked yet whether the row is still as expected
            else:
                batch[conflict.unit].end(_error_of(conflict, batch[conflict.unit].unit))
        return [waiting for n, waiting in enumerate(batch) if n not in losers]


def _error_of(conflict: Conflict, unit: Unit) -> StrongroomError | Lost:
    if isinstance(conflict.cause, Address) and conflict.cause in unit.same:
        return IntegrityError("the stored address differs from the derived one")
    return Lost(conflict)


def _as_ours(error: Exception) -> StrongroomError:
    if isinstance(error, StrongroomError):
        return error
    _log.error("committer.failed", exc_info=error)
    return InternalError("the commit failed")


def _succeed(batch: Sequence[_Waiting], applied: Applied) -> None:
    present: dict[int, list[Row]] = {}
    for unit, row in applied.present:
        present.setdefault(unit, []).append(row)
    for n, waiting in enumerate(batch):
        waiting.end(present.get(n, ()))
