"""The state of a transaction, which is looked for in solid blocks, then in the newest blocks, then in the pool."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import Block, NodeError, Setup, State, Status, Tracked, Verdict
from strongroom.rpc.tron import values
from strongroom.rpc.tron.api import Api, Face

_BLOCK: Final = timedelta(seconds=3)
_MARGIN: Final = timedelta(minutes=1)
"""Solid time after an expiration, because not all nodes behind one address are equally far."""
_SUCCESS: Final = ("", "DEFAULT", "SUCCESS")
_FAILED: Final = "FAILED"


class _Receipt(msgspec.Struct, frozen=True):
    result: str = ""
    """Only for contract calls. Absent for other types of transactions."""


class Info(msgspec.Struct, frozen=True, rename={"number": "blockNumber", "milliseconds": "blockTimeStamp"}):
    id: str
    fee: int = 0
    number: int = 0
    milliseconds: int = 0
    result: str = ""
    receipt: _Receipt = _Receipt()

    @property
    def failed(self) -> bool:
        return self.result == _FAILED or self.receipt.result not in _SUCCESS


class _Transaction(msgspec.Struct, frozen=True, rename={"tx_id": "txID"}):
    tx_id: str


async def find(api: Api, face: Face, tx_id: str) -> Info | None:
    """What a node knows about a transaction in a block."""
    found = await api.find(face, "gettransactioninfobyid", Info, value=tx_id)
    if found is not None and found.id != tx_id:
        raise NodeError(Verdict.LYING, "other_transaction")
    return found


class Statuses:
    def __init__(self, setup: Setup, api: Api) -> None:
        self._setup = setup
        self._api = api

    async def of(self, tracked: Tracked) -> Status:
        if (found := await find(self._api, Face.SOLID, tracked.tx_id)) is not None:
            return await self._included(found, Face.SOLID)
        if (found := await find(self._api, Face.LATEST, tracked.tx_id)) is not None:
            return await self._included(found, Face.LATEST)
        if tracked.ids is not None and (expired := await self._expired(tracked.tx_id, tracked.ids)) is not None:
            return expired
        for method in ("gettransactionbyid", "gettransactionfrompending"):
            if await self._known(Face.LATEST, method, tracked.tx_id):
                return Status(State.PENDING)
        return Status(State.UNKNOWN)

    async def _included(self, info: Info, face: Face) -> Status:
        height = values.height(info.number)
        block = await self._api.block(face, height)
        if block is None:  # not the node that reported the transaction
            raise NodeError(Verdict.ELSEWHERE, "unknown_block")
        if block.milliseconds != info.milliseconds:
            raise NodeError(Verdict.ELSEWHERE, "moving")
        head = await self._api.now(Face.LATEST)
        final = face is Face.SOLID
        return Status(
            State.FAILED if info.failed else State.FINAL if final else State.CONFIRMED,
            Block(height, block.block_id, values.time(block.milliseconds)),
            max(1, head.height - height + 1),
            final,
            values.sun(self._setup.network, info.fee),
        )

    async def _expired(self, tx_id: str, ids: SignedIds) -> Status | None:
        """Whether the transaction has expired.

        No block accepts a transaction after a block whose time is its expiration or later. So once such a block is
        solid and the transaction is in none up to it, it never will be. Solid blocks are searched once more after that
        check.
        """
        solid = await self._api.now(Face.SOLID)
        since = None if ids.expiry is None else values.time(solid.milliseconds) - ids.expiry
        if since is None or since < _MARGIN:
            return None
        if (found := await find(self._api, Face.SOLID, tx_id)) is not None:
            return await self._included(found, Face.SOLID)
        if await self._known(Face.SOLID, "gettransactionbyid", tx_id):
            raise NodeError(Verdict.ELSEWHERE, "no_receipt")  # the node keeps no receipts
        then = max(0, solid.height - since // _BLOCK - 1)
        if await self._api.block(Face.SOLID, then) is None:
            raise NodeError(Verdict.ELSEWHERE, "pruned")  # it has not seen what happened before then
        return Status(State.EXPIRED, final=True)

    async def _known(self, face: Face, method: str, tx_id: str) -> bool:
        found = await self._api.find(face, method, _Transaction, value=tx_id)
        if found is not None and found.tx_id != tx_id:
            raise NodeError(Verdict.LYING, "other_transaction")
        return found is not None
