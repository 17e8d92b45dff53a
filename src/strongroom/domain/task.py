"""Background work: which key has to be looked at, and how far a long job has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Task:
    """One key that must not be worked on twice at once. It says when somebody has to look, not what is to be done."""

    kind: str
    key: str
    tenant_id: UUID | None
    """Whose work it is; None: the service's own."""
    due_at: datetime | None
    """None: it sleeps until it is woken."""
    lease_until: datetime | None
    epoch: int
    """Raised by each claim and each settlement; only the epoch of the claim can settle."""
    wanted: int
    """How often it was woken: whether that happened while somebody worked on it shows here."""
    attempts: int
    """Claims since the last success."""
    last_error_code: str | None
    created_at: datetime

    @property
    def place(self) -> tuple[str, str]:
        return (self.kind, self.key)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job of many slices has come. Written in the unit that settles the slice."""

    name: str
    """Kind and key of its task: `verify/audit`."""
    cursor: bytes | None
    """Where the next slice begins; None: at the start."""
    started_at: datetime
    """When its present or last round began."""
    finished_at: datetime | None
    """When a round last came to its end."""
    checked: int
    """What this round has looked at so far."""
    findings: int
    """What this round has found wrong, or done away with, so far."""
