"""ERC-20 transfers in the logs of transactions."""

from __future__ import annotations

from typing import Final

import msgspec

from strongroom.rpc.base import Block, Entry, NodeError, State, Verdict
from strongroom.rpc.evm import values
from strongroom.rpc.evm.entries import Entries, Placed, state_at

TRANSFER: Final = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Keccak-256 of ``Transfer(address,address,uint256)``. ERC-721 has the same event with a fourth topic."""
_TOPICS: Final = 3
_WORD: Final = 32
_PADDING: Final = "0x" + "0" * 24


class Log(msgspec.Struct, frozen=True, rename="camel"):
    address: str
    topics: list[str]
    data: str
    block_number: str | None = None
    block_hash: str | None = None
    block_timestamp: str | None = None
    transaction_hash: str | None = None
    transaction_index: str | None = None
    log_index: str | None = None
    removed: bool = False

    @property
    def block(self) -> Block:
        if self.block_number is None or self.block_hash is None:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        time = None if self.block_timestamp is None else values.time(values.quantity(self.block_timestamp))
        return Block(values.quantity(self.block_number, values.MOST_HEIGHT), values.hash32(self.block_hash), time)

    def placed(self, finalized: int | None) -> Placed:
        block = self.block
        position = values.quantity(self.transaction_index or "0x0", values.MOST_HEIGHT)
        state: State = state_at(block.height, finalized)
        return Placed(values.hash32(self.transaction_hash or ""), block, position, state)


def padded(address: str) -> str:
    """The address as a topic."""
    return _PADDING + address[2:].lower()


def entry(entries: Entries, log: Log, at: Placed) -> Entry | None:
    """The entry, or None unless the log is a transfer of an ERC-20 token from or to the holder."""
    if len(log.topics) != _TOPICS or log.removed or log.topics[0].lower() != TRANSFER:
        return None
    giver, taker = (_address(topic) for topic in log.topics[1:])
    amount = values.data(log.data)
    if entries.ours not in (giver, taker) or len(amount) != _WORD:
        return None
    number = values.quantity(log.log_index or "", values.MOST_HEIGHT)
    asset = entries.token(values.address(log.address))
    return entries.tokens(at, f"log:{number}", asset, giver, taker, int.from_bytes(amount, "big"))


def _address(topic: str) -> str:
    return "0x" + values.hash32(topic)[-40:]
