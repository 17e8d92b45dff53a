"""Deletes what is kept only for a while: stored results with their idempotency keys, abandoned leases, finished tasks,
old alerts, and the bytes of transactions that were broadcast.

The row of an operation stays, because the audit, guards and signatures refer to it, and a deleted row could not be told
from one that an attacker removed. The audit itself is never shortened.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from strongroom.domain.ids import first_id
from strongroom.domain.record import (
    AuditEntry,
    AuditOutcome,
    Broadcast,
    BroadcastState,
    OperationRecord,
    OperationState,
)
from strongroom.domain.task import Progress, Task
from strongroom.operations.duties import Duties
from strongroom.storage.base import Change, ReleaseGuards, Unit
from strongroom.tasks.base import Done

_A_SLICE: Final = 200
_BROADCASTS: Final = 50
"""Broadcasts per slice. One can have 800 KB."""
_BYTES_KEPT: Final = timedelta(days=30)
"""At least this long. While a transaction may be in a node's pool, its bytes tell whether it was replaced."""
_ALERTS_KEPT: Final = timedelta(days=90)
_AT_ONCE: Final = timedelta()
_IN_FLIGHT: Final = timedelta(minutes=1)
_START: Final = UUID(int=0)


async def purge(task: Task, duties: Duties) -> Done:
    """The handler of `purge`. The task's key is `operations`, `broadcasts`, `tasks` or `alerts`."""
    if task.key == "operations":
        return await _purge_operations(duties)
    if task.key == "broadcasts":
        return await _empty_broadcasts(duties)
    if task.key == "tasks":
        deleted = await duties.tasks.purge(duties.retention, _A_SLICE)
        return Done(again=_AT_ONCE if deleted == _A_SLICE else None)
    if task.key == "alerts":
        deleted = await duties.storage.forget_alerts(duties.clock() - _ALERTS_KEPT, _A_SLICE)
        return Done(again=_AT_ONCE if deleted >= _A_SLICE else None)
    return Done()


async def _purge_operations(duties: Duties) -> Done:
    """One slice of operations in the order of their ids, starting where the last round ended."""
    now = duties.clock()
    progress = await _round(duties, "purge/operations", now)
    after = _START if progress.cursor is None else UUID(bytes=progress.cursor)
    found = await duties.storage.operations_between(after, first_id(now - duties.retention), _A_SLICE)
    passed: list[OperationRecord] = []
    for record in found:
        if record.state is OperationState.PENDING and record.lease_until > now:
            break  # its key has just been used again, so the next round starts here
        passed.append(record)
    abandoned = [record for record in passed if record.state is OperationState.PENDING]
    unit = Unit(
        changes=[
            _emptied(record) for record in passed if record.state is OperationState.PENDING or _is_answered(record)
        ],
        releases=[ReleaseGuards(record.id) for record in abandoned],
        progress=[
            replace(
                progress,
                cursor=passed[-1].id.bytes if passed else progress.cursor,
                finished_at=now if len(found) < _A_SLICE else progress.finished_at,
                checked=progress.checked + len(passed),
                findings=progress.findings + sum(map(_is_answered, passed)),
            )
        ],
    )
    again = None if len(found) < _A_SLICE else _IN_FLIGHT if len(passed) < len(found) else duties.pause
    return Done(unit, [_given_up(record, now) for record in abandoned], again)


async def _empty_broadcasts(duties: Duties) -> Done:
    """One slice of broadcasts in the order of their ids. Each round starts with the first.

    The epoch stays, so restoring such a row from a backup restores its bytes and nothing else.
    """
    now = duties.clock()
    progress = await _round(duties, "purge/broadcasts", now)
    after = _START if progress.cursor is None else UUID(bytes=progress.cursor)
    found = await duties.storage.broadcasts_after(after, _BROADCASTS)
    is_over = len(found) < _BROADCASTS
    kept_since = now - max(duties.retention, _BYTES_KEPT)
    old = [row for row in found if row.raw and row.state is not BroadcastState.UNKNOWN and row.created_at < kept_since]
    unit = Unit(
        changes=[Change(Broadcast, row.id, {"epoch": row.epoch}, {"raw": ""}) for row in old],
        progress=[
            replace(
                progress,
                cursor=None if is_over else found[-1].id.bytes,
                finished_at=now if is_over else progress.finished_at,
                checked=progress.checked + len(found),
                findings=progress.findings + len(old),
            )
        ],
    )
    return Done(unit, again=None if is_over else duties.pause)


async def _round(duties: Duties, name: str, now: datetime) -> Progress:
    """The progress of the current round, or a new one."""
    known = await duties.progress(name)
    if known is None or known.finished_at is None or known.finished_at < known.started_at:
        return known or Progress(name, None, now, None, 0, 0)
    return replace(known, started_at=now, checked=0, findings=0)


def _is_answered(record: OperationRecord) -> bool:
    """Whether the row still has a key or a result."""
    return record.idempotency_key is not None or record.result is not None


def _emptied(record: OperationRecord) -> Change:
    """Removes the result and frees the key. A pending operation becomes failed, because nothing of it left the
    service.
    """
    empty: dict[str, object] = {"idempotency_key": None, "result": None}
    expect = {"epoch": record.epoch, "state": record.state}
    if record.state is not OperationState.PENDING:
        return Change(OperationRecord, record.id, expect, empty, record)
    failed = {"state": OperationState.FAILED, "epoch": record.epoch + 1}
    return Change(OperationRecord, record.id, expect, {**empty, **failed}, record)


def _given_up(record: OperationRecord, now: datetime) -> AuditEntry:
    return AuditEntry(
        at=now,
        tenant_id=record.tenant_id,
        principal_id=record.principal_id,
        operation=record.name,
        operation_id=record.id,
        outcome=AuditOutcome.FAILED,
        wallet_id=record.wallet_id,
        network=None,
        request_id="background",
        client="",
        details='{"error":"abandoned"}',
    )
