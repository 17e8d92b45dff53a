"""Any node of a Tron network, by the HTTP interface of java-tron: ``/wallet`` and ``/walletsolidity``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

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
    Sent,
    Setup,
    Status,
    Tracked,
    Used,
    Verdict,
)
from strongroom.rpc.evm import multicall
from strongroom.rpc.evm.multicall import Read
from strongroom.rpc.http import Http, Work
from strongroom.rpc.source import Partial
from strongroom.rpc.tron import refusals, values
from strongroom.rpc.tron.accounts import account
from strongroom.rpc.tron.api import Api, Face
from strongroom.rpc.tron.reads import Reads, coins
from strongroom.rpc.tron.signed import as_hex
from strongroom.rpc.tron.status import Statuses
from strongroom.telemetry.alarms import integrity_alarm

_FEW: Final = 20
"""Up to this many accounts are read one by one, with what they have frozen."""
_AT_ONCE: Final = 10
"""Accounts per response about used addresses, with one request each, and more for tokens."""
_MOST_PRICE: Final = 10**6
"""In sun per unit of energy or byte: one coin."""
_MOST_FEE: Final = 10**12
_ENERGY: Final = "getEnergyFee"
_BANDWIDTH: Final = "getTransactionFee"
_OTHERS: Final = {
    "account_fee": "getCreateNewAccountFeeInSystemContract",
    "memo_fee": "getMemoFee",
    "multi_sign_fee": "getMultiSignFee",
}


class _Parameter(msgspec.Struct, frozen=True):
    key: str = ""
    value: int = 0


class _Parameters(msgspec.Struct, frozen=True, rename={"listed": "chainParameter"}):
    listed: list[_Parameter]


class Node(Partial):
    """``solid``: the transport to ``/walletsolidity`` if that has its own address. java-tron serves it at another port
    (8091) than ``/wallet`` (8090), providers at the same.
    """

    capabilities = frozenset(
        {
            Capability.HEAD,
            Capability.BALANCES,
            Capability.FEES,
            Capability.BROADCAST,
            Capability.STATUS,
            Capability.USED,
        }
    )

    def __init__(self, setup: Setup, http: Http, solid: Http | None = None) -> None:
        self._api = Api(http, solid)
        super().__init__(self._api)
        self._setup = setup
        self._reads = Reads(self._api)
        self._statuses = Statuses(setup, self._api)
        self._decimals: dict[str, int] = {}

    async def pin(self) -> None:
        await self._api.pin(self._setup.pin)

    async def head(self) -> Head:
        return await self._api.head()

    async def balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> Balances:
        """The balances. Confirmed is what is solid, pending is what newer blocks add to that.

        Nodes can only read the present. If another block has become solid meanwhile, everything is read once more. The
        second result is accepted and ascribed to the head that was read before it.
        """
        wrong = await self.wrong_decimals(assets)
        shown = [asset for asset in assets if asset.id not in wrong]
        at = await self.head()
        found = await self._balances(holders, shown)
        if len(holders) <= _FEW and (await self._api.now(Face.SOLID)).height != at.finalized:
            at = await self.head()
            found = await self._balances(holders, shown)
        readable = {balance.asset.id for balance in found}
        unreadable = [asset.id for asset in assets if asset.id not in readable] if holders else sorted(wrong)
        return Balances(at, found, unreadable)

    async def used(self, holders: Sequence[Holder]) -> Used:
        """An address is used if it has an account, or listed tokens, which can be at an address without an account."""
        asked = holders[:_AT_ONCE]
        found = {each.address for each in asked if await account(self._api, Face.LATEST, each) is not None}
        tokens = list(self._setup.tokens.values())
        if tokens and (rest := [each for each in asked if each.address not in found]):
            wrong = await self.wrong_decimals(tokens)
            held = await self._balances(rest, [each for each in tokens if each.id not in wrong])
            found |= {each.address for each in held if each.confirmed or each.pending}
        return Used(len(asked), frozenset(found))

    async def wrong_decimals(self, assets: Iterable[Asset]) -> frozenset[str]:
        """Ids of assets whose contracts give other decimals than the registry. Each contract is asked once. Raises the
        alarm.
        """
        pinned = {a.contract: a for a in assets if a.contract is not None and a.decimals is not None}
        unasked = {contract: multicall.decimals(_evm(contract)) for contract in pinned.keys() - self._decimals.keys()}
        found = await self._reads.words(unasked.values(), Face.SOLID) if unasked else {}
        for contract, read in unasked.items():
            if read in found:
                self._decimals[contract] = found[read]
                if found[read] != pinned[contract].decimals:
                    integrity_alarm("token_decimals", asset=pinned[contract].id)
        return frozenset(
            a.id for contract, a in pinned.items() if self._decimals.get(contract, a.decimals) != a.decimals
        )

    async def fees(self) -> Fees:
        """The prices that the network has voted for: of a unit of energy and, in ``details``, of a byte."""
        found = await self._api.ask(Face.LATEST, "getchainparameters", _Parameters)
        told = {each.key: each.value for each in found.listed}
        if _ENERGY not in told or _BANDWIDTH not in told:
            raise NodeError(Verdict.BROKEN, "bad_answer")
        energy, bandwidth = (values.bounded(told[name], _MOST_PRICE) for name in (_ENERGY, _BANDWIDTH))
        others = {name: values.bounded(told[key], _MOST_FEE) for name, key in _OTHERS.items() if key in told}
        details = {"energy_fee": energy, "bandwidth_fee": bandwidth, **others}
        return Fees(energy, energy, energy, "sun", FeeQuality.FIXED, details)

    async def broadcast(self, signed: str, ids: SignedIds) -> Sent:
        returned = await self._api.ask(
            Face.LATEST, "broadcasthex", refusals.Returned, Work.BROADCAST, transaction=as_hex(signed)
        )
        return refusals.sent(returned, ids)

    async def status(self, tracked: Tracked) -> Status:
        return await self._statuses.of(tracked)

    async def _balances(self, holders: Sequence[Holder], assets: Sequence[Asset]) -> list[Balance]:
        reads = {
            (holder.address, asset.id): multicall.balance(holder.canonical[1:], _evm(asset.contract))
            for holder in holders
            for asset in assets
            if asset.contract is not None
        }
        solid = await self._reads.words(reads.values(), Face.SOLID)
        latest = await self._reads.words(reads.values(), Face.LATEST) if solid else {}
        own = await self._coins(holders) if any(asset.contract is None for asset in assets) else {}
        partial = {asset_id for (_, asset_id), read in reads.items() if read not in solid}
        found = []
        for holder in holders:
            for asset in assets:
                if asset.contract is None:
                    found.append(replace(own[holder.address], asset=asset))
                elif asset.id not in partial:  # a sum over some of the holders would look like a sum over all
                    read = reads[holder.address, asset.id]
                    found.append(_balance(holder, asset, solid[read], latest.get(read, solid[read])))
        return found

    async def _coins(self, holders: Sequence[Holder]) -> dict[str, Balance]:
        """The balances of the coin by address. Many are read with Multicall3, if deployed, which does not show frozen
        amounts.
        """
        solid: Mapping[Read, int] = {}
        latest: Mapping[Read, int] = {}
        if len(holders) > _FEW and await self._reads.has_multicall():
            reads = [coins(holder.canonical[1:]) for holder in holders]
            solid = await self._reads.words(reads, Face.SOLID)
            latest = await self._reads.words(reads, Face.LATEST)
        found = {}
        for holder in holders:
            read = coins(holder.canonical[1:])
            if read in solid and read in latest:
                found[holder.address] = self._coin(holder, solid[read], latest[read])
            else:
                found[holder.address] = await self._account(holder)
        return found

    async def _account(self, holder: Holder) -> Balance:
        solid = await account(self._api, Face.SOLID, holder)
        latest = await account(self._api, Face.LATEST, holder)
        found = self._coin(holder, solid.balance if solid else 0, latest.balance if latest else 0)
        details = solid.details(self._setup.network) if solid else {}
        return replace(found, details={"activated": solid is not None, **details})

    def _coin(self, holder: Holder, solid: int, latest: int) -> Balance:
        network = self._setup.network
        return _balance(holder, self._setup.coin, values.sun(network, solid), values.sun(network, latest))


def _balance(holder: Holder, asset: Asset, solid: int, latest: int) -> Balance:
    return Balance(holder.address, asset, solid, latest - solid, latest if latest < solid else None)


def _evm(contract: str) -> str:
    return "0x" + values.raw(contract)[1:].hex()
