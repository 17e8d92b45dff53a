"""What the handlers of background tasks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from strongroom.alerts.base import Alerting
from strongroom.domain.brief import brief
from strongroom.domain.discovery import RATE
from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditEntry, AuditOutcome, OperationRecord
from strongroom.domain.task import Progress
from strongroom.domain.verification import Slice
from strongroom.errors import IntegrityError
from strongroom.operations.networks import Networks
from strongroom.operations.reading import Reading
from strongroom.storage.base import Storage
from strongroom.tasks.base import Tasks

_NOBODY: Final = UUID(int=0)


class Followed(Protocol):
    """A row that a background task follows on behalf of a caller's operation."""

    @property
    def tenant_id(self) -> UUID: ...
    @property
    def wallet_id(self) -> UUID | None: ...
    @property
    def operation_id(self) -> UUID: ...
    @property
    def network(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    storage: Storage
    tasks: Tasks
    retention: timedelta
    """How long the result for an idempotency key is kept. The same goes for a task that has ended."""
    networks: Networks
    reading: Reading
    alerting: Alerting = field(default_factory=Alerting)
    slices: Mapping[str, Slice] = field(default_factory=dict)
    """What is verified, by name. The task `verify/NAME` runs it."""
    pause: timedelta = timedelta(seconds=0.2)
    """Pause between two slices of a task, so that requests come first."""
    discovery_rate: int = RATE
    """Addresses per second that a discovery may ask for."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def progress(self, name: str) -> Progress | None:
        """How far a verification has come, or None if there is no record or it was tampered with. It then
        starts anew.
        """
        try:
            found = await self.storage.progress(name)
        except IntegrityError:
            return None
        return found[0] if found else None

    async def entry(self, row: Followed, operation: str, details: Mapping[str, Any]) -> AuditEntry:
        """An audit entry that ``operation`` succeeded, in the name of the caller whose operation ``row`` belongs to."""
        began = await self.storage.find(OperationRecord, ("id",), [(row.operation_id,)])
        return AuditEntry(
            at=self.clock(),
            tenant_id=row.tenant_id,
            principal_id=began[0].principal_id if began else _NOBODY,
            operation=operation,
            operation_id=new_id(),
            outcome=AuditOutcome.SUCCEEDED,
            wallet_id=row.wallet_id,
            network=self.networks.resolve(row.network)[0].name,
            request_id="background",
            client="",
            details=brief(details).decode(),
        )
