"""Sending signed transactions.

Before the first byte leaves, the transaction's bytes are stored together with a task that asks for its fate until that
is known. So a process may die at any point. The same bytes can always be sent again, because a transaction takes effect
once however often it is sent.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.domain.network import Network
from strongroom.domain.record import (
    AuditEntry,
    Broadcast,
    BroadcastState,
    broadcast_id,
)
from strongroom.domain.signing import SignedIds
from strongroom.domain.task import Task
from strongroom.errors import (
    NodesDisagree,
    NodeUnavailable,
    SourceMissing,
    Superseded,
    TransactionRejected,
    UnknownNetwork,
)
from strongroom.journal.base import Lost
from strongroom.operations.call import Call
from strongroom.operations.duties import Duties
from strongroom.operations.fields import NetworkName
from strongroom.operations.tracking import tracked
from strongroom.rpc.base import Capability, Rejection, State, Status
from strongroom.storage.base import Change, Unit, Wake
from strongroom.tasks.base import Done
from strongroom.telemetry import failpoints

KIND: Final = "broadcast"
_AGAIN: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_OVER: Final = {BroadcastState.REJECTED, BroadcastState.EXPIRED}
_TRIES: Final = 8
_LONGEST: Final = 12.0
"""Seconds after which the response says that the fate is unknown. A caller with an earlier deadline is told earlier."""
_ENDED: Final = {State.EXPIRED, State.REPLACED}
_SEEN: Final = {State.PENDING, State.CONFIRMED, State.FINAL, State.FAILED}


class BroadcastTransaction(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    signed_tx: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=800_000,
            description="A signed transaction as `sign` returns it, or from any other signer",
        ),
    ]


class BroadcastView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    tx_id: str
    state: Annotated[
        Literal["accepted", "unknown", "rejected"],
        Meta(
            description="accepted: a node has taken the transaction, or already had it. unknown: it was sent or "
            "is about to be, and no node has confirmed that yet. The service keeps asking, and you "
            "may send it again unchanged. rejected: the network refuses it, and it has had no effect"
        ),
    ]
    rejected: Annotated[
        str | None,
        Meta(
            description="Why the network refuses it: insufficient_funds, nonce_used, nonce_gap, fee_too_low, "
            "already_spent, expired, invalid or policy"
        ),
    ]
    already_known: Annotated[bool, Meta(description="Whether the network already had it")]
    source: str | None


async def broadcast(command: BroadcastTransaction, call: Call) -> BroadcastView:
    """Stores the transaction, sends it and records the outcome.

    Raises TransactionRejected if the network refuses it, SourceMissing, InvalidTransaction, Superseded.
    """
    network, chain = call.networks.resolve(command.network)
    call.reading.sender(network)
    large = call.offload.is_large(command.signed_tx)
    ids = await call.offload.run(large, chain.identify, network, command.signed_tx)
    sender = await _sender(call, network, ids)
    async with call.journal.intent(wallet_id=sender, network=network.name, details={"tx_id": ids.tx_ids[0]}) as intent:
        plan = await _written_down(call, network, ids, command.signed_tx, intent.operation_id, sender)
        row = plan.row
        call.deadline.answer = waiting(network, row.tx_id)
        call.deadline.answer = view = await send(call, network, plan, ids)
        told, quicker = outcome(row, view), list[Broadcast]()

        def met(found: object) -> BroadcastView | None:
            if isinstance(found, Broadcast):
                quicker.append(found)
                return view
            return None

        intent.settle(
            view,
            changes=told.changes,
            wakes=told.wakes,
            details={"tx_id": row.tx_id, "state": view.state},
            met=met,
        )
    for found in quicker:
        await _accept_all_the_same(call, network, found, view)
    return view


async def _accept_all_the_same(call: Call, network: Network, found: Broadcast, view: BroadcastView) -> None:
    """Records that a node took the transaction, even if another process has just recorded something else."""
    changes = _changes(found, BroadcastState.ACCEPTED, None) if view.state == "accepted" else []
    if changes:
        with suppress(Lost):
            await call.journal.commit(Unit(changes=changes), wallet_id=found.wallet_id, network=network.name)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is stored before a byte of a transaction leaves, and the row after that."""

    row: Broadcast
    written: Unit
    may_have_left: bool
    """Whether bytes of this transaction, these or others, may already have reached a node."""


async def planned(
    call: Call, network: Network, ids: SignedIds, raw: str, operation_id: UUID, wallet_id: UUID | None
) -> Planned:
    """Plans a new row, or the stored row, which starts anew if it had ended. A task looks after the row.

    The row gets the caller's bytes. Other bytes may have the same id, because a witness, a signature or a state init
    may differ. ``wallet_id``: the sender, if it is one of the tenant's wallets.
    """
    found = await call.storage.broadcast(call.tenant_id, network.caip2, ids.tx_ids[0])
    if found is None:
        row = _new_row(call, network, ids, raw, wallet_id, operation_id)
        return Planned(row, Unit(rows=[row], wakes=[_look_later(row)]), may_have_left=False)
    begins_anew = found.state in _OVER
    changes = _changes(found, BroadcastState.UNKNOWN if begins_anew else found.state, None, raw)
    row = replace(found, state=BroadcastState.UNKNOWN, rejection=None) if begins_anew else found
    if changes:
        row = replace(row, raw=raw, epoch=found.epoch + 1)
    wakes = [_look_later(row)] if changes and row.state is BroadcastState.UNKNOWN else []
    return Planned(row, Unit(changes=changes, wakes=wakes), may_have_left=not begins_anew)


async def _written_down(
    call: Call, network: Network, ids: SignedIds, raw: str, operation_id: UUID, wallet_id: UUID | None
) -> Planned:
    """Stores the plan, and plans again if another process or the task has changed the row meanwhile. Raises
    Superseded.
    """
    for _ in range(_TRIES):
        plan = await planned(call, network, ids, raw, operation_id, wallet_id)
        try:
            if plan.written.rows or plan.written.changes:
                await call.journal.commit(plan.written, wallet_id=plan.row.wallet_id, network=network.name)
        except Lost as lost:
            if not isinstance(lost.conflict.found, Broadcast):
                raise
        else:
            return plan
    raise Superseded("another request is broadcasting the same transaction: send the request again")


def _new_row(
    call: Call, network: Network, ids: SignedIds, raw: str, wallet_id: UUID | None, operation_id: UUID
) -> Broadcast:
    tx_id = ids.tx_ids[0]
    return Broadcast(
        id=broadcast_id(call.tenant_id, network.caip2, tx_id),
        tenant_id=call.tenant_id,
        network=network.caip2,
        tx_id=tx_id,
        wallet_id=wallet_id,
        operation_id=operation_id,
        raw=raw,
        state=BroadcastState.UNKNOWN,
        rejection=None,
        epoch=1,
        created_at=call.now,
    )


def _look_later(row: Broadcast) -> Wake:
    """The wake of the task, late enough to leave the row to its sender first."""
    return Wake(KIND, str(row.id), row.tenant_id, after=_AGAIN)


async def send(call: Call, network: Network, plan: Planned, ids: SignedIds) -> BroadcastView:
    """Sends the bytes. Raises TransactionRejected if nothing can have left before, once the refusal is stored."""
    row = plan.row
    try:
        failpoints.reached("broadcast.before")
        async with asyncio.timeout_at(call.deadline.until(_LONGEST)):
            sent = await call.reading.reader(network).broadcast(row.raw, ids)
        failpoints.reached("broadcast.after")
    except (NodeUnavailable, SourceMissing, TimeoutError):  # the task sends it, as it would if this process died here
        return waiting(network, row.tx_id)
    except TransactionRejected as refusal:
        if row.state is BroadcastState.ACCEPTED:
            return msgspec.structs.replace(waiting(network, row.tx_id), state="accepted", already_known=True)
        if plan.may_have_left:
            return waiting(network, row.tx_id)
        with suppress(Lost):  # another process has just recorded an outcome
            changes = _changes(row, BroadcastState.REJECTED, refusal.reason)
            await call.journal.commit(Unit(changes=changes), wallet_id=row.wallet_id, network=network.name)
        raise
    return BroadcastView(
        network=network.name,
        tx_id=row.tx_id,
        state="accepted" if sent.certain else "unknown",
        rejected=None,
        already_known=sent.known,
        source=sent.source or None,
    )


async def send_signed(call: Call, network: Network, plan: Planned, ids: SignedIds) -> BroadcastView:
    """Sends a transaction that was signed in this request and stored with its signature.

    A refusal is not an error here, because the signature stands. The view says so.
    """
    row = plan.row
    try:
        view = await send(call, network, plan, ids)
    except TransactionRejected as refusal:
        return msgspec.structs.replace(waiting(network, row.tx_id), state="rejected", rejected=refusal.reason)
    unit = outcome(row, view)
    try:
        if unit.changes or unit.wakes:
            await call.journal.commit(unit, wallet_id=row.wallet_id, network=network.name)
    except Lost as lost:
        if isinstance(lost.conflict.found, Broadcast):
            await _accept_all_the_same(call, network, lost.conflict.found, view)
    return view


def waiting(network: Network, tx_id: str) -> BroadcastView:
    """The view while nothing is known."""
    return BroadcastView(
        network=network.name, tx_id=tx_id, state="unknown", rejected=None, already_known=False, source=None
    )


def is_unsettled(view: BroadcastView) -> bool:
    return view.state == "unknown"


def outcome(row: Broadcast, view: BroadcastView) -> Unit:
    """What to store about an attempt. An accepted transaction stays accepted, whatever another node leaves open."""
    state = BroadcastState(view.state)
    if state is BroadcastState.UNKNOWN and row.state is not state:
        return Unit()
    return Unit(changes=_changes(row, state, None), wakes=[_look_later(row)] if state is BroadcastState.UNKNOWN else [])


async def follow(task: Task, duties: Duties) -> Done:
    """The handler of the task: asks for the transaction's fate, and sends the same bytes again if no node knows them.

    It goes on until the fate is known.
    """
    found = await duties.storage.find(Broadcast, ("id",), [(UUID(task.key),)])
    if not found or found[0].state is not BroadcastState.UNKNOWN or not found[0].raw:
        return Done()
    row = found[0]
    try:
        state, rejection = await _find_out(row, duties)
    except (NodeUnavailable, NodesDisagree, SourceMissing, UnknownNetwork):
        return Done(again=_pause(row, duties))
    unit = Unit(changes=_changes(row, state, rejection))
    return Done(unit, [await _told(row, state, duties)]) if unit.changes else Done(again=_pause(row, duties))


def _pause(row: Broadcast, duties: Duties) -> timedelta:
    """The longer the fate is unknown, the less often it is asked for."""
    return min(_LONGEST_PAUSE, max(_AGAIN, (duties.clock() - row.created_at) / 10))


async def _told(row: Broadcast, state: BroadcastState, duties: Duties) -> AuditEntry:
    wrote = {"broadcasts": [[str(row.id), row.epoch + 1, state.value]]}  # in the form that `journal.facts` reads
    details = {"tx_id": row.tx_id, "state": state.value, "wrote": wrote}
    return await duties.entry(row, "transactions.broadcast", details)


async def _find_out(row: Broadcast, duties: Duties) -> tuple[BroadcastState, str | None]:
    network, chain = duties.networks.resolve(row.network)
    reader = duties.reading.reader(network)
    ids = await asyncio.to_thread(chain.identify, network, row.raw)
    asked = await tracked(duties.storage, network, row, ids)
    status = await reader.status(asked)
    if status.state in _SEEN:
        return BroadcastState.ACCEPTED, None
    if status.state in _ENDED:
        if status.final:  # the task ends with this, so one source alone does not decide it
            status = await reader.agreed(Capability.STATUS, lambda source: source.status(asked))
        return _end_of(status)
    try:
        sent = await reader.broadcast(row.raw, ids)
    except TransactionRejected:
        return BroadcastState.UNKNOWN, None  # bytes may have left before, and a refusal does not take them back
    return (BroadcastState.ACCEPTED if sent.certain else BroadcastState.UNKNOWN), None


def _end_of(status: Status) -> tuple[BroadcastState, str | None]:
    if status.state in _SEEN:
        return BroadcastState.ACCEPTED, None
    if status.final and status.state is State.EXPIRED:
        return BroadcastState.EXPIRED, None
    if status.final and status.state is State.REPLACED:
        return BroadcastState.REJECTED, Rejection.NONCE_USED.value
    return BroadcastState.UNKNOWN, None  # it may still be the one that gets into a block


def _changes(row: Broadcast, state: BroadcastState, rejection: str | None, raw: str | None = None) -> list[Change]:
    """The change of the row, or none if nothing is new. ``raw``: the bytes, if they may differ from the stored ones."""
    if (row.state, row.rejection, row.raw) == (state, rejection, raw or row.raw):
        return []
    new: dict[str, object] = {"state": state.value, "rejection": rejection, "epoch": row.epoch + 1}
    if raw is not None:
        new["raw"] = raw
    return [Change(Broadcast, row.id, {"epoch": row.epoch}, new)]


async def _sender(call: Call, network: Network, ids: SignedIds) -> UUID | None:
    """The wallet of the caller's tenant that the transaction is from, if its bytes name an address of one."""
    for sender in (*ids.signers, *(each.address for each in ids.consumes if each.address)):
        canonical = bytes.fromhex(sender)
        for address in await call.storage.find_addresses(call.tenant_id, network.keyspace, canonical):
            return address.wallet_id
    return None
