"""History from ``ots_searchTransactionsBefore`` of Erigon (with its index) and anvil.

The index knows who takes part in a transaction or in a call within it. It does not know who merely receives a token.
Such transfers are shown only if their transaction is found for another reason.
"""

from __future__ import annotations

from typing import Final

import msgspec

from strongroom.rpc.base import Block, Capability, Entry, EntryKind, Holder, NodeError, Page, Setup, State, Verdict
from strongroom.rpc.evm import blocks, values
from strongroom.rpc.evm.entries import Entries, Placed, newest_first, state_at
from strongroom.rpc.evm.node import Receipt
from strongroom.rpc.evm.transfers import Log, entry
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.source import Partial

_MOST: Final = 25
"""Transactions that Erigon returns at once."""


class _Transaction(msgspec.Struct, frozen=True, rename="camel"):
    hash: str
    block_number: str
    block_hash: str
    sender: str = msgspec.field(name="from")
    value: str
    input: str = "0x"
    to: str | None = None
    transaction_index: str | None = None


class _Receipt(Receipt, frozen=True, rename="camel"):
    logs: list[Log] = msgspec.field(default_factory=list)
    contract_address: str | None = None
    timestamp: int | str | None = None


class _Found(msgspec.Struct, frozen=True, rename="camel"):
    txs: list[_Transaction]
    receipts: list[_Receipt]
    last_page: bool


class Otterscan(Partial):
    capabilities = frozenset({Capability.HISTORY})

    def __init__(self, setup: Setup, rpc: JsonRpc) -> None:
        super().__init__(rpc)
        self._setup = setup
        self._rpc = rpc

    async def pin(self) -> None:
        await blocks.pin(self._rpc, self._setup)

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        """A page of history. The node ends each page with a whole block."""
        head = await blocks.head(self._rpc, self._setup.finality)
        before = 0 if begin is None else values.decimal(begin, values.MOST_HEIGHT)  # 0 begins with the newest
        params = [holder.address, before, max(1, min(most, _MOST))]
        found = await self._rpc.call("ots_searchTransactionsBefore", params, _Found, work=Work.HISTORY)
        receipts = {values.hash32(each.transaction_hash): each for each in found.receipts}
        entries, made = Entries(self._setup, holder.address), list[Entry]()
        lowest = before or head.height + 1
        for transaction in found.txs:
            receipt = receipts.get(values.hash32(transaction.hash))
            height = values.quantity(transaction.block_number, values.MOST_HEIGHT)
            if receipt is None or (before and height >= before):
                raise NodeError(Verdict.LYING, "not_what_was_asked")
            lowest = min(lowest, height)
            made += _entries(entries, transaction, receipt, head.finalized)
        more = not found.last_page and found.txs and lowest > 0
        return Page(newest_first(made), str(lowest) if more else None, ("pending", "internal", "tokens"))


def _entries(entries: Entries, transaction: _Transaction, receipt: _Receipt, finalized: int) -> list[Entry]:
    at = _placed(transaction, receipt, finalized)
    giver = values.address(transaction.sender)
    written = transaction.to or receipt.contract_address
    taker = values.address(written) if written else ""
    made: list[Entry] = []
    if entries.ours in (giver, taker):
        kind = EntryKind.TRANSFER if transaction.input in ("", "0x") else EntryKind.CONTRACT
        made.append(entries.coins(at, "value", giver, taker, values.quantity(transaction.value), kind, receipt.fee))
    made += [found for log in receipt.logs if (found := entry(entries, log, at)) is not None]
    return made


def _placed(transaction: _Transaction, receipt: _Receipt, finalized: int) -> Placed:
    height = values.quantity(transaction.block_number, values.MOST_HEIGHT)
    time = receipt.timestamp
    seconds = values.quantity(time) if isinstance(time, str) else time
    block = Block(height, values.hash32(transaction.block_hash), None if seconds is None else values.time(seconds))
    position = values.quantity(transaction.transaction_index or "0x0", values.MOST_HEIGHT)
    state = State.FAILED if receipt.failed else state_at(height, finalized)
    return Placed(values.hash32(transaction.hash), block, position, state)
