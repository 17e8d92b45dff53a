"""The port of background work: where due keys are claimed, and what a kind of work is.

wake      in the unit that makes the work: `storage.base.Wake`
claim     `Tasks.claim`: a lease, and an epoch that only this claim has
run       `Kind.run`: a handler in `operations/`
settle    in one unit with what the handler did: `storage.base.SettleTask`

A process may die between any two of them. What was not settled is claimed again when its lease is over, so an effect
outside the database may happen twice, and a handler's effects must be the same the second time.
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
"""What the handlers of a process share."""


class Tasks(Protocol):
    """Everything raises StorageUnavailable if the database cannot be asked. The clock is the database's."""

    async def due(self, kinds: Sequence[str]) -> set[str]:
        """Of which of these kinds there is something to claim."""

    async def claim(self, kind: str, most: int, lease: timedelta) -> list[Task]:
        """What was due first and is under no lease, as it is after the claim."""

    async def renew(self, held: Sequence[Task], lease: timedelta) -> set[tuple[str, str]]:
        """Kind and key of those that are still held: the others were claimed by somebody else, or cancelled."""

    async def backlog(self, kinds: Sequence[str]) -> list[Backlog]: ...

    async def purge(self, older_than: timedelta, most: int) -> int:
        """Deletes rows that sleep and were made so long ago. Returns how many."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler did: it is committed with the settlement of its task, or not at all."""

    unit: Unit = field(default_factory=Unit)
    audit: Sequence[AuditEntry] = ()
    again: timedelta | None = None
    """The task is due again after this; None: when its schedule says so, or when somebody wakes it."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Seconds between attempts: anything up to ``first`` doubled each time, at most ``longest`` (full jitter)."""

    first: float = 1.0
    longest: float = 300.0

    def pause(self, attempts: int) -> timedelta:
        most = min(self.longest, self.first * 2 ** min(attempts - 1, 30))
        return timedelta(seconds=random.uniform(0, most))  # noqa: S311 - nobody is to be kept from guessing it


Schedule = Callable[[datetime], datetime]
"""When, after this moment, a job is due next."""


async def _nothing(_task: Task, _code: str, _context: object) -> Done:
    return Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[C]):
    """One kind of background work, as the runner needs to know it."""

    name: str
    run: Callable[[Task, C], Awaitable[Done]]
    slots: int
    """How many of it run at once in a process: what is slow takes no slot of another kind."""
    lease: timedelta = timedelta(seconds=30)
    """It is renewed every third of this while the handler runs."""
    timeout: timedelta = timedelta(minutes=5)
    """After which a handler is given up: a slot is not held for ever."""
    ladder: Ladder = Ladder()
    attempts: int = 10
    give_up: Callable[[Task, str, C], Awaitable[Done]] = _nothing
    """After the last attempt: the state that the domain row ends in. The second argument is the last error's code."""
    schedule: Mapping[str, Schedule] = field(default_factory=dict)
    """By key: jobs of the service itself. Each has one row, and settles itself to its next time."""
