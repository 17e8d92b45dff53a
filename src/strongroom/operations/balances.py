"""What wallets and addresses hold, as their chains say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.domain.asset import Asset
from strongroom.domain.network import Network
from strongroom.domain.wallet import Address
from strongroom.operations.call import Call
from strongroom.operations.fields import (
    AddressText,
    Cursor,
    NetworkName,
    Timestamp,
    cursor_place,
    decode_cursor,
    encode_cursor,
)
from strongroom.operations.reading import owner_of
from strongroom.operations.unseen import Adjusted, corrected, sent_lately
from strongroom.rpc.base import Balance, Balances, Head, Holder
from strongroom.storage.base import AddressFilter

MOST_ADDRESSES: Final = 1000
"""Of a wallet, in one answer: more are asked for page by page."""

Amount = Annotated[str, Meta(description="In base units of the asset, decimal")]
Tokens = Annotated[
    Literal["listed", "all", "none"],
    Meta(description="Those that the operator lists, all (others are marked `listed: false`), or none"),
]
Fresh = Annotated[bool, Meta(description="Ask the source now; a limit of its own")]


class WalletBalances(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    tokens: Annotated[
        Literal["listed", "none"], Meta(description="With the tokens that the operator lists, or without")
    ] = "listed"
    detail: Annotated[
        Literal["total", "addresses"], Meta(description="The sums alone, or with each address that holds something")
    ] = "total"
    fresh: Fresh = False
    cursor: Cursor | None = None


class AddressBalances(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    address: AddressText
    tokens: Tokens = "listed"
    fresh: Fresh = False


class BalanceView(msgspec.Struct, kw_only=True, frozen=True):
    asset: Annotated[str, Meta(description="CAIP-19 id")]
    symbol: str
    decimals: Annotated[int | None, Meta(description="As the operator lists it; null: the token does not say")]
    contract: str | None
    listed: Annotated[bool, Meta(description="false: anybody can make a token of this name")]
    confirmed: Amount
    pending: Annotated[str, Meta(description="What unconfirmed transactions add or, negative, take away")]
    spendable: Annotated[
        Amount | None,
        Meta(description="Of the confirmed: what is not locked, immature or being spent, where the source can tell"),
    ]
    immature: Annotated[Amount | None, Meta(description="Of the confirmed: mined, and not spendable yet")]
    adjusted: Annotated[
        bool, Meta(description="`pending` counts transactions of `unseen`, their fees as the most that they can be")
    ] = False
    details: Annotated[
        dict[str, Any], Meta(description="Of one address. Tron: frozen, unfreezing; TON: state of the account")
    ] = {}


class AddressBalanceView(msgspec.Struct, kw_only=True, frozen=True):
    address: str
    balances: list[BalanceView]


class AsOf(msgspec.Struct, kw_only=True, frozen=True):
    """The block that an answer is of."""

    height: int
    hash: str
    time: Timestamp
    finalized: Annotated[int, Meta(description="Height up to which nothing changes any more")]

    @classmethod
    def of(cls, head: Head) -> AsOf:
        return cls(height=head.height, hash=head.hash, time=head.time, finalized=head.finalized)


class BalancesView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    balances: Annotated[list[BalanceView], Meta(description="Sums over the addresses of this page")]
    addresses: Annotated[list[AddressBalanceView], Meta(description="With detail=addresses: each that holds something")]
    address_count: Annotated[int, Meta(description="How many addresses were asked for")]
    as_of: AsOf | None
    source: Annotated[str | None, Meta(description="Name of the source")]
    stale: Annotated[bool, Meta(description="No source answers; this is what one said last")]
    unreadable: Annotated[list[str], Meta(description="Assets whose contract gave no readable answer")]
    unseen: Annotated[
        list[str],
        Meta(description="Ids of what the wallet broadcast here within a day and `source` does not show yet"),
    ]
    next_cursor: Annotated[str | None, Meta(description=f"A wallet is summed {MOST_ADDRESSES} addresses a page")]


async def of_wallet(command: WalletBalances, call: Call) -> BalancesView:
    """Of the addresses that were handed out or discovered."""
    network, chain = call.networks.resolve(command.network)
    wallet = await call.wallet(command.wallet_id)
    call.reading.reader(network)
    if command.fresh:
        await call.count("fresh")
    page, more = await _addresses(call, wallet.id, network, command.cursor)
    if not page:
        return BalancesView(
            network=network.name, balances=[], addresses=[], address_count=0, as_of=None, source=None, stale=False,
            unreadable=[], unseen=[], next_cursor=None,
        )  # fmt: skip
    schemes = chain.schemes(network.keyspace)
    shown = {each.canonical: chain.render(network, schemes[each.scheme], each.public_key).address for each in page}
    holders = [Holder(canonical, address) for canonical, address in shown.items()]
    assets = call.reading.listed(network)[: None if command.tokens == "listed" else 1]
    sent = await sent_lately(call, network, chain, wallet.id, fresh=command.fresh)
    found, stale = await call.reading.balances(network, wallet.id, sent.epoch, holders, assets, fresh=command.fresh)
    unseen = sent.unseen(found)
    found, adjusted = await corrected(call, network, chain, found, holders, unseen)
    view = _view(network, found, adjusted, stale=stale, asked=len(holders), more=more)
    addresses = _by_address(found, adjusted) if command.detail == "addresses" else []
    return msgspec.structs.replace(view, addresses=addresses, unseen=[each.tx_id for each in unseen])


async def of_address(command: AddressBalances, call: Call) -> BalancesView:
    """Of any address, whoever's it is."""
    network, chain = call.networks.resolve(command.network)
    parsed = chain.parse_address(network, command.address)
    reader = call.reading.reader(network)
    if command.fresh or command.tokens == "all":
        await call.count("fresh")
    holder = Holder(parsed.canonical, parsed.address)
    assets = call.reading.listed(network)[: 1 if command.tokens == "none" else None]
    owner = owner_of(network)
    found, stale = await call.reading.balances(network, owner, "", [holder], assets, fresh=command.fresh)
    if command.tokens == "all":
        listed = {each.id for each in assets}
        others = [each for each in (await reader.tokens(holder)).found if each.asset.id not in listed]
        found = replace(found, found=[*found.found, *others])
    return _view(network, found, frozenset(), stale=stale, asked=1, more=None)


async def _addresses(
    call: Call, wallet_id: UUID, network: Network, cursor: str | None
) -> tuple[list[Address], str | None]:
    """A page of the wallet's addresses, and the cursor of the next."""
    parts = decode_cursor(cursor, 3)
    after = None if parts is None else cursor_place(parts)
    where = AddressFilter(keyspace=network.keyspace)
    found = await call.storage.addresses(call.tenant_id, wallet_id, where, after, MOST_ADDRESSES + 1)
    page = found[:MOST_ADDRESSES]
    last = page[-1] if len(found) > MOST_ADDRESSES else None
    return page, None if last is None else encode_cursor(last.account_id, last.change, last.index)


def _view(
    network: Network, found: Balances, adjusted: Adjusted, *, stale: bool, asked: int, more: str | None
) -> BalancesView:
    by_asset: dict[Asset, list[Balance]] = {}
    for each in found.found:
        by_asset.setdefault(each.asset, []).append(each)
    return BalancesView(
        network=network.name,
        balances=[_sum(asset, each, adjusted) for asset, each in by_asset.items()],
        addresses=[],
        address_count=asked,
        as_of=AsOf.of(found.at),
        source=found.source,
        stale=stale,
        unreadable=list(found.unreadable),
        unseen=[],
        next_cursor=more,
    )


def _by_address(found: Balances, adjusted: Adjusted) -> list[AddressBalanceView]:
    by_address: dict[str, list[BalanceView]] = {}
    for each in found.found:
        if each.confirmed or each.pending:
            by_address.setdefault(each.address, []).append(_sum(each.asset, [each], adjusted))
    return [AddressBalanceView(address=address, balances=held) for address, held in by_address.items()]


def _sum(asset: Asset, balances: Sequence[Balance], adjusted: Adjusted) -> BalanceView:
    return BalanceView(
        asset=asset.id,
        symbol=asset.symbol,
        decimals=asset.decimals,
        contract=asset.contract,
        listed=asset.listed,
        confirmed=str(sum(each.confirmed for each in balances)),
        pending=str(sum(each.pending for each in balances)),
        spendable=_known(each.spendable for each in balances),
        immature=_known(each.immature for each in balances),
        adjusted=any((each.address, asset.id) in adjusted for each in balances),
        details=dict(balances[0].details) if len(balances) == 1 else {},
    )


def _known(amounts: Iterable[int | None]) -> str | None:
    """None where it is not known of every one."""
    found = list(amounts)
    return None if None in found else str(sum(each for each in found if each is not None))
