"""One call as its journal sees it, and what the journals of all calls of a process share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from strongroom.domain.brief import brief
from strongroom.domain.ids import new_id
from strongroom.domain.principal import Principal
from strongroom.domain.record import AuditEntry, AuditOutcome, OperationRecord, OperationState
from strongroom.journal import base, idempotency
from strongroom.journal.base import SigningGate
from strongroom.journal.committer import Committer
from strongroom.journal.denials import Denials
from strongroom.storage.base import Storage

Clock = Callable[[], datetime]


class Shared:
    """What the journals of one process share."""

    def __init__(
        self,
        committer: Committer,
        storage: Storage,
        fingerprint_key: bytes,
        *,
        lease: timedelta = timedelta(seconds=30),
        clock: Clock = lambda: datetime.now(UTC),
        gate: SigningGate | None = None,
    ) -> None:
        self.gate = gate
        self.committer = committer
        self.storage = storage
        self.lease = lease
        self.clock = clock
        self.denials = Denials(committer.commit, clock)
        self._fingerprint_key = fingerprint_key
        self._background: set[asyncio.Task[bool]] = set()

    def in_background(self, work: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        """Runs ``work`` to its end even if the call that began it is cancelled."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task


class JournaledCall:
    """The caller, its idempotency key, and the rows and audit records made from them."""

    def __init__(
        self,
        shared: Shared,
        principal: Principal,
        request_id: str,
        client: str,
        operation: str,
        idempotency_key: str | None,
        fingerprint: bytes,
        now: datetime,
        commit: base.Commit | None = None,
    ) -> None:
        self.shared = shared
        self.waits = commit is not None
        """Whether its units belong to a batch and let others go first."""
        self.commit_unit: base.Commit = commit or shared.committer.commit
        self.principal = principal
        self.operation = operation
        self.now = now
        self.prior: OperationRecord | None = None
        """An earlier call with the same key that may be taken over."""
        self._request_id = request_id
        self._client = client
        self.idempotency_key = idempotency_key
        self._fingerprint = fingerprint

    def meet(self, record: OperationRecord) -> bytes | None:
        """The result of the earlier call with this key, or None if this call takes it over. Raises as `replay`."""
        answer = idempotency.stored_answer(record, self._fingerprint, self.shared.clock())
        if answer is None:
            self.prior = record
        return answer

    def new_record(
        self,
        wallet_id: UUID | None,
        *,
        id_: UUID | None = None,
        state: OperationState = OperationState.PENDING,
        result: bytes | None = None,
    ) -> OperationRecord:
        return OperationRecord(
            tenant_id=self.principal.tenant_id,
            id=id_ or new_id(),
            principal_id=self.principal.id,
            idempotency_key=self.idempotency_key,
            fingerprint=self._fingerprint,
            name=self.operation,
            wallet_id=wallet_id,
            state=state,
            lease_until=self.shared.clock() + self.shared.lease,
            epoch=1,
            result=result,
            created_at=self.now,
        )

    def audit(
        self,
        operation_id: UUID,
        outcome: AuditOutcome,
        wallet_id: UUID | None,
        network: str | None,
        details: dict[str, Any],
    ) -> AuditEntry:
        return AuditEntry(
            at=self.shared.clock(),
            tenant_id=self.principal.tenant_id,
            principal_id=self.principal.id,
            operation=self.operation,
            operation_id=operation_id,
            outcome=outcome,
            wallet_id=wallet_id,
            network=network,
            request_id=self._request_id,
            client=self._client,
            details=brief(details).decode(),
        )
