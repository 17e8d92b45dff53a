"""What is known about each network's chain, asked from its sources and cached for as long as that is good enough.

Data for display may be some seconds old, and says which block it belongs to. ``fresh`` skips the cache. Cache keys
begin with the network's CAIP-2 id, so data of one chain never shows up for another chain that has the same name.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from strongroom.cache.base import Cache, CacheKey, Kind
from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.errors import NodeUnavailable, SourceMissing
from strongroom.rpc.base import Balance, Balances, Capability, Fees, Head, Holder, Reader, State, Status, Tracked
from strongroom.telemetry.alarms import integrity_alarm

T = TypeVar("T")

_BLOCK_SECONDS: Final = {"bitcoin": 30.0, "evm": 12.0, "tron": 3.0, "solana": 2.0, "ton": 4.0}
"""Seconds per block, or less. The head is cached for half of that."""
_FEE_SECONDS: Final = 10.0
MAC_SIZE: Final = 16
_TOGETHER: Final = 200
"""Balances per cache entry: about 10 KB."""
_OF_BYTES: Final = {State.REPLACED, State.EXPIRED}
_HEAD: Final = msgspec.json.Decoder(Head)
_FEES: Final = msgspec.json.Decoder(Fees)
_STATUS: Final = msgspec.json.Decoder(Status)


class _Amounts(msgspec.Struct, frozen=True, array_like=True):
    """A balance. Holder and asset are positions in the lists that were asked for."""

    holder: int
    asset: int
    confirmed: int
    pending: int
    spendable: int | None
    immature: int | None
    details: dict[str, str | int | bool]


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """Balances as they are cached."""

    at: Head
    amounts: list[_Amounts]
    unreadable: list[str]
    source: str
    verified: int
    tells_pending: bool


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """What a source reports about one transaction."""

    state: State
    height: int | None = None
    """Height of its block."""


_SIGHTINGS: Final = msgspec.json.Decoder(list[Sighting])
_KEPT: Final = msgspec.json.Decoder(_Kept)


class Reading:
    """``readers``: the readers of networks that have a source. ``tokens``: the listed tokens by contract. Both are by
    CAIP-2 id. ``cursor_key``: 32 bytes, the key for the MACs of cursors.
    """

    def __init__(
        self,
        readers: Mapping[str, Reader],
        cache: Cache,
        tokens: Mapping[str, Mapping[str, Asset]],
        cursor_key: bytes,
    ) -> None:
        self._readers = readers
        self._cache = cache
        self._tokens = tokens
        self._cursor_key = cursor_key

    def cursor_mac(self, cursor: bytes) -> bytes:
        return hmac.digest(self._cursor_key, cursor, "sha256")[:MAC_SIZE]

    def reader(self, network: Network) -> Reader:
        """Raises SourceMissing if no source is configured for the network."""
        found = self._readers.get(network.caip2)
        if found is None:
            raise SourceMissing("no source is configured for this network", field="network")
        return found

    def sender(self, network: Network) -> Reader:
        """A reader that can also broadcast. Raises SourceMissing."""
        reader = self.reader(network)
        if Capability.BROADCAST not in reader.capabilities:
            raise SourceMissing("no configured source of this network can broadcast", field="network")
        return reader

    def listed(self, network: Network) -> list[Asset]:
        """The coin, and the tokens that the operator lists."""
        return [coin_of(network), *self._tokens.get(network.caip2, {}).values()]

    async def head(self, network: Network) -> Head:
        async def fill() -> bytes:
            return msgspec.json.encode(await self.reader(network).head())

        return await self._fetched(Kind.HEAD, network, fill, _HEAD, _BLOCK_SECONDS[network.chain] / 2)

    async def fees(self, network: Network) -> Fees:
        async def fill() -> bytes:
            return msgspec.json.encode(await self.reader(network).fees())

        lifetime = None if network.chain == "bitcoin" else _FEE_SECONDS
        return await self._fetched(Kind.FEES, network, fill, _FEES, lifetime)

    async def status(self, network: Network, tracked: Tracked) -> Status:
        """The state of a transaction, cached once nothing changes it any more.

        That it was replaced or has expired is not cached, because that depends on its bytes, and another tenant may
        have other bytes with the same id.
        """
        key = CacheKey(Kind.TRANSACTION, owner_of(network), f"{network.caip2}:{tracked.tx_id}")
        kept = await self._cache.get(key)
        if kept is not None:
            if (found := _decoded(_STATUS, kept.value)) is not None:
                return found
            integrity_alarm("cache", cached=key.kind, owner=key.owner)
        status = await self.reader(network).status(tracked)
        if (status.final or status.state is State.FINAL) and status.state not in _OF_BYTES:
            await self._cache.keep(key, msgspec.json.encode(status))
        return status

    async def sightings(
        self, network: Network, owner: UUID, name: str, count: int, look: Callable[[], Awaitable[list[Sighting]]],
        *, fresh: bool,
    ) -> list[Sighting]:  # fmt: skip
        """What ``look`` finds about ``count`` transactions of a wallet, cached as long as a balance. ``name`` stands
        for the set.
        """
        key = CacheKey(Kind.BALANCE, owner, f"{network.caip2}:sent:{name}")

        async def fill() -> bytes:
            return msgspec.json.encode(await look())

        def accept(value: bytes) -> bool:
            known = _decoded(_SIGHTINGS, value)
            return known is not None and len(known) == count

        if fresh:
            found = await fill()
            await self._cache.keep(key, found)
            return _SIGHTINGS.decode(found)
        kept = await self._cache.fetch(key, fill, accept)
        assert kept is not None  # fill returns bytes or raises
        return _SIGHTINGS.decode(kept)

    async def balances(
        self, network: Network, owner: UUID, epoch: str, holders: Sequence[Holder], assets: Sequence[Asset],
        *, fresh: bool,
    ) -> tuple[Balances, bool]:  # fmt: skip
        """The balance of every asset of every holder, and whether it is stale because no source responds.

        ``owner``: id of the wallet, or of the network. ``epoch`` changes when this service changed the owner's balance,
        so that nothing older is shown. Raises SourceMissing, NodeUnavailable.
        """
        chunks = [_Chunk(network, owner, epoch, part, assets) for part in _parts(holders, len(assets))]
        kept = {} if fresh or len(chunks) == 1 else await self._kept(chunks, Kind.BALANCE)
        if _of_one_block(kept, chunks):
            return _together([kept[chunk] for chunk in chunks]), False
        try:
            if len(chunks) == 1 and not fresh:
                return await self._shared(network, chunks[0], assets), False
            found = await self._ask(network, chunks, assets)
            await self._keep(found, Kind.BALANCE, Kind.STALE)
        except NodeUnavailable:
            stale = {} if fresh else await self._kept(chunks, Kind.STALE)
            if not _of_one_block(stale, chunks):
                raise
            return _together([stale[chunk] for chunk in chunks]), True
        return _together([found[chunk] for chunk in chunks]), False

    async def _shared(self, network: Network, chunk: _Chunk, assets: Sequence[Asset]) -> Balances:
        """The cached balances. If there are none and many calls want them at once, one of them asks the chain."""

        async def fill() -> bytes:
            found = await self._ask(network, [chunk], assets)
            await self._keep(found, Kind.STALE)
            return chunk.write(found[chunk])

        value = await self._cache.fetch(chunk.key(Kind.BALANCE), fill, lambda kept: chunk.read(kept) is not None)
        found = chunk.read(value or b"")
        assert found is not None  # fill returns something readable or raises
        return found

    async def _keep(self, found: Mapping[_Chunk, Balances], *kinds: Kind) -> None:
        for chunk, balances in found.items():
            written = chunk.write(balances)
            for kind in kinds:
                await self._cache.keep(chunk.key(kind), written)

    async def _kept(self, chunks: Sequence[_Chunk], kind: Kind) -> dict[_Chunk, Balances]:
        found = {}
        for chunk in chunks:
            entry = await self._cache.get(chunk.key(kind))
            if entry is None:
                continue
            balances = chunk.read(entry.value)
            if balances is None:
                integrity_alarm("cache", cached=kind, owner=chunk.key(kind).owner)
            else:
                found[chunk] = balances
        return found

    async def _ask(self, network: Network, chunks: Sequence[_Chunk], assets: Sequence[Asset]) -> dict[_Chunk, Balances]:
        """Asks for all chunks at once, so that all are of one block."""
        holders = [holder for chunk in chunks for holder in chunk.holders]
        asked = await self.reader(network).balances(holders, assets)
        by_address: dict[str, list[Balance]] = {}
        for each in asked.found:
            by_address.setdefault(each.address, []).append(each)
        found = {}
        for chunk in chunks:
            own = [each for holder in chunk.holders for each in by_address.get(holder.address, ())]
            found[chunk] = replace(asked, found=own)
        return found

    async def _fetched(
        self, kind: Kind, network: Network, fill: Callable[[], Awaitable[bytes]], decoder: msgspec.json.Decoder[T],
        lifetime: float | None,
    ) -> T:  # fmt: skip
        key = CacheKey(kind, owner_of(network), network.caip2)
        found = await self._cache.fetch(
            key, fill, lambda value: _decoded(decoder, value) is not None, lifetime=lifetime
        )
        assert found is not None  # fill returns bytes or raises
        return decoder.decode(found)


class _Chunk:
    """Holders whose balances share one cache entry."""

    def __init__(
        self, network: Network, owner: UUID, epoch: str, holders: Sequence[Holder], assets: Sequence[Asset]
    ) -> None:
        self.holders = holders
        self._assets = assets
        self._owner = owner
        asked = [each.canonical for each in holders], [each.id for each in assets]
        self._name = f"{network.caip2}:{epoch}:{sha256(msgspec.msgpack.encode(asked)).hexdigest()}"

    def key(self, kind: Kind) -> CacheKey:
        return CacheKey(kind, self._owner, self._name)

    def write(self, balances: Balances) -> bytes:
        holders = {each.address: at for at, each in enumerate(self.holders)}
        assets = {each.id: at for at, each in enumerate(self._assets)}
        amounts = [
            _Amounts(
                holders[each.address], assets[each.asset.id], each.confirmed, each.pending, each.spendable,
                each.immature, dict(each.details),
            )
            for each in balances.found
        ]  # fmt: skip
        kept = _Kept(
            balances.at, amounts, list(balances.unreadable), balances.source, balances.verified, balances.tells_pending
        )
        return msgspec.json.encode(kept)

    def read(self, value: bytes) -> Balances | None:
        kept = _decoded(_KEPT, value)
        if kept is None or not all(self._has_asked(each) for each in kept.amounts):
            return None
        found = [
            Balance(
                self.holders[each.holder].address, self._assets[each.asset], each.confirmed, each.pending,
                each.spendable, each.immature, each.details,
            )
            for each in kept.amounts
        ]  # fmt: skip
        return Balances(kept.at, found, kept.unreadable, kept.source, kept.verified, kept.tells_pending)

    def _has_asked(self, amounts: _Amounts) -> bool:
        return 0 <= amounts.holder < len(self.holders) and 0 <= amounts.asset < len(self._assets)


def owner_of(network: Network) -> UUID:
    """The owner of cache entries that all tenants share."""
    return uuid5(NAMESPACE_URL, network.caip2)


def _parts(holders: Sequence[Holder], assets: int) -> list[Sequence[Holder]]:
    size = max(1, _TOGETHER // max(1, assets))
    return [holders[at : at + size] for at in range(0, len(holders), size)]


def _of_one_block(kept: Mapping[_Chunk, Balances], chunks: Sequence[_Chunk]) -> bool:
    """Whether every chunk is there and of the same block. Otherwise a transfer between two of the addresses could count
    twice or not at all.
    """
    return len(kept) == len(chunks) and len({each.at.hash for each in kept.values()}) == 1


def _together(parts: Sequence[Balances]) -> Balances:
    unreadable = dict.fromkeys(asset for each in parts for asset in each.unreadable)
    found = [balance for each in parts for balance in each.found]
    return replace(parts[0], found=found, unreadable=tuple(unreadable), verified=min(each.verified for each in parts))


def _decoded(decoder: msgspec.json.Decoder[T], value: bytes) -> T | None:
    """The decoded value, or None for bytes that this version does not write."""
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return None
