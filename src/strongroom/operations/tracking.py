"""What is stored about a transaction that was broadcast, if it was signed here."""

from __future__ import annotations

from uuid import UUID

import msgspec

from strongroom.domain.network import Network
from strongroom.domain.record import Broadcast
from strongroom.domain.signing import Guard, SignedIds
from strongroom.domain.summary import Summary
from strongroom.rpc.base import Tracked
from strongroom.storage.base import Storage


async def tracked(storage: Storage, network: Network, row: Broadcast, ids: SignedIds) -> Tracked:
    """What to ask sources about the transaction.

    On Solana this includes the block height up to which it can confirm, which is known only from the request to sign
    it.
    """
    if ids.expiry is not None or ids.consumes:
        return Tracked(row.tx_id, ids)
    summary = await recorded(storage, network, row, ids)
    height = None if summary is None else summary.details.get("last_valid_block_height")
    return Tracked(row.tx_id, ids, None if height is None else int(height))


async def recorded(storage: Storage, network: Network, row: Broadcast, ids: SignedIds) -> Summary | None:
    """The summary, from the operation that broadcast it or the one that holds what it consumes. None if it was not
    signed here.
    """
    for operation in [row.operation_id, *await _holders(storage, network, row.tenant_id, ids)]:
        for record in await storage.signatures(row.tenant_id, operation):
            if record.tx_id == row.tx_id and (found := _whole(record.summary)) is not None:
                return found
    return None


async def _holders(storage: Storage, network: Network, tenant_id: UUID, ids: SignedIds) -> list[UUID]:
    for each in ids.consumes[:1]:
        held = await storage.guard(Guard(network.keyspace, network.caip2, each.address, each.sequence, b""))
        if held is not None and held.tenant_id == tenant_id:
            return [held.operation_id]
    return []


def _whole(kept: bytes) -> Summary | None:
    """None if `domain.brief` kept only a part of the summary."""
    tree = msgspec.json.decode(kept)
    return None if "cut" in tree else msgspec.convert(tree, Summary)
