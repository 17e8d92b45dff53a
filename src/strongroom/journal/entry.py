"""The journal of one call: what it is going to do is durable before a key is opened, what it did before it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from strongroom.domain.brief import brief
from strongroom.domain.ids import new_id
from strongroom.domain.principal import Principal
from strongroom.domain.record import AuditEntry, AuditOutcome, AuditRecord, HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import Address, SealedSecret, Wallet
from strongroom.errors import ExternalIdTaken, InFlight, InternalError, StrongroomError, Superseded, Unavailable
from strongroom.journal import facts, idempotency
from strongroom.journal import guards as guarding
from strongroom.journal.base import Lost, Outdated, SigningGate
from strongroom.journal.committer import Committer
from strongroom.journal.denials import Denials
from strongroom.storage.base import Change, MoveGuard, Opens, ReleaseGuards, Row, SettleTask, Storage, Unit, Wake

_log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

_TRIES: Final = 8
_TO_JSON: Final = msgspec.json.Encoder()
"""In the order given: an answer that is replayed must have the bytes that it had."""


class Entries:
    """Makes the journals of calls; one a process."""

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
    ) -> Entry:
        """``command``: the canonical bytes of what was asked; only an HMAC of them is kept."""
        fingerprint = idempotency.fingerprint(self._fingerprint_key, operation, command)
        kept = None if idempotency_key is None else idempotency.kept_key(self._fingerprint_key, idempotency_key)
        return Entry(self, principal, request_id, client, operation, kept, fingerprint, now)

    def in_background(self, work: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        """Runs to its end even where the call that began it is cancelled."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def drain(self) -> None:
        """Waits for what cancelled calls left to settle, and writes what is counted. Before the committer is closed."""
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.denials.close()


class Entry:
    """Implements `journal.base.Entry` for one call."""

    def __init__(
        self,
        shared: Entries,
        principal: Principal,
        request_id: str,
        client: str,
        operation: str,
        idempotency_key: str | None,
        fingerprint: bytes,
        now: datetime,
    ) -> None:
        self.shared = shared
        self.principal = principal
        self.operation = operation
        self.now = now
        self.prior: OperationRecord | None = None
        """An earlier call with the same key that may be taken over."""
        self._request_id = request_id
        self._client = client
        self._idempotency_key = idempotency_key
        self._fingerprint = fingerprint

    async def replay(self) -> bytes | None:
        """The stored answer, canonical JSON, of an earlier call with this key. Raises InFlight, IdempotencyMismatch."""
        if self._idempotency_key is None:
            return None
        record = await self.shared.storage.operation_by_key(
            self.principal.tenant_id, self.principal.id, self._idempotency_key
        )
        return None if record is None else self.meet(record)

    def meet(self, record: OperationRecord) -> bytes | None:
        """The answer of who has used the key before; None where this call takes over. Raises as `replay`."""
        answer = idempotency.stored_answer(record, self._fingerprint, self.shared.clock())
        if answer is None:
            self.prior = record
        return answer

    async def deny(self, reason: str) -> None:
        """The audit record of a denial by authorisation, or its place in the count of many."""
        entry = self.audit(new_id(), AuditOutcome.DENIED, None, None, {"reason": reason})
        await self.shared.denials.record(entry, reason)

    async def commit(self, unit: Unit, *, wallet_id: UUID | None = None, network: str | None = None) -> None:
        """What needs no key; audited if it is of a wallet or a network. Raises Lost, IntegrityError."""
        audit = []
        if wallet_id is not None or network is not None:
            details = {"wrote": facts.shortened(unit)}
            audit = [self.audit(new_id(), AuditOutcome.SUCCEEDED, wallet_id, network, details)]
        await self.shared.committer.commit(unit, audit)

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
    ) -> Intent:
        entry = self
        if not keyed:
            entry = copy(self)
            entry.prior = entry._idempotency_key = None
        return Intent(entry, wallet_id, network, opens, guards, details or {}, options or SignOptions())

    def new_record(self, wallet_id: UUID | None) -> OperationRecord:
        return OperationRecord(
            tenant_id=self.principal.tenant_id,
            id=new_id(),
            principal_id=self.principal.id,
            idempotency_key=self._idempotency_key,
            fingerprint=self._fingerprint,
            name=self.operation,
            wallet_id=wallet_id,
            state=OperationState.PENDING,
            lease_until=self.shared.clock() + self.shared.lease,
            epoch=1,
            result=None,
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


class Intent:
    """An operation between its two commits. Implements `journal.base.Intent`."""

    def __init__(
        self,
        entry: Entry,
        wallet_id: UUID | None,
        network: str | None,
        opens: SealedSecret | None,
        guards: Sequence[Guard],
        details: dict[str, Any],
        options: SignOptions,
    ) -> None:
        self._entry = entry
        self._committer = entry.shared.committer
        self._storage = entry.shared.storage
        self._wallet_id = wallet_id
        self._network = network
        self._opens = () if opens is None else (Opens(opens),)
        self._guards = guards
        self._details = details
        self._options = options
        self._record, self._own = self._take_place()
        self._plan = guarding.Plan()
        self._moves: list[MoveGuard] = []
        """What T2 does about guards that others hold."""
        self._taken_from: set[UUID] = set()
        self._unit: Unit | None = None
        self._met: Callable[[Row | None], msgspec.Struct | None] = lambda _: None
        self._result = b""

    @property
    def operation_id(self) -> UUID:
        return self._record.id

    def settle(
        self,
        result: msgspec.Struct | None,
        *,
        rows: Sequence[Row] = (),
        same: Sequence[Address] = (),
        changes: Sequence[Change | MoveGuard | SettleTask] = (),
        wakes: Sequence[Wake] = (),
        met: Callable[[Row | None], msgspec.Struct | None] = lambda _: None,
        details: dict[str, Any] | None = None,
    ) -> None:
        self._result = _TO_JSON.encode(result)
        self._unit = Unit(rows, same, changes, wakes=wakes)
        self._met = met
        self._details = details or {}

    async def __aenter__(self) -> Intent:
        try:
            await self._begin()
        except asyncio.CancelledError:
            # T1 may be on its way all the same. This comes after it, and loses where T1 was not committed.
            self._entry.shared.in_background(self._fail("cancelled"))
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None and self._unit is not None:
            await self._succeed(self._unit)
            return
        await self._settle_failed("not_settled" if error is None else _code(error))
        if error is None:
            raise InternalError("the operation ended without a result")

    async def _begin(self) -> None:
        """T1."""
        if self._entry.shared.gate is not None and self._guards:
            await self._entry.shared.gate.permit(self._guards)
        plan = guarding.hold(self._guards, self._record)
        if self._options.replaces is not None:  # which must be true, also where no guard is held
            plan = await self._planner().plan(self._guards)
        for _ in range(_TRIES):
            changes = [*self._own.changes, *plan.changes]
            unit = Unit(self._own.rows, plan.same, changes, opens=self._opens)
            try:
                present = await self._committer.commit(unit, [self._audit(AuditOutcome.REQUESTED)])
            except Lost as lost:
                plan = await self._plan_anew(lost)
                continue
            self._note_taken(plan.moves)
            self._plan, self._moves = plan, guarding.claims(plan, present, self._record)
            return
        raise InFlight("others work on the same nonce, seqno or output; try again", retry_after=1)

    def _take_place(self) -> tuple[OperationRecord, Unit]:
        """The operation's row and what T1 does to it: a new one, or that of the call that is taken over."""
        prior = self._entry.prior
        if prior is None:
            record = self._entry.new_record(self._wallet_id)
            return record, Unit(rows=[record])
        lease_until = self._entry.shared.clock() + self._entry.shared.lease
        record, change = idempotency.taken_over(prior, lease_until)
        return record, Unit(changes=[change])

    async def _plan_anew(self, lost: Lost) -> guarding.Plan:
        """Raises Outdated, InFlight, IdempotencyMismatch, AlreadySigned."""
        cause, found = lost.conflict.cause, lost.conflict.found
        if isinstance(cause, Opens):
            raise Outdated(cause.secret.wallet_id) from None
        own = isinstance(cause, OperationRecord) or (isinstance(cause, Change) and cause.id == self._record.id)
        if own and (not isinstance(found, OperationRecord) or self._entry.meet(found) is not None):
            raise InFlight("the same operation has just been done; ask again", retry_after=1) from lost
        if own:
            self._record, self._own = self._take_place()
        return await self._planner().plan(self._guards)

    def _planner(self) -> guarding.Planner:
        return guarding.Planner(self._storage, self._record, self._options, self._entry.shared.clock())

    def _note_taken(self, moves: Sequence[MoveGuard]) -> None:
        """The audit says from whom guards were taken, so that none can be given back unseen."""
        self._taken_from |= {each.held.operation_id for each in moves} - {self._record.id}

    async def _succeed(self, unit: Unit) -> None:
        """T2. Nothing has left the service before it is durable."""
        settled = idempotency.settled(
            self._record, state=OperationState.DONE, result=self._result, wallet_id=self._wallet_id
        )
        guards: list[HeldGuard] = []
        for _ in range(_TRIES):
            self._note_taken(self._moves)
            wrote = facts.shortened(unit, self._guards, self._record.epoch, self._taken_from)
            changes = [settled, *self._moves, *unit.changes]
            whole = Unit([*guards, *unit.rows], unit.same, changes, wakes=unit.wakes)
            try:
                await self._committer.commit(whole, [self._audit(AuditOutcome.SUCCEEDED, wrote=wrote)])
            except Lost as lost:
                if lost.conflict.cause == settled:
                    raise _taken_over() from lost
                if isinstance(lost.conflict.cause, HeldGuard | MoveGuard):
                    guards, self._moves = await self._guards_anew()
                    continue
                answer = self._met(lost.conflict.found)
                if answer is None:
                    raise await self._refusal(lost) from lost
                self.settle(answer, details={"already_done": True})
                await self._succeed(Unit())
                return
            except StrongroomError as error:
                if not isinstance(error, Unavailable):
                    await self._settle_failed(error.code)
                raise
            return
        await self._settle_failed(Superseded.code)
        raise Superseded("others work on the same nonce, seqno or output")

    async def _refusal(self, lost: Lost) -> StrongroomError:
        """Who took over may have written the same rows: whether it did decides what this is."""
        meaning = _meaning(lost)
        return meaning if await self._settle_failed(meaning.code) else _taken_over()

    async def _guards_anew(self) -> tuple[list[HeldGuard], list[MoveGuard]]:
        try:
            return await guarding.settle_anew(self._storage, self._plan, self._record)
        except Superseded:
            await self._settle_failed(Superseded.code)
            raise

    async def _settle_failed(self, code: str) -> bool:
        """Shielded: also a call that is being cancelled settles."""
        return await asyncio.shield(self._entry.shared.in_background(self._fail(code)))

    async def _fail(self, code: str) -> bool:
        """T2 of a failure. Where it cannot be written the lease ends the operation. False: it was taken over."""
        self._details = {"error": code}
        unit = Unit(
            changes=[idempotency.settled(self._record, state=OperationState.FAILED)],
            releases=[ReleaseGuards(self._record.id)] if self._guards else (),
        )
        try:
            await self._committer.commit(unit, [self._audit(AuditOutcome.FAILED)])
        except Lost:
            return False
        except StrongroomError as error:
            _log.warning("operation.not_settled", operation_id=str(self._record.id), code=error.code)
        return True

    def _audit(self, outcome: AuditOutcome, **more: Any) -> AuditEntry:
        return self._entry.audit(self._record.id, outcome, self._wallet_id, self._network, {**self._details, **more})


def _taken_over() -> Superseded:
    return Superseded("the operation was taken over by a later request")


def _code(error: BaseException) -> str:
    if isinstance(error, StrongroomError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError) else InternalError.code


def _meaning(lost: Lost) -> StrongroomError:
    if isinstance(lost.conflict.cause, Wallet):
        return ExternalIdTaken("another wallet has this external_id", field="external_id")
    return InFlight("another request did the same at this moment; try again", retry_after=1)
