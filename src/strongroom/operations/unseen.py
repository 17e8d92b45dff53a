"""Transactions that a wallet has sent and that its balance does not show yet.

Most nodes report a transaction only once it is in a block, and the next node may be a block behind. A caller that pays
twice from the balance that it sees would be misled. So what this service sent is subtracted until a source shows it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from strongroom.chains.base import Chain
from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.domain.record import Broadcast, BroadcastState
from strongroom.domain.signing import SignedIds
from strongroom.domain.summary import Action, Summary
from strongroom.errors import InvalidAddress, InvalidTransaction, Unavailable
from strongroom.operations.call import Call
from strongroom.operations.reading import Sighting
from strongroom.operations.tracking import recorded, tracked
from strongroom.rpc.base import Balances, Holder, State

_LATELY: Final = timedelta(days=1)
"""How far back broadcasts are considered. Final states are cached for this long, so each is asked for only until it is
final.
"""
_MOST: Final = 100
_AT_ONCE: Final = 8
_OPEN: Final = {BroadcastState.UNKNOWN, BroadcastState.ACCEPTED}
_OVER: Final = {State.REPLACED, State.EXPIRED}
_COINS: Final = {"transfer", "spend", "change", "stake", "contract_call", "contract_creation"}
"""Kinds of actions that move the coin that they name."""
_TOKENS: Final = {"token_transfer", "token_transfer_from"}

Move = tuple[bytes, str]
"""Canonical address, and id of the asset."""
Adjusted = frozenset[tuple[str, str]]
"""Address, and id of the asset, of each balance that counts something that no source shows yet."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A wallet's recent broadcasts, and what a source reported about each."""

    rows: Sequence[Broadcast]
    sightings: Sequence[Sighting]

    @property
    def epoch(self) -> str:
        """Changes when this service changes the balance, or when a source shows more of it."""
        known = [
            (each.id.hex, each.epoch, seen.state.value, seen.height)
            for each, seen in zip(self.rows, self.sightings, strict=True)
        ]
        return sha256(msgspec.json.encode(known)).hexdigest()[:16]

    def unseen(self, balances: Balances) -> list[Broadcast]:
        """The broadcasts that ``balances`` do not show. The balances were read later than the sightings."""
        pairs = zip(self.rows, self.sightings, strict=True)
        return [row for row, sighting in pairs if not _is_shown(sighting, balances)]


async def sent_lately(call: Call, network: Network, chain: Chain, wallet_id: UUID, *, fresh: bool) -> Sent:
    """The wallet's recent broadcasts. If no source responds they count as unseen."""
    since = call.now - _LATELY
    found = await call.storage.recent_broadcasts(call.tenant_id, wallet_id, network.caip2, since, _MOST)
    rows = [each for each in found if each.state in _OPEN and each.raw]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(row: Broadcast) -> Sighting:
        async with turns:
            ids = await _identified(call, network, chain, row)
            try:
                status = await call.reading.status(network, await tracked(call.storage, network, row, ids))
            except Unavailable:
                return Sighting(State.UNKNOWN)
            return Sighting(status.state, None if status.block is None else status.block.height)

    async def look_at_all() -> list[Sighting]:
        return list(await asyncio.gather(*map(look, rows)))

    if not rows:
        return Sent((), ())
    name = sha256(msgspec.json.encode([(each.id.hex, each.epoch) for each in rows])).hexdigest()
    return Sent(rows, await call.reading.sightings(network, wallet_id, name, len(rows), look_at_all, fresh=fresh))


async def corrected(
    call: Call, network: Network, chain: Chain, balances: Balances, holders: Sequence[Holder], sent: Sequence[Broadcast]
) -> tuple[Balances, Adjusted]:
    """``balances`` with the amounts of ``sent`` added to pending, and which balances that changed."""
    assets = {each.asset.id: each.asset for each in balances.found}
    moves: Counter[Move] = Counter()
    for row in sent:
        summary = await _summary(call, network, chain, row)
        if summary is not None:
            moves.update(_moves(network, chain, summary, assets))
    ours = {each.address: each.canonical for each in holders}
    found, adjusted = [], set()
    for each in balances.found:
        if move := moves[ours[each.address], each.asset.id]:
            adjusted.add((each.address, each.asset.id))
            each = replace(each, pending=each.pending + move)  # noqa: PLW2901
        found.append(each)
    return replace(balances, found=found), frozenset(adjusted)


def _is_shown(sighting: Sighting, balances: Balances) -> bool:
    if sighting.state in _OVER or (sighting.state is State.PENDING and balances.tells_pending):
        return True
    return sighting.height is not None and sighting.height <= balances.at.height


async def _identified(call: Call, network: Network, chain: Chain, row: Broadcast) -> SignedIds:
    return await call.offload.run(call.offload.is_large(row.raw), chain.identify, network, row.raw)


async def _summary(call: Call, network: Network, chain: Chain, row: Broadcast) -> Summary | None:
    """The summary that was stored at signing, else the one that the bytes give, or None."""
    ids = await _identified(call, network, chain, row)
    found = await recorded(call.storage, network, row, ids)
    if found is not None:
        return found

    def read() -> Summary | None:
        try:
            return chain.summarise(chain.decode(network, row.raw), None)
        except InvalidTransaction:  # most chains decode no signed transactions
            return None

    return await call.offload.run(call.offload.is_large(row.raw), read)


def _moves(network: Network, chain: Chain, summary: Summary, assets: Mapping[str, Asset]) -> Counter[Move]:
    """The amounts that a transaction moves, in base units. The fee counts with the most that it can be."""
    coin = coin_of(network).id
    tokens = {each.contract: each.id for each in assets.values() if each.contract is not None}
    found: Counter[Move] = Counter()

    def move(who: str | None, asset: str | None, amount: int) -> None:
        if who is not None and asset is not None and (canonical := _canonical(network, chain, who)) is not None:
            found[canonical, asset] += amount

    for action in summary.actions:
        if action.amount is None:
            continue
        asset = coin if action.kind in _COINS and action.asset == network.symbol else None
        if action.kind in _TOKENS:
            asset = tokens.get(action.asset or "")
        giver, taker = _parties(action)
        move(giver, asset, -int(action.amount))
        move(taker, asset, int(action.amount))
    if summary.fee is not None:
        move(summary.from_address, coin, -int(summary.fee.amount))
    return found


def _parties(action: Action) -> tuple[str | None, str | None]:
    """Who pays and who receives. For token accounts on Solana, their owners."""
    if action.kind in _TOKENS:
        giver, taker = action.details.get("authority"), action.details.get("destination_owner")
        return giver or action.from_address, taker or action.to
    return action.from_address, action.to


def _canonical(network: Network, chain: Chain, address: str) -> bytes | None:
    """The canonical address, or None for something else, such as an entry of a lookup table that was not read."""
    try:
        return chain.parse_address(network, address).canonical
    except InvalidAddress:
        return None
