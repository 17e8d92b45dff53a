"""Group commit: one task a process commits everything that waits in one transaction.

There is no artificial delay: a batch is what came in while the one before it was being committed.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import structlog

from strongroom import errors
from strongroom.domain.record import AuditEntry, AuditRecord, AuditWriter
from strongroom.domain.wallet import Address
from strongroom.errors import IntegrityError, InternalError, StorageUnavailable, StrongroomError
from strongroom.journal.audit import AuditChain, Head
from strongroom.journal.base import Lost
from strongroom.storage.base import Applied, Change, Conflict, Row, Storage, Unit
from strongroom.telemetry import failpoints
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import COMMIT_SECONDS, COMMIT_UNITS, COMMITTER_QUEUE

_log = structlog.get_logger(__name__)

_MAX_BATCH: Final = 256
_MAX_WAITING: Final = 4096
_MAX_ROUNDS: Final = 20
"""In which units of one batch may lose before the rest is told to try again."""


@dataclass(slots=True)
class _Waiting:
    unit: Unit
    audit: Sequence[AuditEntry]
    done: asyncio.Future[Sequence[Row]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def succeed(self, present: Sequence[Row]) -> None:
        if not self.done.done():  # a waiter that was cancelled is committed all the same
            self.done.set_result(present)

    def fail(self, error: StrongroomError | Lost) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Committer:
    """`start` it, `commit` from any task, `close` it: what waits then is still committed."""

    def __init__(self, storage: Storage, chain: AuditChain, *, timeout: float = 2.0) -> None:
        self._storage = storage
        self._chain = chain
        self._timeout = timeout
        self._waiting: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._chain_known = True
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self.woken: Callable[[set[str]], None] = lambda _: None
        """Is told the kinds of tasks that a commit has woken."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="committer")

    async def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def require_authentic(self, records: Sequence[AuditRecord]) -> None:
        """Raises IntegrityError and gives the alarm if one of ``records`` is not in its chain."""
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

    async def commit(self, unit: Unit, audit: Sequence[AuditEntry] = ()) -> Sequence[Row]:
        """Returns once both are durable, with those of ``unit.same`` that were there already.

        Raises Lost, IntegrityError (an address differs from what is stored) and StorageUnavailable: then it is not
        known whether it was committed. A cancelled caller does not call its unit back.
        """
        if self._closing or self._task is None or self._task.done():
            raise errors.ShuttingDown("this process commits nothing more")
        if len(self._waiting) >= _MAX_WAITING:
            raise StorageUnavailable("too much waits to be committed", retry_after=1)
        waiting = _Waiting(unit, audit)
        self._waiting.append(waiting)
        self._wake.set()
        return await waiting.done

    async def _run(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MAX_BATCH))]
            COMMITTER_QUEUE.set(len(self._waiting))
            await self._commit(batch)

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Settles every one of ``batch``; raises nothing."""
        aside: list[_Waiting] = []
        await self._commit_together(batch, aside)
        for waiting in aside:
            await self._commit_together([waiting], aside)

    async def _commit_together(self, batch: list[_Waiting], aside: list[_Waiting]) -> None:
        """Settles all but those it puts ``aside``: they change a row that another one of the batch changes too."""
        for _ in range(_MAX_ROUNDS):
            try:
                async with asyncio.timeout(self._timeout):
                    applied = await self._apply(batch)
            except (StorageUnavailable, TimeoutError):
                self._chain_known = False
                self._give_up(batch, aside)
                return
            except Exception as error:  # noqa: BLE001 - the task must live, and one unit's fault is not the others'
                self._chain_known = False
                if len(batch) == 1:
                    batch[0].fail(_as_ours(error))
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
            waiting.fail(StorageUnavailable("others work on the same rows", retry_after=1))

    def _give_up(self, batch: Sequence[_Waiting], aside: list[_Waiting]) -> None:
        """Who waits behind them has waited as long as they have: nobody waits for the database twice."""
        for waiting in (*batch, *aside, *self._waiting):
            waiting.fail(StorageUnavailable("the database does not answer", retry_after=1))
        aside.clear()
        self._waiting.clear()

    async def _apply(self, batch: Sequence[_Waiting]) -> Applied:
        if not self._chain_known:
            await self._chain.recall(self._storage)
            self._chain_known = True
        records = self._chain.extend(entry for waiting in batch for entry in waiting.audit)
        units, taken = [], 0
        for waiting in batch:
            own = records[taken : taken + len(waiting.audit)]
            taken += len(own)
            unit = waiting.unit
            units.append(replace(unit, rows=(*unit.rows, *own)))
        started = time.perf_counter()
        failpoints.reached("commit.before")
        applied = await self._storage.apply(units)
        failpoints.reached("commit.after")
        COMMIT_SECONDS.observe(time.perf_counter() - started)
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
                self._chain_known = False  # a commit that we gave up on came through; nobody's fault
                continue
            losers.add(conflict.unit)
            if isinstance(conflict.cause, Change) and conflict.found is None and len(batch) > 1:
                aside.append(batch[conflict.unit])  # nobody has looked yet whether the row still is as it expects
            else:
                batch[conflict.unit].fail(_error_of(conflict, batch[conflict.unit].unit))
        return [waiting for n, waiting in enumerate(batch) if n not in losers]


def _error_of(conflict: Conflict, unit: Unit) -> StrongroomError | Lost:
    if isinstance(conflict.cause, Address) and conflict.cause in unit.same:
        return IntegrityError("the stored address is not the one that was derived")
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
        waiting.succeed(present.get(n, ()))
