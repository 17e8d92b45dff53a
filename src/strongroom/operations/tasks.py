"""Background tasks for operators: list them, run one now, cancel one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from strongroom.domain.task import Task
from strongroom.errors import InvalidField, NotFound
from strongroom.operations.call import Call
from strongroom.operations.cursors import cursor_task, page_of, task_place
from strongroom.operations.fields import Cursor, PageSize, Timestamp
from strongroom.storage.base import SettleTask, Wake

KindName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z_]+$", description="Kind of task")]
Key = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]+$", description="What the task works on")]
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
    kind: Annotated[str, Meta(description="Kind of task")]
    key: Annotated[str, Meta(description="What the task works on. No two tasks of a kind have the same key")]
    of_service: Annotated[
        bool, Meta(description="Whether the task belongs to the service itself and not to the tenant")
    ]
    state: Annotated[
        State,
        Meta(
            description="sleeping: until something wakes it. waiting: for due_at. due: ready to run. running: a "
            "worker has it. expired: its worker did not finish in time, and another takes over"
        ),
    ]
    due_at: Timestamp | None
    lease_until: Timestamp | None
    attempts: Annotated[int, Meta(description="Attempts since the last success")]
    last_error: Annotated[str | None, Meta(description="Error code of the last attempt")]
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
    tasks: Annotated[list[TaskView], Meta(description="Tasks of this page")]
    next_cursor: str | None


def _state(task: Task, now: datetime) -> State:
    if task.lease_until is not None:
        return "running" if task.lease_until > now else "expired"
    if task.due_at is None:
        return "sleeping"
    return "waiting" if task.due_at > now else "due"


async def list_(command: ListTasks, call: Call) -> TaskPage:
    """A caller that may not see everything sees no tasks, because a task does not say which wallets it is about."""
    if call.principal.restriction.hides:
        return TaskPage(tasks=[], next_cursor=None)
    found = await call.storage.tasks(call.tenant_id, command.kind, cursor_task(command.cursor), command.limit + 1)
    page, more = page_of(found, command.limit, lambda task: task_place(task.kind, task.key))
    return TaskPage(tasks=[TaskView.of(task, call.now) for task in page], next_cursor=more)


async def retry(command: RetryTask, call: Call) -> TaskView:
    """Makes a task due at once. If it is running now, it runs once more afterwards. Raises NotFound."""
    task = await _task(command, call)
    due_at = call.now if task.due_at is None else min(task.due_at, call.now)
    view = TaskView.of(replace(task, due_at=due_at), call.now)
    async with call.journal.intent(details={"kind": task.kind, "key": task.key}) as intent:
        intent.settle(view, wakes=[Wake(task.kind, task.key, task.tenant_id)])
    return view


async def cancel(command: CancelTask, call: Call) -> TaskView:
    """Puts a task to sleep until something wakes it. A process that is running it is stopped and cannot settle it.

    Raises NotFound, InvalidField.
    """
    task = await _task(command, call)
    if task.tenant_id is None:
        raise InvalidField("a task of the service itself cannot be cancelled: change its settings instead", field="key")
    settled = SettleTask(task, error="cancelled")
    view = TaskView.of(
        replace(task, due_at=None, lease_until=None, attempts=0, last_error_code=settled.error), call.now
    )
    async with call.journal.intent(details={"kind": task.kind, "key": task.key}) as intent:
        intent.settle(view, changes=[settled])
    return view


async def _task(command: RetryTask | CancelTask, call: Call) -> Task:
    """The task. Raises the same NotFound for a foreign, a hidden and a missing one."""
    task = await call.storage.task(command.kind, command.key)
    if task is None or task.tenant_id not in (None, call.tenant_id) or call.principal.restriction.hides:
        raise NotFound("there is no task with this kind and key", field="key")
    return task
