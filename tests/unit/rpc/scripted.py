"""Sources that do what a test tells them, and the pool over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balance,
    Balances,
    Capability,
    Fees,
    Head,
    Holder,
    NodeError,
    Page,
    Sent,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.endpoint import Endpoint
from strongroom.rpc.heads import Heads
from strongroom.rpc.pool import Pool
from tests.support.clock import Clock

ETHEREUM = Network("ethereum", "evm", "evm", "eip155:1", 1, "ETH", 18, testnet=False)
COIN = coin_of(ETHEREUM)
HOLDER = Holder(bytes(20), "0x" + "00" * 20)
IDS = SignedIds(("0x" + "ab" * 32,))
TRACKED = Tracked(IDS.tx_ids[0], IDS)
START = datetime(2026, 1, 1, tzinfo=UTC)
BLOCK = timedelta(seconds=12)

Reply = object
"""What a source answers, or the error it raises, or ``hang``."""


async def hang() -> Any:
    await asyncio.Event().wait()


def error(verdict: Verdict, cause: str = "said", **more: Any) -> NodeError:
    return NodeError(verdict, cause, **more)


def head(height: int, *, at: datetime | None = None, block: str | None = None) -> Head:
    """Of a chain with a block each 12 seconds, the hundredth of them at `START`."""
    time = START + (height - 100) * BLOCK if at is None else at
    return Head(height, block or f"0x{height:064x}", time, max(0, height - 64))


def balances(amount: int, height: int = 100, **more: Any) -> Balances:
    return Balances(head(height), [Balance(HOLDER.address, COIN, amount)], **more)


@dataclass
class Scripted:
    """Answers of each question in turn, the last one for ever; ``asked`` is what came, in order."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    able: frozenset[Capability] = frozenset(Capability)
    asked: list[str] = field(default_factory=list)
    arguments: list[tuple[object, ...]] = field(default_factory=list)
    closed: bool = False

    def will(self, question: str, *replies: Reply) -> Scripted:
        self.replies[question] = list(replies)
        return self

    def count(self, question: str) -> int:
        return self.asked.count(question)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self.able

    async def pin(self) -> None:
        await self._answer("pin", None)

    async def head(self) -> Head:
        return await self._answer("head", head(100))

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        return await self._answer("balances", balances(7))

    async def tokens(self, holder: Holder) -> Balances:
        return await self._answer("tokens", balances(7))

    async def used(self, holders: Sequence[Holder]) -> Used:
        return await self._answer("used", Used(len(holders), frozenset(), ""))

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        return await self._answer("history", Page([]), begin)

    async def fees(self) -> Fees:
        return await self._answer("fees", None)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        return await self._answer("broadcast", Sent(ids.tx_ids[0]), signed)

    async def status(self, tracked: Tracked) -> Status:
        return await self._answer("status", None)

    async def transaction(self, tx_id: str) -> bytes:
        return await self._answer("transaction", b"bytes")

    async def close(self) -> None:
        self.closed = True

    async def _answer(self, question: str, usual: Any, *arguments: object) -> Any:
        self.asked.append(question)
        self.arguments.append(arguments)
        replies = self.replies.get(question)
        if replies is None:
            return usual
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if callable(reply):
            return await reply()
        if isinstance(reply, BaseException):
            raise reply
        return reply


@dataclass
class Bench:
    """A pool over scripted sources called a, b, c …, each of an operator of its own and less important than the last;
    time goes where a test moves it.
    """

    pool: Pool
    sources: tuple[Scripted, ...]
    endpoints: tuple[Endpoint, ...]
    clock: Clock
    wall: Callable[[], datetime]

    def total(self, question: str) -> int:
        return sum(each.count(question) for each in self.sources)

    def open_circuits(self) -> int:
        return sum(state != "closed" for each in self.pool.describe() for state in each.circuits.values())


def bench(
    *sources: Scripted,
    network: Network = ETHEREUM,
    operators: str | None = None,
    priorities: Sequence[int] | None = None,
    **options: Any,
) -> Bench:
    """``operators``: a letter for each source."""
    clock = Clock()
    began = clock.now

    def wall() -> datetime:
        return START + timedelta(seconds=clock.now - began)

    endpoints = tuple(
        Endpoint(
            network,
            source,
            name="abcdef"[at],
            operator=operators[at] if operators else None,
            priority=at if priorities is None else priorities[at],
            clock=clock,
            uniform=lambda low, high: high,
        )
        for at, source in enumerate(sources)
    )
    pool = Pool(network, endpoints, heads=lambda of: Heads(of, now=wall, clock=clock), **options)
    return Bench(pool, sources, endpoints, clock, wall)


def for_testing() -> Network:
    return replace(ETHEREUM, name="sepolia", testnet=True)
