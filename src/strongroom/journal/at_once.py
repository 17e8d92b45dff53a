"""An operation that opens no key makes one commit instead of two.

T1 exists so that no key is opened that was not recorded before. What a public node gives opens nothing, so a process
that dies before the commit has done nothing either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any
from uuid import UUID

import msgspec

from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditOutcome, OperationRecord, OperationState
from strongroom.domain.wallet import Address, SealedSecret
from strongroom.errors import InFlight, InternalError
from strongroom.journal import facts
from strongroom.journal.base import Lost, Outdated, Pair, taken
from strongroom.journal.call import JournaledCall
from strongroom.storage.base import Change, MoveGuard, Opens, Row, SettleTask, Unit, Wake


class AtOnce:
    """Implements `journal.base.Intent`."""

    def __init__(
        self, call: JournaledCall, wallet_id: UUID | None, network: str | None, active: SealedSecret | None,
        details: dict[str, Any],
    ) -> None:  # fmt: skip
        self._call = call
        self._network = network
        self._opens = () if active is None else (Opens(active),)
        self._details = details
        self._wallet_id = wallet_id
        self._operation_id = new_id()
        self._unit: Unit | None = None
        self._result = b""

    @property
    def operation_id(self) -> UUID:
        return self._operation_id

    def settle(
        self,
        result: msgspec.Struct | None,
        *,
        rows: Sequence[Row] = (),
        same: Sequence[Address] = (),
        changes: Sequence[Change | MoveGuard | SettleTask] = (),
        wakes: Sequence[Wake] = (),
        met: Callable[[Row | None], msgspec.Struct | None] = lambda _: None,  # noqa: ARG002 - as the port has it
        details: dict[str, Any] | None = None,
    ) -> None:
        self._result = msgspec.json.encode(result)
        self._unit = Unit(rows, same, changes, wakes=wakes)
        self._details |= details or {}

    async def __aenter__(self) -> AtOnce:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            return
        unit, audit = self.written()
        try:
            await self._call.commit_unit(unit, audit)
        except Lost as lost:
            raise self._meaning(lost) from lost

    def written(self) -> Pair:
        """The unit to commit. Raises InternalError if nothing was settled."""
        own = self._unit
        if own is None:
            raise InternalError("the operation ended without a result: send the request again")
        done = self._call.new_record(
            self._wallet_id, id_=self._operation_id, state=OperationState.DONE, result=self._result
        )
        unit = Unit([done, *own.rows], own.same, own.changes, opens=self._opens, wakes=own.wakes)
        details = {**self._details, "wrote": facts.shortened(own, (), done.epoch, ())}
        return unit, [self._call.audit(done.id, AuditOutcome.SUCCEEDED, done.wallet_id, self._network, details)]

    def _meaning(self, lost: Lost) -> Exception:
        """The error for a unit that lost. Raises IdempotencyMismatch, InFlight."""
        cause, found = lost.conflict.cause, lost.conflict.found
        if isinstance(cause, Opens):
            return Outdated(cause.secret.wallet_id)
        if isinstance(cause, OperationRecord) and isinstance(found, OperationRecord):
            self._call.meet(found)
            return InFlight("the same operation has just finished: send the request again", retry_after=1)
        return taken(lost) or InFlight(
            "another request did the same at the same moment: send the request again", retry_after=1
        )


def together(intents: Sequence[AtOnce]) -> Pair:
    """What all of them commit, as one unit, so that either all or none succeed."""
    pairs = [each.written() for each in intents]
    opens = {id(each.secret): each for unit, _ in pairs for each in unit.opens}
    unit = Unit(
        rows=[row for each, _ in pairs for row in each.rows],
        same=[row for each, _ in pairs for row in each.same],
        changes=[change for each, _ in pairs for change in each.changes],
        opens=tuple(opens.values()),
        wakes=[wake for each, _ in pairs for wake in each.wakes],
    )
    return unit, [record for _, audit in pairs for record in audit]
