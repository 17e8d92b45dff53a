"""What the handlers of background work share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from strongroom.domain.task import Progress
from strongroom.domain.verification import Slice
from strongroom.errors import IntegrityError
from strongroom.operations.networks import Networks
from strongroom.operations.reading import Reading
from strongroom.storage.base import Storage
from strongroom.tasks.base import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    storage: Storage
    tasks: Tasks
    retention: timedelta
    """How long the answer to an idempotency key, and a task that sleeps, is kept."""
    networks: Networks
    reading: Reading
    slices: Mapping[str, Slice] = field(default_factory=dict)
    """What is verified, by name: a job `verify/name` each."""
    pause: timedelta = timedelta(seconds=0.2)
    """Between two slices of a job, so that requests come first."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def progress(self, name: str) -> Progress | None:
        """None also if somebody changed it: then the alarm was given, and the job begins anew."""
        try:
            found = await self.storage.progress(name)
        except IntegrityError:
            return None
        return found[0] if found else None
