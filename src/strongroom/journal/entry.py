"""The journals of calls, as operations use them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

from strongroom.domain.ids import new_id
from strongroom.domain.principal import Principal
from strongroom.domain.record import AuditOutcome, AuditRecord, OperationRecord
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import SealedSecret
from strongroom.errors import StrongroomError
from strongroom.journal import base, facts, idempotency
from strongroom.journal.at_once import AtOnce, together
from strongroom.journal.call import JournaledCall, Shared
from strongroom.journal.intent import Intent
from strongroom.storage.base import Row, Unit
from strongroom.telemetry import tracing


class Entries(Shared):
    """Makes the journals of calls. One per process."""

    def __call__(
        self,
        *,
        principal: Principal,
        request_id: str,
        client: str,
        operation: str,
        idempotency_key: str | None,
        command: bytes,
        now: datetime,
        commit: base.Commit | None = None,
    ) -> Entry:
        """``command``: the canonical bytes of the command, of which only an HMAC is kept."""
        fingerprint = idempotency.fingerprint(self._fingerprint_key, operation, command)
        kept = None if idempotency_key is None else idempotency.kept_key(self._fingerprint_key, idempotency_key)
        return Entry(self, principal, request_id, client, operation, kept, fingerprint, now, commit)

    async def commit_all(self, units: Sequence[base.Pair]) -> Sequence[Sequence[Row] | BaseException]:
        return await self.committer.commit_all(units)

    async def commit_at_once(self, intents: Sequence[base.Intent]) -> None:
        """Commits what intents with ``at_once`` have settled, all of it or nothing. Raises as `Committer.commit`."""
        unit, audit = together([each for each in intents if isinstance(each, AtOnce)])
        await self.committer.commit(unit, audit, patient=True)

    async def replays(self, entries: Sequence[base.Entry]) -> list[bytes | StrongroomError | None]:
        """For each entry what `Entry.replay` returns or raises, with a single query."""
        ours = [each for each in entries if isinstance(each, Entry)]
        names = ("tenant_id", "principal_id", "idempotency_key")
        wanted = [(each.principal.tenant_id, each.principal.id, each.idempotency_key) for each in ours]
        found = {record.idempotency_key: record for record in await self.storage.find(OperationRecord, names, wanted)}
        return [_met(each, found.get(each.idempotency_key)) for each in ours]

    async def drain(self) -> None:
        """Waits until cancelled calls are settled, and writes the counted denials. Call it before the committer is
        closed.
        """
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.denials.close()


class Entry(JournaledCall):
    """Implements `journal.base.Entry` for one call."""

    @tracing.traced("idempotency")
    async def replay(self) -> bytes | None:
        """The stored result (canonical JSON) of an earlier call with this key, or None. Raises InFlight,
        IdempotencyMismatch.
        """
        if self.idempotency_key is None:
            return None
        record = await self.shared.storage.operation_by_key(
            self.principal.tenant_id, self.principal.id, self.idempotency_key
        )
        return None if record is None else self.meet(record)

    async def deny(self, reason: str) -> None:
        """Records a denial by authorisation, on its own or in a count."""
        entry = self.audit(new_id(), AuditOutcome.DENIED, None, None, {"reason": reason})
        await self.shared.denials.record(entry, reason)

    async def commit(self, unit: Unit, *, wallet_id: UUID | None = None, network: str | None = None) -> None:
        """Commits what needs no key, audited if it belongs to a wallet or a network. Raises Lost, IntegrityError."""
        audit = []
        if wallet_id is not None or network is not None:
            details = {"wrote": facts.shortened(unit)}
            audit = [self.audit(new_id(), AuditOutcome.SUCCEEDED, wallet_id, network, details)]
        # Not through the batch's meeting point, because whoever commits this makes the others wait for it.
        await self.shared.committer.commit(unit, audit, patient=self.waits)

    async def require_authentic(self, records: Sequence[AuditRecord]) -> None:
        """Raises IntegrityError if one of ``records`` is not in its chain."""
        await self.shared.committer.require_authentic(records)

    def intent(
        self,
        *,
        wallet_id: UUID | None = None,
        network: str | None = None,
        opens: SealedSecret | None = None,
        guards: Sequence[Guard] = (),
        details: dict[str, Any] | None = None,
        options: SignOptions | None = None,
        keyed: bool = True,
        at_once: bool = False,
    ) -> Intent | AtOnce:
        if at_once and self.prior is None and not guards:
            return AtOnce(self, wallet_id, network, opens, details or {})
        entry = self
        if not keyed:
            entry = copy(self)
            entry.prior = entry.idempotency_key = None
        return Intent(entry, wallet_id, network, opens, guards, details or {}, options or SignOptions())


def _met(entry: Entry, record: OperationRecord | None) -> bytes | StrongroomError | None:
    try:
        return None if record is None else entry.meet(record)
    except StrongroomError as refusal:
        return refusal
