"""What wallets and addresses hold, as the sources report it."""

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
from strongroom.operations.cursors import cursor_place, decode_cursor, page_of
from strongroom.operations.fields import AddressText, Cursor, NetworkName, Timestamp
from strongroom.operations.reading import owner_of
from strongroom.operations.unseen import Adjusted, corrected, sent_lately
from strongroom.rpc.base import Balance, Balances, Head, Holder
from strongroom.storage.base import AddressFilter

MOST_ADDRESSES: Final = 1000
"""Addresses of a wallet that one response sums. More are asked for page by page."""

Amount = Annotated[str, Meta(description="In base units of the asset, decimal")]
Tokens = Annotated[
    Literal["listed", "all", "none"],
    Meta(
        description="Tokens to include: listed by the operator, all (unlisted ones are marked `listed: false`), or none"
    ),
]
Fresh = Annotated[bool, Meta(description="Ask the source now. This has its own rate limit")]


class WalletBalances(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    tokens: Annotated[
        Literal["listed", "none"], Meta(description="Include the tokens that the operator lists, or none")
    ] = "listed"
    detail: Annotated[
        Literal["total", "addresses"], Meta(description="Only the sums, or also each address that holds something")
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
    decimals: Annotated[int | None, Meta(description="As the operator lists it; null if the token does not tell")]
    contract: Annotated[str | None, Meta(description="Address of the token's contract; null for the coin")]
    listed: Annotated[
        bool, Meta(description="Whether the operator lists it. Anybody can make a token with the same name")
    ]
    confirmed: Amount
    pending: Annotated[str, Meta(description="What unconfirmed transactions add or, if negative, take away")]
    spendable: Annotated[
        Amount | None,
        Meta(description="The part of confirmed that is not locked, immature or being spent, if the source can tell"),
    ]
    immature: Annotated[Amount | None, Meta(description="The part of confirmed that was mined and cannot be spent yet")]
    adjusted: Annotated[
        bool,
        Meta(
            description="Whether `pending` counts the transactions in `unseen`, each with the highest fee that it "
            "can have"
        ),
    ] = False
    details: Annotated[
        dict[str, Any], Meta(description="For a single address. Tron: frozen, unfreezing; TON: state of the account")
    ] = {}


class AddressBalanceView(msgspec.Struct, kw_only=True, frozen=True):
    address: str
    balances: Annotated[list[BalanceView], Meta(description="Its balance of each asset")]


class AsOf(msgspec.Struct, kw_only=True, frozen=True):
    """The block that a response belongs to."""

    height: int
    hash: str
    time: Timestamp
    finalized: Annotated[int, Meta(description="Height up to which blocks are final")]

    @classmethod
    def of(cls, head: Head) -> AsOf:
        return cls(height=head.height, hash=head.hash, time=head.time, finalized=head.finalized)


class BalancesView(msgspec.Struct, kw_only=True, frozen=True):
    network: str
    balances: Annotated[list[BalanceView], Meta(description="Sums over the addresses on this page")]
    addresses: Annotated[
        list[AddressBalanceView], Meta(description="With detail=addresses, each address that holds something")
    ]
    address_count: Annotated[int, Meta(description="Number of addresses that were read")]
    as_of: Annotated[
        AsOf | None, Meta(description="Block that the balances belong to; null if the source does not tell")
    ]
    source: Annotated[str | None, Meta(description="Name of the source")]
    stale: Annotated[bool, Meta(description="No source responds, so this is the last known state")]
    unreadable: Annotated[list[str], Meta(description="Assets whose contract returned nothing readable")]
    unseen: Annotated[
        list[str],
        Meta(
            description="Ids of transactions that the wallet broadcast here within the last day and that `source` "
            "does not show yet"
        ),
    ]
    next_cursor: Annotated[
        str | None, Meta(description=f"A page sums {MOST_ADDRESSES} addresses of a wallet; null on the last page")
    ]


async def of_wallet(command: WalletBalances, call: Call) -> BalancesView:
    """The balances of the addresses that were handed out or discovered.

    Raises NotFound, UnknownNetwork, SourceMissing, NodeUnavailable, RateLimited.
    """
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
    """The balances of any address, even if it belongs to no wallet of the tenant.

    Raises InvalidAddress, UnknownNetwork, SourceMissing, NodeUnavailable, RateLimited.
    """
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
    """A page of the wallet's addresses, and the cursor of the next page."""
    parts = decode_cursor(cursor, 3)
    after = None if parts is None else cursor_place(parts)
    where = AddressFilter(keyspace=network.keyspace)
    found = await call.storage.addresses(call.tenant_id, wallet_id, where, after, MOST_ADDRESSES + 1)
    return page_of(found, MOST_ADDRESSES, lambda each: (each.account_id, each.change, each.index))


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
    """The sum in base units, or None if any of the amounts is unknown."""
    found = list(amounts)
    return None if None in found else str(sum(each for each in found if each is not None))
