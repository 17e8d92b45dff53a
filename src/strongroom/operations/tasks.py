"""Background work as an operator sees it: what waits, what runs, what failed; tried at once, or not any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import quote, unquote

import msgspec
from msgspec import Meta

from strongroom.domain.task import Task
from strongroom.errors import InvalidField, NotFound
from strongroom.operations.call import Call
from strongroom.operations.fields import Cursor, PageSize, Timestamp, decode_cursor, encode_cursor
from strongroom.storage.base import SettleTask, Wake

KindName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z_]+$", description="Kind of work")]
Key = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]+$", description="What must not be worked on twice")
]
State = Literal["sleeping", "waiting", "due", "running", "expired"]


class ListTasks(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: KindName | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class RetryTask(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: KindName
    key: Key


class CancelTask(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: KindName
    key: Key


class TaskView(msgspec.Struct, kw_only=True, frozen=True):
    kind: str
    key: str
    of_service: Annotated[bool, Meta(description="A job of the service itself, not of the tenant")]
    state: Annotated[
        State,
        Meta(
            description="sleeping: until something wakes it; waiting: for due_at; due; running; expired: its worker "
            "did not finish in time, and another takes over"
        ),
    ]
    due_at: Timestamp | None
    lease_until: Timestamp | None
    attempts: Annotated[int, Meta(description="Since it last succeeded")]
    last_error: Annotated[str | None, Meta(description="Code of the last attempt's error")]
    created_at: Timestamp

    @classmethod
    def of(cls, task: Task, now: datetime) -> Self:
        return cls(
            kind=task.kind,
            key=task.key,
            of_service=task.tenant_id is None,
            state=_state(task, now),
            due_at=task.due_at,
            lease_until=task.lease_until,
            attempts=task.attempts,
            last_error=task.last_error_code,
            created_at=task.created_at,
        )


class TaskPage(msgspec.Struct, kw_only=True, frozen=True):
    tasks: list[TaskView]
    next_cursor: str | None


def _state(task: Task, now: datetime) -> State:
    if task.lease_until is not None:
        return "running" if task.lease_until > now else "expired"
    if task.due_at is None:
        return "sleeping"
    return "waiting" if task.due_at > now else "due"


async def list_(command: ListTasks, call: Call) -> TaskPage:
    parts = decode_cursor(command.cursor, 2)
    after = None if parts is None else (parts[0], unquote(parts[1], errors="replace"))
    found = await call.storage.tasks(call.tenant_id, command.kind, after, command.limit + 1)
    page = found[: command.limit]
    more = encode_cursor(page[-1].kind, quote(page[-1].key)) if len(found) > command.limit else None
    return TaskPage(tasks=[TaskView.of(task, call.now) for task in page], next_cursor=more)


async def retry(command: RetryTask, call: Call) -> TaskView:
    """Due at once. What is running now runs once more when it is done."""
    task = await _task(command, call)
    due_at = call.now if task.due_at is None else min(task.due_at, call.now)
    view = TaskView.of(replace(task, due_at=due_at), call.now)
    async with call.journal.intent(details={"kind": task.kind, "key": task.key}) as intent:
        intent.settle(view, wakes=[Wake(task.kind, task.key, task.tenant_id)])
    return view


async def cancel(command: CancelTask, call: Call) -> TaskView:
    """Nobody looks again until something wakes it. Whoever is at it now is stopped, and can settle nothing."""
    task = await _task(command, call)
    if task.tenant_id is None:
        raise InvalidField("a job of the service itself is not cancelled; it can be put off by settings", field="key")
    settled = SettleTask(task, error="cancelled")
    view = TaskView.of(
        replace(task, due_at=None, lease_until=None, attempts=0, last_error_code=settled.error), call.now
    )
    async with call.journal.intent(details={"kind": task.kind, "key": task.key}) as intent:
        intent.settle(view, changes=[settled])
    return view


async def _task(command: RetryTask | CancelTask, call: Call) -> Task:
    """The same for one of another tenant and for one that there is not."""
    task = await call.storage.task(command.kind, command.key)
    if task is None or task.tenant_id not in (None, call.tenant_id):
        raise NotFound("there is no such task", field="key")
    return task
