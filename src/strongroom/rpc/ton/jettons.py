"""Balances of jettons. They are held by the wallet that the master names and by no other contract, because anybody can
deploy one that claims to be it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from strongroom.domain.asset import Asset
from strongroom.rpc import assets
from strongroom.rpc.base import Balance, Holder, NodeError, Setup
from strongroom.rpc.ton import rows, values
from strongroom.rpc.ton.index import Index

_CHECKS: Final = 100
"""Wallets of listed jettons per response whose master is asked about them, once for ever and with one request each. The
others cannot be read until the next time.
"""
_REMEMBERED: Final = 10_000

Pair = tuple[bytes, bytes]
"""Master and owner."""


class Jettons:
    def __init__(self, setup: Setup, index: Index) -> None:
        self._setup = setup
        self._index = index
        self._listed = {values.master(contract): asset for contract, asset in setup.tokens.items()}
        self._wallets: dict[Pair, bytes] = {}
        self._masters: dict[bytes, bool] = {}
        """Whether the contract is a jetton master with the decimals in the registry."""

    async def balances(
        self, holders: Sequence[Holder], tokens: Sequence[Asset]
    ) -> tuple[dict[tuple[bytes, str], Balance], list[str]]:
        """The balances by holder and asset, and the ids of assets that cannot be read."""
        masters = {values.master(token.contract or ""): token for token in tokens}
        await self._look_at(masters)
        unreadable = [token.id for master, token in masters.items() if not self._masters.get(master)]
        good = {master: token for master, token in masters.items() if self._masters.get(master)}
        found = {
            (holder.canonical, token.id): Balance(holder.address, token, 0)
            for holder in holders
            for token in good.values()
        }
        if good:
            names = {holder.canonical: holder.address for holder in holders}
            told = await self._index.jettons(list(names), list(good))
            read, unsure = await self._read(told, names)
            for (master, owner), balance in read.items():
                found[owner, good[master].id] = balance
            unreadable += sorted(unsure)
        return found, unreadable

    async def all_of(self, holder: Holder) -> tuple[list[Balance], list[str]]:
        """The balances of all jettons of a holder, and the ids of assets that cannot be read."""
        told = await self._index.jettons([holder.canonical], [])
        read, unsure = await self._read(told, {holder.canonical: holder.address})
        return [each for each in read.values() if each.asset.id not in unsure], sorted(unsure)

    def asset(self, master: bytes, metadata: Mapping[str, rows.Metadata]) -> Asset:
        """The listed token, or an unlisted one with what the index says about it."""
        if (listed := self._listed.get(master)) is not None:
            return listed
        about = next((each for name, each in metadata.items() if name.lower() == values.raw(master)), None)
        info = about.token_info[0] if about is not None and about.token_info else rows.TokenInfo()
        decimals = _decimals(info.extra)
        return assets.unlisted(self._setup.network, values.master_shown(master), info.symbol, decimals)

    async def _look_at(self, masters: Mapping[bytes, Asset]) -> None:
        new = [master for master in masters if master not in self._masters]
        if not new:
            return
        told = await self._index.masters(new)
        for master in new:
            row = told.get(master)
            decimals = None if row is None else _decimals(row.jetton_content)
            if row is not None:
                self._masters[master] = decimals in (None, masters[master].decimals)

    async def _read(self, told: rows.JettonWallets, names: Mapping[bytes, str]) -> tuple[dict[Pair, Balance], set[str]]:
        """The balances, and the ids of assets whose balance is uncertain: listed ones whose master could not be asked,
        and others of which an owner has two wallets.
        """
        found: dict[Pair, Balance] = {}
        unsure: set[str] = set()
        checks = _CHECKS
        for row in told.jetton_wallets:
            pair = values.canonical(row.jetton), values.canonical(row.owner)
            asset = self.asset(pair[0], told.metadata)
            amount = values.number(row.balance, values.MOST_TOKENS)
            if asset.listed and pair not in self._wallets and checks > 0:
                checks = checks - 1 if await self._ask(pair) else 0
            wallet = self._wallets.get(pair) if asset.listed else None
            if not amount or wallet not in (None, values.canonical(row.address)):
                continue
            if pair in found or (asset.listed and wallet is None):
                unsure.add(asset.id)
            details: dict[str, str | int | bool] = {"wallet": row.address.lower(), "wallet_checked": wallet is not None}
            found[pair] = Balance(names[pair[1]], asset, amount, details=details)
        return found, unsure

    async def _ask(self, pair: Pair) -> bool:
        """Asks a master for the owner's wallet. False if there is no node beside the index."""
        try:
            wallet = await self._index.wallet_of(*pair)
        except NodeError:
            return False
        if len(self._wallets) >= _REMEMBERED:
            self._wallets.pop(next(iter(self._wallets)))
        self._wallets[pair] = wallet
        return True


def _decimals(about: Mapping[str, object] | None) -> int | None:
    """The decimals, which are text. They are missing if the contract only gives a URL."""
    told = (about or {}).get("decimals")
    return int(told) if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 4 else None
