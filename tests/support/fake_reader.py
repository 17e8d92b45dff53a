"""A fake of `rpc.base.Reader`: one network's chain in memory, as a source reports it, with whatever a test adds.

It follows the port: balances in the order of the request, all at its head; entries newest first by (height, position,
tx id, index), with those without a block first; page cursors in a form of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.errors import NodesDisagree, NodeUnavailable, NotFound, TransactionRejected
from strongroom.rpc.base import (
    Balance,
    Balances,
    Block,
    Capability,
    Direction,
    Entry,
    FeeQuality,
    Fees,
    Head,
    Holder,
    Page,
    Questions,
    Sent,
    State,
    Status,
    Tracked,
    Used,
)

T = TypeVar("T")

TIME = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)


def block(height: int, branch: str = "a") -> Block:
    return Block(height, f"0x{branch * 32}{height:032x}", TIME)


def entry(address: str, asset: Asset, height: int | None, tx_id: str, **more: Any) -> Entry:
    known: dict[str, Any] = {"index": "value", "direction": Direction.IN, "amount": 5}
    state = State.PENDING if height is None else State.CONFIRMED
    known["block"] = None if height is None else block(height)
    return Entry(tx_id=tx_id, address=address, asset=asset, status=state, **(known | more))


@dataclass
class FakeReader:
    """``held`` is by address and asset id. ``asked`` counts each question."""

    name: str = "fake"
    height: int = 100
    at: Head | None = None
    """Its head, instead of one of ``height``."""
    suggested: Fees | None = None
    held: dict[tuple[str, str], int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    transactions: dict[str, bytes] = field(default_factory=dict)
    """By id."""
    slow: set[str] = field(default_factory=set)
    """Ids of transactions whose bytes it never returns."""
    statuses: dict[str, Status] = field(default_factory=dict)
    fee: int = 20_000_000_000
    unit: str = "wei"
    able: frozenset[Capability] = frozenset(Capability)
    away: bool = False
    refuses: str | None = None
    """The reason for which it refuses every transaction."""
    contradicted: bool = False
    """Its operators disagree about everything."""
    hangs: bool = False
    """It accepts transactions, and its response never ends."""
    silent: bool = False
    """It accepts transactions without a response."""
    page: int = 1000
    """Maximum entries per page."""
    gaps: dict[str, int] = field(default_factory=dict)
    """By address: the number of empty pages that come first, as from a source that searches blocks."""
    used_addresses: set[str] = field(default_factory=set)
    at_once: int = 1000
    """Addresses per response about used addresses."""
    sent: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    looked_at: list[str] = field(default_factory=list)
    """Addresses that were asked about, in order."""
    holders: list[int] = field(default_factory=list)
    """The number of addresses in each question about balances."""
    before: Callable[[str], None] = lambda _: None
    """Called with each question before it is answered."""
    after: Callable[[str], None] = lambda _: None

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.able

    async def head(self) -> Head:
        self._ask("head")
        return self._head()

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        self._ask("balances")
        self.holders.append(len(holders))
        found = [
            Balance(holder.address, asset, self.held.get((holder.address, asset.id), 0))
            for holder in holders
            for asset in assets
        ]
        return Balances(self._head(), found, source=self.name)

    async def tokens(self, holder: Holder) -> Balances:
        self._ask("tokens")
        return Balances(self._head(), [], source=self.name)

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        self._ask("history")
        own = sorted((each for each in self.entries if each.address == holder.address), key=_order, reverse=True)
        start = -self.gaps.get(holder.address, 0) if begin is None else int(begin)
        if start < 0:
            return Page([], str(start + 1), ("pending",), self.height, self.name)
        end = start + min(most, self.page)
        return Page(own[start:end], str(end) if end < len(own) else None, ("pending",), self.height, self.name)

    async def fees(self) -> Fees:
        self._ask("fees")
        if self.suggested is not None:
            return replace(self.suggested, source=self.name)
        details = {"base_fee": self.fee // 2}
        return Fees(self.fee, self.fee, 2 * self.fee, self.unit, FeeQuality.ESTIMATE, details, source=self.name)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        self._ask("broadcast")
        tx_id = ids.tx_ids[0]
        if self.refuses is not None:
            raise TransactionRejected(f"the network refused the transaction: {self.refuses}", reason=self.refuses)
        known = tx_id in self.statuses
        self.sent.append(signed)
        self.statuses.setdefault(tx_id, Status(State.PENDING))
        self.after("broadcast")
        if self.hangs:
            await asyncio.Event().wait()
        if self.silent:
            return Sent(tx_id, certain=False)
        return Sent(tx_id, known=known, source=self.name)

    async def status(self, tracked: Tracked) -> Status:
        self._ask("status")
        return replace(self.statuses.get(tracked.tx_id, Status(State.UNKNOWN)), source=self.name)

    async def transaction(self, tx_id: str) -> bytes:
        self._ask("transaction")
        if tx_id in self.slow:
            await asyncio.Event().wait()
        if tx_id not in self.transactions:
            raise NotFound("no source of this network knows this transaction")
        return self.transactions[tx_id]

    async def used(self, holders: Sequence[Holder]) -> Used:
        self._ask("used")
        asked = [each.address for each in holders[: self.at_once]]
        self.looked_at += asked
        return Used(len(asked), frozenset(self.used_addresses.intersection(asked)), self.name)

    async def agreed(self, question: Capability, ask: Callable[[Questions], Awaitable[T]]) -> T:
        self._ask("agreed")
        if self.contradicted:
            raise NodesDisagree("the sources of this network contradict each other", retry_after=1)
        return await ask(self)

    async def close(self) -> None:
        pass

    def _head(self) -> Head:
        return self.at or Head(self.height, block(self.height).hash, TIME, self.height - 64)

    def _ask(self, question: str) -> None:
        self.asked[question] += 1
        self.before(question)
        if self.away:
            raise NodeUnavailable("no source of this network responds at present", retry_after=1)


def _order(each: Entry) -> tuple[bool, int, int, str, str]:
    return (each.block is None, 0 if each.block is None else each.block.height, each.position, each.tx_id, each.index)
