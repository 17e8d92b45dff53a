"""Background work. A task says which key needs attention, and a progress row how far a long job has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Task:
    """A key that only one process may work on at a time. It says when a process must look, not what it must do."""

    kind: str
    key: str
    tenant_id: UUID | None
    """The tenant that the work is for, or None for the service itself."""
    due_at: datetime | None
    """None if the task sleeps until it is woken."""
    lease_until: datetime | None
    epoch: int
    """Increased by each claim and each settlement. Only the epoch of the claim can settle."""
    wanted: int
    """How often it was woken. A process sees by it whether the task was woken again while it worked."""
    attempts: int
    """Claims since the last success."""
    last_error_code: str | None
    created_at: datetime

    @property
    def place(self) -> tuple[str, str]:
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job of many slices has come. It is written in the same commit that settles a slice."""

    name: str
    """Kind and key of its task, such as `verify/audit`."""
    cursor: bytes | None
    """Where the next slice begins, or None for the start."""
    started_at: datetime
    """When the current or last round began."""
    finished_at: datetime | None
    """When a round was last completed."""
    checked: int
    """How many rows this round has looked at so far."""
    findings: int
    """How many rows this round has found wrong or removed so far."""
