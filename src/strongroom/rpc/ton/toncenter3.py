"""toncenter's index, API v3, hosted or your own ton-indexer.

It only sees finished masterchain blocks. Each head names its network but not its chain, so another chain with the same
network id cannot be detected. Balances are those of the head that was read before them, or of a slightly later one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from strongroom.domain.asset import Asset
from strongroom.domain.signing import SignedIds
from strongroom.rpc.base import (
    Balance,
    Balances,
    Capability,
    FeeQuality,
    Fees,
    Head,
    Holder,
    NodeError,
    Page,
    Rejection,
    Sent,
    Setup,
    State,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.http import Http, Work, decode
from strongroom.rpc.source import Partial
from strongroom.rpc.ton import history, refusals, status, values
from strongroom.rpc.ton.index import Index
from strongroom.rpc.ton.jettons import Jettons
from strongroom.rpc.ton.rows import Account, Told

FEE: Final = 10_000_000
"""In nanotons. A transfer of coins costs less, even if it deploys its wallet."""
JETTON_FEE: Final = 50_000_000
"""In nanotons, sent along with a transfer of jettons. The rest comes back."""

_ADDRESSES: Final = 100
_UNINIT: Final = "uninit"
_NONEXIST: Final = "nonexist"


class Toncenter3(Partial):
    """The URL of ``http`` ends where the paths of the API begin, such as ``https://…/api/v3``."""

    capabilities = frozenset(Capability) - {Capability.TRANSACTION}

    def __init__(self, setup: Setup, http: Http, *, addresses: int = _ADDRESSES, fee: int = FEE) -> None:
        super().__init__(http)
        self._setup, self._http = setup, http
        self._index = Index(setup, http, addresses)
        self._jettons = Jettons(setup, self._index)
        self._fee = fee

    async def pin(self) -> None:
        await self.head()

    async def head(self) -> Head:
        return await self._index.head()

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        at = await self.head()
        tokens = [each for each in assets if each.contract is not None]
        found, unreadable = await self._jettons.balances(holders, tokens) if tokens else ({}, [])
        if len(tokens) < len(assets):
            states = await self._index.accounts([holder.canonical for holder in holders])
            coin = self._setup.coin
            for holder in holders:
                found[holder.canonical, coin.id] = coins(holder, coin, states.get(holder.canonical))
        pairs = [(holder.canonical, each.id) for holder in holders for each in assets if each.id not in unreadable]
        return Balances(at, [found[pair] for pair in pairs], unreadable)

    async def tokens(self, holder: Holder) -> Balances:
        at = await self.head()
        return Balances(at, *await self._jettons.all_of(holder))

    async def history(self, holder: Holder, *, begin: str | None, most: int) -> Page:
        return await history.page(self._setup, self._index, self._jettons, holder, begin, most)

    async def used(self, holders: Sequence[Holder]) -> Used:
        """An address is used if it has an account, or jettons of a listed kind, whose wallet is another account."""
        states = await self._index.accounts([holder.canonical for holder in holders])
        there = {key for key, each in states.items() if each.status != _NONEXIST}
        tokens = list(self._setup.tokens.values())
        held, _ = await self._jettons.balances(holders, tokens) if tokens else ({}, [])
        there |= {key for (key, _), balance in held.items() if balance.confirmed}
        return Used(len(holders), frozenset(each.address for each in holders if each.canonical in there))

    async def fees(self) -> Fees:
        return fixed(self._fee)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        answer = await self._http.exchange("POST", "/message", json={"boc": signed}, work=Work.BROADCAST)
        if 200 <= answer.status < 300:
            told = decode(answer.body, Told)
            return taken(ids, [each for each in (told.message_hash_norm, told.message_hash) if each])
        error = refusals.of(answer, ids)
        if error.verdict is not Verdict.NO:
            raise error
        if await self._index.receiving(ids.tx_ids[0]) or await self._used_it_itself(error, ids):
            return Sent(ids.tx_ids[0], known=True)
        raise error

    async def _used_it_itself(self, refusal: NodeError, ids: SignedIds) -> bool:
        """Whether our own message used the seqno that the node calls used, or arrived in time at its first attempt.

        Raises NodeError if the index is behind the node, because it then proves neither.
        """
        if refusal.rejection not in (Rejection.NONCE_USED, Rejection.EXPIRED):
            return False
        found = await self.status(Tracked(ids.tx_ids[0], ids))
        if found.state is State.UNKNOWN:
            raise NodeError(Verdict.ELSEWHERE, "behind")
        return found.state not in (State.REPLACED, State.EXPIRED)

    async def status(self, tracked: Tracked) -> Status:
        return await status.status(self._index, tracked)


def coins(holder: Holder, coin: Asset, account: Account | None) -> Balance:
    """The balance of the coin. A missing account, and one with money but no code, are both a wallet before its first
    transfer.
    """
    if account is None:
        return Balance(holder.address, coin, 0, details={"status": _UNINIT})
    state = "frozen" if account.status == "frozen" else "active" if account.status == "active" else _UNINIT
    found = Balance(holder.address, coin, values.coins(account.balance), details={"status": state})
    return replace(found, spendable=0) if state == "frozen" else found


def fixed(fee: int) -> Fees:
    details = {"transfer": fee, "jetton_transfer": max(fee, JETTON_FEE)}
    return Fees(fee, fee, fee, "nanoton", FeeQuality.FIXED, details)


def taken(ids: SignedIds, told: Sequence[str]) -> Sent:
    """Success if the server names our message. ``told``: hashes of the message that it says it sent on."""
    if not told or any(values.hash32(each) not in ids.tx_ids for each in told):
        raise NodeError(Verdict.LYING, "wrong_transaction")
    return Sent(ids.tx_ids[0])
