"""Sending signed transactions.

What is sent is written down before its first byte leaves: the bytes themselves, and a task that asks what became of
them until that is known. So whoever dies in between leaves nothing open, and the same bytes can always be sent again:
a transaction has its effect once, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final, Literal, TypedDict
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.domain.network import Network
from strongroom.domain.record import Broadcast, BroadcastState, broadcast_id
from strongroom.domain.signing import SignedIds
from strongroom.domain.task import Task
from strongroom.errors import NodesDisagree, NodeUnavailable, SourceMissing, TransactionRejected, UnknownNetwork
from strongroom.journal.base import Lost
from strongroom.operations.call import Call
from strongroom.operations.duties import Duties
from strongroom.operations.fields import NetworkName
from strongroom.rpc.base import Rejection, State, Tracked
from strongroom.storage.base import Change, Unit, Wake
from strongroom.tasks.base import Done

KIND: Final = "broadcast"
_AGAIN: Final = timedelta(seconds=30)
_SEEN: Final = {State.PENDING, State.CONFIRMED, State.FINAL, State.FAILED}


class BroadcastTransaction(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    signed_tx: Annotated[
        str,
        Meta(min_length=1, max_length=800_000, description="As `sign` answers it: anyone's, fully signed"),
    ]


class BroadcastView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    tx_id: str
    state: Annotated[
        Literal["accepted", "unknown", "rejected"],
        Meta(
            description="accepted: a node has taken it, or had it; unknown: it was sent, or is about to be, and no "
            "node has said so: it is asked for until that is known, and may be sent again as it is; rejected: the "
            "network refuses it, and nothing has come of it"
        ),
    ]
    rejected: Annotated[
        str | None,
        Meta(
            description="insufficient_funds, nonce_used, nonce_gap, fee_too_low, already_spent, expired, invalid or "
            "policy: why the network refuses it"
        ),
    ]
    already_known: Annotated[bool, Meta(description="The network had it before")]
    source: str | None


async def broadcast(command: BroadcastTransaction, call: Call) -> BroadcastView:
    """Raises TransactionRejected where the network refuses it."""
    network, chain = call.networks.resolve(command.network)
    call.reading.reader(network)
    large = call.offload.is_large(command.signed_tx)
    ids = await call.offload.run(large, chain.identify, network, command.signed_tx)
    async with call.journal.intent(network=network.name, details={"tx_id": ids.tx_ids[0]}) as intent:
        wallet_id = await _sender(call, network, ids)
        row = await written_down(call, network, ids, command.signed_tx, wallet_id, intent.operation_id)
        view = await send(call, network, row, ids)
        intent.settle(view, **outcome(row, view))
    return view


async def written_down(
    call: Call, network: Network, ids: SignedIds, raw: str, wallet_id: UUID | None, operation_id: UUID
) -> Broadcast:
    """The row of this transaction, with the task that looks after it: the one that is there, or a new one."""
    row = new_row(call, network, ids, raw, wallet_id, operation_id)
    found = await call.storage.broadcast(call.tenant_id, network.caip2, row.tx_id)
    if found is not None:
        return found
    try:
        unit = Unit(rows=[row], wakes=[look_later(row)])
        await call.journal.commit(unit, wallet_id=wallet_id, network=network.name)
    except Lost as lost:
        if isinstance(lost.conflict.found, Broadcast):
            return lost.conflict.found
        raise
    return row


def new_row(
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
        created_at=call.now,
    )


def look_later(row: Broadcast) -> Wake:
    """While who sends it is still at it, nobody else has to."""
    return Wake(KIND, str(row.id), row.tenant_id, after=_AGAIN)


async def send(call: Call, network: Network, row: Broadcast, ids: SignedIds) -> BroadcastView:
    """Raises TransactionRejected, once that is written down."""
    try:
        sent = await call.reading.reader(network).broadcast(row.raw, ids)
    except NodeUnavailable:  # the task sends it, as it does where this process dies now
        return waiting(network, row.tx_id)
    except TransactionRejected as refusal:
        with suppress(Lost):  # somebody else has found out at this moment
            await call.journal.commit(Unit(changes=_changes(row, BroadcastState.REJECTED, refusal.reason)))
        raise
    return BroadcastView(
        network=network.name,
        tx_id=row.tx_id,
        state="accepted" if sent.certain else "unknown",
        rejected=None,
        already_known=sent.known,
        source=sent.source or None,
    )


async def send_signed(call: Call, network: Network, row: Broadcast, ids: SignedIds) -> BroadcastView:
    """Of a transaction that was signed just now and is written down with its signature: what the answer says of it.

    A refusal is no error there: the signature stands.
    """
    try:
        view = await send(call, network, row, ids)
    except TransactionRejected as refusal:
        return msgspec.structs.replace(waiting(network, row.tx_id), state="rejected", rejected=refusal.reason)
    with suppress(Lost):
        found = outcome(row, view)
        await call.journal.commit(Unit(changes=found["changes"], wakes=found["wakes"]))
    return view


def waiting(network: Network, tx_id: str) -> BroadcastView:
    """Before anything is known."""
    return BroadcastView(
        network=network.name, tx_id=tx_id, state="unknown", rejected=None, already_known=False, source=None
    )


class Outcome(TypedDict):
    """What T2 is given of it."""

    changes: Sequence[Change]
    wakes: Sequence[Wake]
    details: dict[str, str]


def outcome(row: Broadcast, view: BroadcastView) -> Outcome:
    state = BroadcastState(view.state)
    return Outcome(
        changes=_changes(row, state, None),
        wakes=[look_later(row)] if state is BroadcastState.UNKNOWN else [],
        details={"tx_id": row.tx_id, "state": view.state},
    )


async def follow(task: Task, duties: Duties) -> Done:
    """Asks what became of it, and sends the same bytes again where nobody knows of them. Never gives up by itself."""
    found = await duties.storage.find(Broadcast, ("id",), [(UUID(task.key),)])
    if not found or found[0].state is not BroadcastState.UNKNOWN:
        return Done()
    row = found[0]
    try:
        state, rejection = await _find_out(row, duties)
    except (NodeUnavailable, NodesDisagree, SourceMissing, UnknownNetwork):
        return Done(again=_AGAIN)
    changes = _changes(row, state, rejection)
    return Done(Unit(changes=changes), again=None if changes else _AGAIN)


async def _find_out(row: Broadcast, duties: Duties) -> tuple[BroadcastState, str | None]:
    network, chain = duties.networks.resolve(row.network)
    reader = duties.reading.reader(network)
    ids = chain.identify(network, row.raw)
    status = await reader.status(Tracked(row.tx_id, ids))
    if status.state in _SEEN:
        return BroadcastState.ACCEPTED, None
    if status.state is State.EXPIRED:
        return BroadcastState.EXPIRED, None
    if status.state is State.REPLACED:
        return BroadcastState.REJECTED, Rejection.NONCE_USED.value
    try:
        sent = await reader.broadcast(row.raw, ids)
    except TransactionRejected as refusal:
        return BroadcastState.REJECTED, refusal.reason
    return (BroadcastState.ACCEPTED if sent.certain else BroadcastState.UNKNOWN), None


def _changes(row: Broadcast, state: BroadcastState, rejection: str | None) -> list[Change]:
    """None where nothing is new."""
    if (row.state, row.rejection) == (state, rejection):
        return []
    expect = {"state": row.state.value}
    return [Change(Broadcast, row.id, expect, {"state": state.value, "rejection": rejection})]


async def _sender(call: Call, network: Network, ids: SignedIds) -> UUID | None:
    """The caller's wallet that the transaction is from, where its bytes name an address of it."""
    for consumed in ids.consumes:
        if consumed.address:
            canonical = bytes.fromhex(consumed.address)
            for address in await call.storage.find_addresses(call.tenant_id, network.keyspace, canonical):
                return address.wallet_id
    return None
