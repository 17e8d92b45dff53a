"""Guards: a nonce, a seqno, an outpoint is signed for once.

A guard belongs to the operation that signed for it, or is about to. Who is allowed to sign something else for it
leaves a mark (``replaced_by``) in T1 and becomes the holder in T2; if it fails, the mark is wiped and the guard stands
as it stood, since the first signature is out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from strongroom.domain.record import HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard, SignOptions
from strongroom.errors import AlreadySigned, Superseded
from strongroom.journal.idempotency import given_up, in_flight, is_abandoned
from strongroom.storage.base import Change, MoveGuard, Storage


@dataclass(slots=True)
class Plan:
    """What T1 does about the guards of one operation."""

    same: list[HeldGuard] = field(default_factory=list)
    moves: list[MoveGuard] = field(default_factory=list)
    given_up: dict[object, Change] = field(default_factory=dict)
    """By operation."""
    marked: list[HeldGuard] = field(default_factory=list)
    """As they stand after T1."""

    @property
    def changes(self) -> list[Change | MoveGuard]:
        return [*self.given_up.values(), *self.moves]


def place(guard: Guard) -> tuple[str, str, str, str]:
    """What is guarded."""
    return (guard.keyspace, guard.chain_id, guard.address, guard.sequence)


def hold(guards: Sequence[Guard], mine: OperationRecord) -> Plan:
    """The plan where nobody else holds one."""
    return Plan(same=[HeldGuard(mine.tenant_id, guard, mine.id) for guard in guards])


class Planner:
    """Makes the plan where somebody does. Raises AlreadySigned, InFlight."""

    def __init__(self, storage: Storage, mine: OperationRecord, options: SignOptions, now: datetime) -> None:
        self._storage = storage
        self._mine = mine
        self._options = options
        self._now = now

    async def plan(self, guards: Sequence[Guard]) -> Plan:
        plan = Plan()
        for guard in guards:
            await self._add(plan, HeldGuard(self._mine.tenant_id, guard, self._mine.id))
        return plan

    async def _add(self, plan: Plan, wanted: HeldGuard) -> None:
        held = await self._storage.guard(wanted.guard)
        if held is None or held.guard == wanted.guard:
            plan.same.append(wanted)
            return
        if held.operation_id == self._mine.id:  # of an earlier try of this operation
            plan.moves.append(MoveGuard(held, wanted))
            return
        holder = await self._storage.operation(held.tenant_id, held.operation_id)
        if holder is not None and is_abandoned(holder, self._now):
            plan.given_up[holder.id] = given_up(holder)
            plan.moves.append(MoveGuard(held, wanted))
            return
        if holder is not None and holder.state is OperationState.PENDING:
            raise in_flight(holder, self._now)
        await self._require_permission(held)
        await self._give_up_replacer(plan, held)
        marked = replace(held, replaced_by=self._mine.id)
        plan.moves.append(MoveGuard(held, marked))
        plan.marked.append(marked)

    async def _require_permission(self, held: HeldGuard) -> None:
        if held.tenant_id == self._mine.tenant_id:
            if self._options.allow_resign:
                return
            signed = await self._storage.signatures(held.tenant_id, held.operation_id)
            if self._options.replaces is not None and self._options.replaces in {each.tx_id for each in signed}:
                return
        raise AlreadySigned(
            "something else was signed for this nonce, seqno or output; to replace it, name its transaction id",
            field="options.replaces",
        )

    async def _give_up_replacer(self, plan: Plan, held: HeldGuard) -> None:
        """Somebody else may have been about to replace the same, and have died over it."""
        if held.replaced_by in (None, self._mine.id):
            return
        assert held.replaced_by is not None
        replacer = await self._storage.operation(held.tenant_id, held.replaced_by)
        if replacer is None:
            return
        if not is_abandoned(replacer, self._now):
            raise in_flight(replacer, self._now)
        plan.given_up[replacer.id] = given_up(replacer)


def claim(held: HeldGuard, mine: OperationRecord) -> MoveGuard:
    """T2 of who signed the same payload as the holder: it holds the guard from now on, since the holder may fail."""
    return MoveGuard(held, replace(held, tenant_id=mine.tenant_id, operation_id=mine.id))


def replaced(marked: HeldGuard, guard: Guard, mine: OperationRecord) -> MoveGuard:
    """T2 of who signed something else."""
    return MoveGuard(marked, HeldGuard(mine.tenant_id, guard, mine.id))


async def settle_anew(
    storage: Storage, guards: Sequence[Guard], mine: OperationRecord
) -> tuple[list[HeldGuard], list[MoveGuard]]:
    """Rows and moves of T2, after its first try met a guard that had moved. Raises Superseded."""
    rows: list[HeldGuard] = []
    moves: list[MoveGuard] = []
    for guard in guards:
        held = await storage.guard(guard)
        if held is None:
            rows.append(HeldGuard(mine.tenant_id, guard, mine.id))
        elif held.guard == guard:
            if held.operation_id != mine.id:
                moves.append(claim(held, mine))
        elif held.replaced_by == mine.id:
            moves.append(replaced(held, guard, mine))
        else:
            raise Superseded("another operation signed for the same nonce, seqno or output meanwhile")
    return rows, moves
