"""Fetches the previous transactions that a PSBT lacks from the network's sources. They prove what its inputs
are worth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from strongroom.chains.base import Decoded
from strongroom.domain.network import Network
from strongroom.errors import NodeUnavailable, NotFound, SourceMissing
from strongroom.operations.call import Call
from strongroom.rpc.base import Capability, Reader

_MOST: Final = 100
"""Previous transactions per PSBT. The caller has to include them if there are more."""
_AT_ONCE: Final = 8
_PATIENCE: Final = 5.0
"""Seconds for all of them together."""
_MOST_BYTES: Final = 16 << 20
"""Bytes of all of them together."""


async def with_previous(call: Call, network: Network, decoded: Decoded) -> Decoded:
    """The PSBT with the previous transactions that could be fetched. The check refuses the rest as if there were no
    source.

    A source that returns another transaction is caught by the id. Raises InvalidTransaction if the PSBT contradicts a
    previous transaction.
    """
    if not decoded.wants or len(decoded.wants) > _MOST:
        return decoded
    try:
        reader = call.reading.reader(network)
    except SourceMissing:
        return decoded
    if Capability.TRANSACTION not in reader.capabilities:
        return decoded
    found = await _fetch(reader, decoded.wants)
    return await call.offload.run(True, decoded.with_previous, found) if found else decoded


async def _fetch(reader: Reader, wanted: Sequence[str]) -> dict[str, bytes]:
    """The transactions that arrive in time, by id, up to `_MOST_BYTES`."""
    turns, left = asyncio.Semaphore(_AT_ONCE), _MOST_BYTES
    found: dict[str, bytes] = {}

    async def fetch(tx_id: str) -> None:
        nonlocal left
        async with turns:
            if left <= 0:
                return
            with suppress(NotFound, NodeUnavailable, SourceMissing):
                raw = await reader.transaction(tx_id)
                left -= len(raw)
                if left >= 0:
                    found[tx_id] = raw

    tasks = [asyncio.create_task(fetch(tx_id)) for tx_id in wanted]
    try:
        done, _ = await asyncio.wait(tasks, timeout=_PATIENCE)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return found
