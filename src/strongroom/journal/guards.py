"""Guards: each nonce, seqno or output is signed for at most once.

A guard belongs to the operation that signed for it, or is about to. An operation that may sign something else for it
leaves a mark (``replaced_by``) in T1 and becomes the holder in T2. If it fails, the mark is removed and the guard stays
as it was, since the first signature is out. A replacement takes all guards of what it replaces, including those that it
does not use up itself. `journal.lineage` says what it must share with those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from strongroom.domain.record import HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard, SignOptions
from strongroom.errors import AlreadySigned, Superseded
from strongroom.journal import lineage
from strongroom.journal.idempotency import given_up, in_flight, is_abandoned
from strongroom.storage.base import Change, MoveGuard, Storage


@dataclass(frozen=True, slots=True)
class Marked:
    """A guard of another operation, as it is after T1 and after T2."""

    held: HeldGuard
    to: HeldGuard
    dropped: bool = False
    """Whether only the replaced transaction uses it up. Then it does not matter for the permission to sign whether it
    moves.
    """


@dataclass(slots=True)
class Plan:
    """What T1 does about the guards of one operation."""

    same: list[HeldGuard] = field(default_factory=list)
    moves: list[MoveGuard] = field(default_factory=list)
    given_up: dict[UUID, Change] = field(default_factory=dict)
    """By operation."""
    marked: list[Marked] = field(default_factory=list)

    @property
    def changes(self) -> list[Change | MoveGuard]:
        return [*self.given_up.values(), *self.moves]


def place(guard: Guard) -> tuple[str, str, str, str]:
    """What is guarded."""
    return (guard.keyspace, guard.chain_id, guard.address, guard.sequence)


def hold(guards: Sequence[Guard], mine: OperationRecord) -> Plan:
    """The plan if nobody else holds a guard and nothing is replaced."""
    return Plan(same=[HeldGuard(mine.tenant_id, guard, mine.id) for guard in guards])


class Planner:
    """Makes the plan for one attempt at T1 from what is stored. Raises AlreadySigned, InFlight."""

    def __init__(self, storage: Storage, mine: OperationRecord, options: SignOptions, now: datetime) -> None:
        self._storage = storage
        self._mine = mine
        self._options = options
        self._now = now
        self._plan = Plan()
        self._replaced: list[HeldGuard] = []
        """Those of ``guards`` that the transaction in ``replaces`` holds."""
        self._holders: dict[UUID, tuple[OperationRecord | None, frozenset[str | None]]] = {}

    async def plan(self, guards: Sequence[Guard]) -> Plan:
        for guard in guards:
            await self._add(guard)
        if self._options.replaces is not None:
            await self._replace(guards, self._options.replaces)
        return self._plan

    async def _add(self, guard: Guard) -> None:
        wanted = HeldGuard(self._mine.tenant_id, guard, self._mine.id)
        held = await self._storage.guard(guard)
        if held is None or held.guard == guard:
            self._plan.same.append(wanted)
        elif await self._is_free(held):
            self._plan.moves.append(MoveGuard(held, wanted))
        else:
            await self._require_permission(held)
            await self._mark(held, wanted)

    async def _is_free(self, held: HeldGuard) -> bool:
        """Whether no signature of its holder has left, and none will. Raises InFlight if one still may."""
        holder, signed = await self._holder(held)
        if holder is None or signed or holder.state is OperationState.DONE:
            return False  # a signature is out, whatever the state says
        if holder.id == self._mine.id:  # from an earlier attempt of this operation
            return True
        if not is_abandoned(holder, self._now):
            raise in_flight(holder, self._now)
        self._plan.given_up[holder.id] = given_up(holder)
        return True

    async def _holder(self, held: HeldGuard) -> tuple[OperationRecord | None, frozenset[str | None]]:
        """The holder, and the ids of what it signed. The id of an incomplete transaction may be None."""
        found = self._holders.get(held.operation_id)
        if found is None:
            holder = await self._storage.operation(held.tenant_id, held.operation_id)
            signed = await self._storage.signatures(held.tenant_id, held.operation_id)
            found = self._holders[held.operation_id] = (holder, frozenset(each.tx_id for each in signed))
        return found

    async def _is_replaced(self, held: HeldGuard) -> bool:
        _, signed = await self._holder(held)
        return held.tenant_id == self._mine.tenant_id and self._options.replaces in signed - {None}

    async def _require_permission(self, held: HeldGuard) -> None:
        if await self._is_replaced(held):
            self._replaced.append(held)
        elif held.tenant_id != self._mine.tenant_id or not self._options.allow_resign:
            raise await self._already_signed(held)

    async def _already_signed(self, held: HeldGuard) -> AlreadySigned:
        message = (
            "another transaction was already signed for this nonce, seqno or output. To replace it, set "
            "options.replaces to its id"
        )
        ids: list[str] = []
        if held.tenant_id == self._mine.tenant_id:
            _, signed = await self._holder(held)
            ids = sorted(filter(None, signed))
        if not ids:
            return AlreadySigned(message, field="options.replaces")
        return AlreadySigned(f"{message}: {', '.join(ids)}", field="options.replaces", tx_id=ids[0])

    async def _mark(self, held: HeldGuard, wanted: HeldGuard, *, dropped: bool = False) -> None:
        await self._give_up_replacer(held)
        marked = replace(held, replaced_by=self._mine.id)
        self._plan.moves.append(MoveGuard(held, marked))
        self._plan.marked.append(Marked(marked, wanted, dropped))

    async def _give_up_replacer(self, held: HeldGuard) -> None:
        """Another operation may have been about to replace the same guard and have died."""
        if held.replaced_by in (None, self._mine.id):
            return
        assert held.replaced_by is not None
        replacer = await self._storage.operation(held.tenant_id, held.replaced_by)
        if replacer is None or replacer.state is OperationState.DONE:
            return  # it is done, and left this guard where it is
        if not is_abandoned(replacer, self._now):
            raise in_flight(replacer, self._now)
        self._plan.given_up[replacer.id] = given_up(replacer)

    async def _replace(self, guards: Sequence[Guard], named: str) -> None:
        """The rest of the plan for a replacement. Raises AlreadySigned unless it is one."""
        if not guards:
            raise _replaces_nothing()
        mine, joint = guards[0], guards[0].joint
        me = lineage.identity(mine, joint=joint)
        before = {lineage.identity(held.guard, joint=joint) for held in self._replaced}
        shared = [held.guard for held in self._replaced if await self._is_core(held.guard, joint=joint)]
        if not shared and not await self._is_known(lineage.successor(mine, named)):
            raise _shares_too_little() if self._replaced else _replaces_nothing()
        for of in (named, *sorted(before)):
            await self._add_fact(lineage.successor(mine, of))
        for of in sorted(before):
            await self._close(lineage.lineage(mine, of))
        await self._join(lineage.lineage(mine, me))
        for used in shared:
            await self._add_fact(lineage.core(mine, me, used))
        await self._take_dropped(guards)

    async def _is_core(self, guard: Guard, *, joint: bool) -> bool:
        """Whether the holder's transaction and everything that it replaced use it up."""
        of = lineage.identity(guard, joint=joint)
        known = await self._storage.guard(lineage.lineage(guard, of))
        if known is None or known.guard.payload_hash.hex() != of:
            return True  # it replaced nothing
        return await self._storage.guard(lineage.core(guard, of, guard)) is not None

    async def _is_known(self, fact: Guard) -> bool:
        """Whether this same transaction was already found to replace what it names, by another signer or an earlier
        attempt.
        """
        held = await self._storage.guard(fact)
        return held is not None and held.guard == fact

    async def _add_fact(self, fact: Guard) -> None:
        """Adds a fact. Nobody may take it over, because ``replaces`` and ``allow_resign`` do not apply to facts."""
        wanted = HeldGuard(self._mine.tenant_id, fact, self._mine.id)
        held = await self._storage.guard(fact)
        if held is None or held.guard == fact:
            self._plan.same.append(wanted)
        elif await self._is_free(held):
            self._plan.moves.append(MoveGuard(held, wanted))
        else:
            raise _replaced_already()

    async def _close(self, fact: Guard) -> None:
        """What is replaced now cannot become the replacement of something else later."""
        held = await self._storage.guard(fact)
        if held is None or await self._is_free(held):
            await self._add_fact(fact)

    async def _join(self, fact: Guard) -> None:
        held = await self._storage.guard(fact)
        if held is None or held.guard == fact or not await self._is_replaced(held):
            await self._add_fact(fact)
        # Otherwise an earlier transaction returns in place of its own successor. It stays replaced.

    async def _take_dropped(self, guards: Sequence[Guard]) -> None:
        own = {place(guard) for guard in guards}
        for holder in {held.operation_id for held in self._replaced}:
            for held in await self._storage.guards_of(self._mine.tenant_id, holder):
                if place(held.guard) not in own and not lineage.is_fact(held.guard):
                    to = replace(held.guard, payload_hash=guards[0].payload_hash)
                    await self._mark(held, HeldGuard(self._mine.tenant_id, to, self._mine.id), dropped=True)


def _replaces_nothing() -> AlreadySigned:
    return AlreadySigned(
        "the transaction in options.replaces uses no nonce, seqno or output of this one, so both could confirm",
        field="options.replaces",
    )


def _shares_too_little() -> AlreadySigned:
    return AlreadySigned(
        "the transaction in options.replaces is itself a replacement, and this one does not share an output "
        "with every earlier one, so two of them could confirm",
        field="options.replaces",
    )


def _replaced_already() -> AlreadySigned:
    return AlreadySigned(
        "the transaction in options.replaces has been replaced already: name the latest replacement",
        field="options.replaces",
    )


def claims(plan: Plan, present: Iterable[object], mine: OperationRecord) -> list[MoveGuard]:
    """The moves in T2 for guards with the same payload that another operation holds, and for marked guards."""
    held = [row for row in present if isinstance(row, HeldGuard) and row.operation_id != mine.id]
    return [*[_claim(row, mine) for row in held], *[MoveGuard(each.held, each.to) for each in plan.marked]]


def _claim(held: HeldGuard, mine: OperationRecord) -> MoveGuard:
    """A later signer of the same payload becomes the holder, because the earlier one may still fail."""
    return MoveGuard(held, replace(held, tenant_id=mine.tenant_id, operation_id=mine.id))


async def settle_anew(storage: Storage, plan: Plan, mine: OperationRecord) -> tuple[list[HeldGuard], list[MoveGuard]]:
    """The rows and moves for another attempt at T2, after a guard had moved. Raises Superseded."""
    rows: list[HeldGuard] = []
    moves: list[MoveGuard] = []
    marked = {place(each.to.guard): each for each in plan.marked}
    for row in (*plan.same, *[move.to for move in plan.moves]):
        mark = marked.get(place(row.guard))
        target = row if mark is None else mark.to
        held = await storage.guard(target.guard)
        if held is None:
            rows.append(target)
        elif held.replaced_by == mine.id:
            moves.append(MoveGuard(held, target))
        elif held.guard == target.guard:
            if held.operation_id != mine.id:
                moves.append(_claim(held, mine))
        elif mark is None or not mark.dropped:
            raise Superseded("meanwhile another operation signed for the same nonce, seqno or output")
    return rows, moves
