"""What all sources share: a transport to close, and a refusal of questions outside their capabilities."""

# ruff: noqa: ARG002 (the methods of a port have its parameters)

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, Protocol

from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
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


class _Transport(Protocol):
    async def close(self) -> None: ...


class Partial:
    """Subclasses override the questions that they support."""

    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, transport: _Transport) -> None:
        self._transport = transport

    async def head(self) -> Head:
        _unsupported()

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        _unsupported()

    async def tokens(self, holder: Holder) -> Balances:
        _unsupported()

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        _unsupported()

    async def fees(self) -> Fees:
        _unsupported()

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        _unsupported()

    async def status(self, tracked: Tracked) -> Status:
        _unsupported()

    async def transaction(self, tx_id: str) -> bytes:
        _unsupported()

    async def used(self, holders: Sequence[Holder]) -> Used:
        _unsupported()

    async def close(self) -> None:
        await self._transport.close()


def _unsupported() -> NoReturn:
    raise NodeError(Verdict.ELSEWHERE, "unsupported")
