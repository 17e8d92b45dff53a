"""The port of background work: where due tasks are claimed, and what a kind of work is.

wake      in the unit that creates the work: `storage.base.Wake`
claim     `Tasks.claim`: takes a lease, and an epoch that only this claim has
run       `Kind.run`: a handler in `operations/`
settle    in one unit with the handler's result: `storage.base.SettleTask`

A process may die between any two of these steps. A task that was not settled is claimed again when its lease ends. An
effect outside the database may therefore happen twice, so a handler's effects must be idempotent.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from strongroom.domain.record import AuditEntry
from strongroom.domain.task import Task
from strongroom.storage.base import Backlog, Unit

C = TypeVar("C")
"""The context that the handlers of a process share."""


class Tasks(Protocol):
    """All methods raise StorageUnavailable. Times are those of the database's clock."""

    async def due(self, kinds: Sequence[str]) -> set[str]:
        """Return those of the kinds that have something to claim."""

    async def claim(self, kind: str, most: int, lease: timedelta) -> list[Task]:
        """Claim up to ``most`` due tasks without a lease, the oldest first. Returns them as claimed."""

    async def renew(self, held: Sequence[Task], lease: timedelta) -> set[tuple[str, str]]:
        """Kind and key of the tasks that are still held. The others were claimed by another process, or cancelled."""

    async def backlog(self, kinds: Sequence[str]) -> list[Backlog]: ...

    async def purge(self, older_than: timedelta, most: int) -> int:
        """Delete sleeping rows that were created that long ago, and return their number."""


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a handler. It is committed together with the settlement of its task, or not at all."""

    unit: Unit = field(default_factory=Unit)
    audit: Sequence[AuditEntry] = ()
    again: timedelta | None = None
    """The task is due again after this time. None: when its schedule says so, or when it is woken."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Pauses between attempts with full jitter: random up to ``first`` seconds, doubled each time up to ``longest``."""

    first: float = 1.0
    longest: float = 300.0

    def pause(self, attempts: int) -> timedelta:
        most = min(self.longest, self.first * 2 ** min(attempts - 1, 30))
        return timedelta(seconds=random.uniform(0, most))  # noqa: S311 - the pause is no secret


Schedule = Callable[[datetime], datetime]
"""Returns when a job is due next after the given time."""


async def _nothing(_task: Task, _code: str, _context: object) -> Done:
    return Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[C]):
    """One kind of background work, with what the runner needs to know."""

    name: str
    run: Callable[[Task, C], Awaitable[Done]]
    slots: int
    """How many tasks of this kind run at once in a process. A slow kind takes no slots from others."""
    lease: timedelta = timedelta(seconds=30)
    """Renewed each time a third of it has passed while the handler runs."""
    timeout: timedelta = timedelta(minutes=5)
    """When to give up on a handler, so that it does not hold a slot forever."""
    ladder: Ladder = Ladder()
    attempts: int = 10
    give_up: Callable[[Task, str, C], Awaitable[Done]] = _nothing
    """Returns how to end after the last attempt. The second argument is the code of the last error."""
    schedule: Mapping[str, Schedule] = field(default_factory=dict)
    """Jobs of the service itself, by key. Each has one row, which is settled to its next time."""
