"""Previous transactions that a PSBT lacks, from the sources of its network: they prove what its inputs are worth."""

from __future__ import annotations

import asyncio
from typing import Final

from strongroom.chains.base import Decoded
from strongroom.domain.network import Network
from strongroom.errors import NodeUnavailable, NotFound, SourceMissing
from strongroom.operations.call import Call
from strongroom.rpc.base import Capability, Reader

_MOST: Final = 100
"""Of one PSBT: with more the caller has to bring them."""
_AT_ONCE: Final = 8


async def with_previous(call: Call, network: Network, decoded: Decoded) -> Decoded:
    """What cannot be had is left out, and the check refuses as if no source were there.

    A source that answers with another transaction is caught by its id. Raises InvalidTransaction where the PSBT says
    something else than they do.
    """
    if not decoded.wants or len(decoded.wants) > _MOST:
        return decoded
    try:
        reader = call.reading.reader(network)
    except SourceMissing:
        return decoded
    if Capability.TRANSACTION not in reader.capabilities:
        return decoded
    turns = asyncio.Semaphore(_AT_ONCE)
    answers = await asyncio.gather(*(_fetched(reader, tx_id, turns) for tx_id in decoded.wants))
    found = {tx_id: raw for tx_id, raw in zip(decoded.wants, answers, strict=True) if raw is not None}
    return await call.offload.run(True, decoded.with_previous, found) if found else decoded


async def _fetched(reader: Reader, tx_id: str, turns: asyncio.Semaphore) -> bytes | None:
    async with turns:
        try:
            return await reader.transaction(tx_id)
        except (NotFound, NodeUnavailable):
            return None
