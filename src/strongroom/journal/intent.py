"""An operation between its two commits. It is recorded before a key is opened, and its result before it responds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from strongroom.domain.record import AuditEntry, AuditOutcome, HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import Address, SealedSecret
from strongroom.errors import InFlight, InternalError, StrongroomError, Superseded, Unavailable
from strongroom.journal import facts, idempotency
from strongroom.journal import guards as guarding
from strongroom.journal.base import Lost, Outdated, taken
from strongroom.journal.call import JournaledCall
from strongroom.storage.base import Change, MoveGuard, Opens, ReleaseGuards, Row, SettleTask, Unit, Wake
from strongroom.telemetry import tracing

_log = structlog.get_logger(__name__)

_TRIES: Final = 8
_TO_JSON: Final = msgspec.json.Encoder()
"""In the given order, because a replayed result must have the same bytes."""


class Intent:
    """An operation between its two commits. Implements `journal.base.Intent`."""

    def __init__(
        self,
        call: JournaledCall,
        wallet_id: UUID | None,
        network: str | None,
        opens: SealedSecret | None,
        guards: Sequence[Guard],
        details: dict[str, Any],
        options: SignOptions,
    ) -> None:
        self._call = call
        self._committer = call.shared.committer
        self._storage = call.shared.storage
        self._wallet_id = wallet_id
        self._network = network
        self._opens = () if opens is None else (Opens(opens),)
        self._guards = guards
        self._details = details
        self._options = options
        self._record, self._own = self._take_place()
        self._plan = guarding.Plan()
        self._moves: list[MoveGuard] = []
        """What T2 does about guards that other operations hold."""
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
            # T1 may still be on its way. The failure is committed after it, and loses if T1 was not committed.
            self._call.shared.in_background(self._fail("cancelled"))
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
            raise InternalError("the operation ended without a result: send the request again")

    @tracing.traced("T1")
    async def _begin(self) -> None:
        """Commits T1."""
        if self._call.shared.gate is not None and self._guards:
            await self._call.shared.gate.permit(self._guards)
        plan = guarding.hold(self._guards, self._record)
        if self._options.replaces is not None:  # the replacement has to be true even if no guard is held
            plan = await self._planner().plan(self._guards)
        for _ in range(_TRIES):
            changes = [*self._own.changes, *plan.changes]
            unit = Unit(self._own.rows, plan.same, changes, opens=self._opens)
            try:
                present = await self._call.commit_unit(unit, [self._audit(AuditOutcome.REQUESTED)])
            except Lost as lost:
                plan = await self._plan_anew(lost)
                continue
            self._note_taken(plan.moves)
            self._plan, self._moves = plan, guarding.claims(plan, present, self._record)
            return
        raise InFlight("another operation is working on the same nonce, seqno or output: try again", retry_after=1)

    def _take_place(self) -> tuple[OperationRecord, Unit]:
        """The operation's row and what T1 does to it. It is new, or the row of the call that is taken over."""
        prior = self._call.prior
        if prior is None:
            record = self._call.new_record(self._wallet_id)
            return record, Unit(rows=[record])
        lease_until = self._call.shared.clock() + self._call.shared.lease
        record, change = idempotency.taken_over(prior, lease_until)
        return record, Unit(changes=[change])

    async def _plan_anew(self, lost: Lost) -> guarding.Plan:
        """The plan for another attempt. Raises Outdated, InFlight, IdempotencyMismatch, AlreadySigned."""
        cause, found = lost.conflict.cause, lost.conflict.found
        if isinstance(cause, Opens):
            raise Outdated(cause.secret.wallet_id) from None
        own = isinstance(cause, OperationRecord) or (isinstance(cause, Change) and cause.id == self._record.id)
        if own and (not isinstance(found, OperationRecord) or self._call.meet(found) is not None):
            raise InFlight("the same operation has just finished: send the request again", retry_after=1) from lost
        if own:
            self._record, self._own = self._take_place()
        return await self._planner().plan(self._guards)

    def _planner(self) -> guarding.Planner:
        return guarding.Planner(self._storage, self._record, self._options, self._call.shared.clock())

    def _note_taken(self, moves: Sequence[MoveGuard]) -> None:
        """Notes for the audit from whom guards were taken, so that none can be given back undetected."""
        if moves:
            self._taken_from |= {each.held.operation_id for each in moves} - {self._record.id}

    @tracing.traced("T2")
    async def _succeed(self, unit: Unit) -> None:
        """Commits T2. Nothing leaves the service before it is durable."""
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
                await self._call.commit_unit(whole, [self._audit(AuditOutcome.SUCCEEDED, wrote=wrote)])
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
        raise Superseded("another operation is working on the same nonce, seqno or output")

    async def _refusal(self, lost: Lost) -> StrongroomError:
        """The error after T2 lost. A later request that took over may have written the same rows, so that is checked
        first.
        """
        meaning = _meaning(lost)
        return meaning if await self._settle_failed(meaning.code) else _taken_over()

    async def _guards_anew(self) -> tuple[list[HeldGuard], list[MoveGuard]]:
        try:
            return await guarding.settle_anew(self._storage, self._plan, self._record)
        except Superseded:
            await self._settle_failed(Superseded.code)
            raise

    async def _settle_failed(self, code: str) -> bool:
        """Shielded, so that a cancelled call is settled too. False if the operation was taken over."""
        return await asyncio.shield(self._call.shared.in_background(self._fail(code)))

    async def _fail(self, code: str) -> bool:
        """T2 of a failure. If it cannot be written, the end of the lease ends the operation. False if it was taken
        over.
        """
        self._details = {"error": code}
        unit = Unit(
            changes=[idempotency.settled(self._record, state=OperationState.FAILED)],
            releases=[ReleaseGuards(self._record.id)] if self._guards else (),
        )
        try:
            # Committed after T1, which may still be on its way.
            await self._committer.commit(unit, [self._audit(AuditOutcome.FAILED)], patient=self._call.waits)
        except Lost:
            return False
        except StrongroomError as error:
            _log.warning("operation.not_settled", operation_id=str(self._record.id), code=error.code)
        return True

    def _audit(self, outcome: AuditOutcome, **more: Any) -> AuditEntry:
        return self._call.audit(self._record.id, outcome, self._wallet_id, self._network, {**self._details, **more})


def _taken_over() -> Superseded:
    return Superseded("the operation was taken over by a later request")


def _code(error: BaseException) -> str:
    if isinstance(error, StrongroomError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError) else InternalError.code


def _meaning(lost: Lost) -> StrongroomError:
    return taken(lost) or InFlight(
        "another request did the same at the same moment: send the request again", retry_after=1
    )
