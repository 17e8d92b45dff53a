"""The head of a network's chain, its fees, and the state of one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from strongroom.domain.network import Network
from strongroom.operations.balances import AsOf
from strongroom.operations.call import Call
from strongroom.operations.fields import NetworkName, Timestamp
from strongroom.operations.tracking import tracked
from strongroom.rpc.base import Block, Fees, Status, Tracked

_L1_FEE: Final = "l1_fee"
"""This detail is a sum and not a price per unit of size."""
_LEAST_GAS: Final = 21_000

TxId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[0-9A-Za-z+/=_-]+$",
        description="Id, hash or signature of the transaction",
    ),
]
StateName = Literal["unknown", "pending", "confirmed", "final", "failed", "replaced", "expired", "dropped"]


class GetHead(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName


class HeadView(AsOf, kw_only=True, frozen=True):
    network: str


class GetFees(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName


class FeesView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    slow: Annotated[str, Meta(description="Fee for inclusion some time later, in `unit`, decimal")]
    normal: Annotated[str, Meta(description="Fee for inclusion within a few blocks, in `unit`, decimal")]
    fast: Annotated[str, Meta(description="Fee for inclusion in the next blocks, in `unit`, decimal")]
    unit: Annotated[str, Meta(description="sat/kvB, wei (per unit of gas), sun, micro-lamport/CU or nanoton")]
    quality: Annotated[
        Literal["estimate", "floor", "fixed"],
        Meta(
            description="estimate: from recent blocks. floor: the lowest fee that is relayed. fixed: set by the network"
        ),
    ]
    details: Annotated[
        dict[str, str], Meta(description="Values for the fields of a transaction: base_fee, tip_normal, energy_fee …")
    ]
    clamped: Annotated[
        bool,
        Meta(
            description="Whether the source suggested more than this service signs for, so that the limit is "
            "shown instead"
        ),
    ]
    source: str


class GetTransaction(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    tx_id: TxId


class BlockView(msgspec.Struct, kw_only=True, frozen=True):
    height: int
    hash: str
    time: Timestamp | None

    @classmethod
    def of(cls, block: Block) -> BlockView:
        return cls(height=block.height, hash=block.hash, time=block.time)


class TransactionState(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    tx_id: str
    state: Annotated[
        StateName,
        Meta(
            description="failed: in a block, but without the effect that it names. dropped: it was seen earlier, "
            "has disappeared, and may come back. replaced and expired are reported only for "
            "transactions that this service has broadcast"
        ),
    ]
    final: Annotated[bool, Meta(description="Whether nothing changes the state any more")]
    block: Annotated[BlockView | None, Meta(description="Block that it is in, or null")]
    confirmations: Annotated[
        int, Meta(description="Blocks from its own to the newest, both included; 0 while it is in none")
    ]
    fee: Annotated[str | None, Meta(description="Fee paid, in base units of the coin")]
    replaced_by: Annotated[str | None, Meta(description="Id of the transaction that replaced it, or null")]
    rejected: Annotated[str | None, Meta(description="Why the network refused it, if this service broadcast it")]
    may_still_execute_until: Annotated[
        Timestamp | None,
        Meta(description="TON: it failed without using up its seqno, so the same bytes can still pay until then"),
    ]
    source: str

    @classmethod
    def of(cls, network: Network, tx_id: str, status: Status, rejected: str | None = None) -> TransactionState:
        return cls(
            network=network.name,
            tx_id=tx_id,
            state=status.state.value,
            final=status.final,
            block=None if status.block is None else BlockView.of(status.block),
            confirmations=status.confirmations,
            fee=None if status.fee is None else str(status.fee),
            replaced_by=status.replaced_by,
            rejected=rejected,
            may_still_execute_until=status.may_still_execute_until,
            source=status.source,
        )


async def head(command: GetHead, call: Call) -> HeadView:
    network, _ = call.networks.resolve(command.network)
    found = await call.reading.head(network)
    return HeadView(
        network=network.name, height=found.height, hash=found.hash, time=found.time, finalized=found.finalized
    )


async def fees(command: GetFees, call: Call) -> FeesView:
    """The suggested fees, but never more than this service would sign for.

    Raises UnknownNetwork, SourceMissing, NodeUnavailable.
    """
    network, _ = call.networks.resolve(command.network)
    found = _clamped(await call.reading.fees(network), network, call.networks.limits(network))
    return FeesView(
        network=network.name,
        slow=str(found.slow),
        normal=str(found.normal),
        fast=str(found.fast),
        unit=found.unit,
        quality=found.quality.value,
        details={name: str(value) for name, value in found.details.items()},
        clamped=found.clamped,
        source=found.source,
    )


def _clamped(fees: Fees, network: Network, limits: Mapping[str, int | None]) -> Fees:
    """Lowers the fees to the limit, if the chain has a limit per unit of size. The same goes for the details, except
    `_L1_FEE`.
    """
    most = None
    if network.chain == "bitcoin" and (rate := limits["max_fee_rate"]) is not None:
        most = rate * 1000
    if network.chain == "evm" and (fee := limits["max_fee"]) is not None:
        most = fee // _LEAST_GAS
    per_unit = {name: value for name, value in fees.details.items() if name != _L1_FEE}
    if most is None or max(fees.slow, fees.normal, fees.fast, *per_unit.values()) <= most:
        return fees
    return replace(
        fees,
        slow=min(fees.slow, most),
        normal=min(fees.normal, most),
        fast=min(fees.fast, most),
        details={name: min(value, most) if name in per_unit else value for name, value in fees.details.items()},
        clamped=True,
    )


async def transaction(command: GetTransaction, call: Call) -> TransactionState:
    """The state of any transaction. More is known about one that was broadcast here, because its bytes are stored.

    Raises UnknownNetwork, SourceMissing, NodeUnavailable, NodesDisagree.
    """
    network, chain = call.networks.resolve(command.network)
    tx_id = chain.tx_id(command.tx_id)
    sent = await call.storage.broadcast(call.tenant_id, network.caip2, tx_id)
    asked = Tracked(tx_id)
    if sent is not None and sent.raw:  # the bytes of a broadcast are deleted long after it is over
        ids = await call.offload.run(call.offload.is_large(sent.raw), chain.identify, network, sent.raw)
        asked = await tracked(call.storage, network, sent, ids)
    status = await call.reading.status(network, asked)
    return TransactionState.of(network, tx_id, status, None if sent is None else sent.rejection)
