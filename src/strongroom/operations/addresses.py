"""Addresses and account keys: handing out, listing, finding, validating."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain, ParsedAddress
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.wallet import Address
from strongroom.errors import ExternalIdTaken, InternalError, InvalidAddress, NotFound, UnknownScheme
from strongroom.journal.base import Intent, Journal
from strongroom.operations.batches import Step
from strongroom.operations.call import Call
from strongroom.operations.cursors import cursor_place, decode_cursor, page_of
from strongroom.operations.fields import (
    AccountNumber,
    AddressText,
    ChangeBranch,
    Cursor,
    ExternalId,
    Index,
    KeySelector,
    Label,
    NetworkName,
    PageSize,
    PathText,
    SchemeName,
    Timestamp,
    clean_text,
)
from strongroom.operations.memory import Usable
from strongroom.operations.places import Place, address_at
from strongroom.storage.base import AddressFilter


class GetAddress(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    index: Index | None = None
    scheme: SchemeName | None = None
    account: AccountNumber | None = None
    change: ChangeBranch | None = None
    path: PathText | None = None


class NextAddress(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    scheme: SchemeName | None = None
    account: AccountNumber = 0
    label: Label | None = None
    external_id: ExternalId | None = None


class ListAddresses(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName | None = None
    scheme: SchemeName | None = None
    external_id: ExternalId | None = None
    all: Annotated[
        bool,
        Meta(description="Include addresses that are stored but were never handed out, or not on this network"),
    ] = False
    cursor: Cursor | None = None
    limit: PageSize = 50


class FindAddress(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    address: AddressText


class ValidateAddress(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    network: NetworkName
    address: AddressText


class GetAccount(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    scheme: SchemeName | None = None
    account: AccountNumber = 0


class AddressView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    address: str
    forms: dict[str, str]
    details: Annotated[dict[str, Any], Meta(description="Chain-specific. TON: raw, contract, wallet_id")] = {}
    """It has a default because responses that version 1.0 stored do not contain it."""
    scheme: str
    account: int
    change: int
    index: int
    path: str
    public_key: Annotated[str, Meta(description="Hex; compressed if secp256k1")]
    label: str | None
    external_id: str | None
    created_at: Timestamp

    @classmethod
    def of(cls, address: Address, network: Network, chain: Chain, shown: ParsedAddress | None = None) -> AddressView:
        """``shown``: how the chain renders the key, if that is already known."""
        if shown is None:
            scheme = chain.schemes(network.keyspace)[address.scheme]
            shown = chain.render(network, scheme, address.public_key)
        return cls(
            wallet_id=address.wallet_id,
            network=network.name,
            address=shown.address,
            forms=dict(shown.forms),
            details=dict(shown.details),
            scheme=address.scheme,
            account=address.account,
            change=address.change,
            index=address.index,
            path=address.path,
            public_key=address.public_key.hex(),
            label=address.label,
            external_id=address.external_id,
            created_at=address.created_at,
        )


class AddressPage(msgspec.Struct, kw_only=True, frozen=True):
    addresses: list[AddressView]
    next_cursor: str | None


class FoundAddresses(msgspec.Struct, kw_only=True, frozen=True):
    addresses: Annotated[list[AddressView], Meta(description="One for each wallet and scheme with this key")]


class AddressValidity(msgspec.Struct, kw_only=True, frozen=True):
    valid: Annotated[bool, Meta(description="Whether it is an address of the network")]
    reason: Annotated[str | None, Meta(description="Why it is not valid, or null")]
    address: Annotated[str | None, Meta(description="The address as the network writes it")]
    forms: dict[str, str]
    kind: Annotated[str | None, Meta(description="wallet, contract, script …, or null if the address does not tell")]
    details: Annotated[
        dict[str, Any],
        Meta(description="What else the address tells. Solana: on_curve; TON: raw, workchain, bounceable, test_only"),
    ]


class AccountView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    scheme: str
    account: int
    path: Annotated[str, Meta(description="Derivation path of the account, such as m/44'/60'/0'")]
    extended_public_key: Annotated[str, Meta(description="BIP-32 xpub of the account; tpub on Bitcoin's test networks")]
    master_fingerprint: str | None
    slip132: Annotated[
        str | None, Meta(description="Bitcoin: the same key as ypub, zpub …, if the scheme has such a form")
    ]
    descriptor: Annotated[str | None, Meta(description="Bitcoin: output descriptor with origin and checksum")]
    next_index: Annotated[int, Meta(description="Index of the next address on the receiving branch")]


async def get(command: GetAddress, call: Call) -> AddressView:
    """Derives the address if it is new. The address at a position never changes."""
    network, chain = call.networks.resolve(command.network)
    wallet = await call.known_wallet(command.wallet_id)
    selector = KeySelector(
        scheme=command.scheme,
        account=command.account,
        change=command.change,
        index=command.index,
        path=command.path,
    )
    place = call.keyring.place(wallet, network, selector)
    return AddressView.of(await call.keyring.derive(call, place), network, chain)


async def next_(command: NextAddress, call: Call) -> AddressView:
    """Hands out the lowest index that was not handed out yet, starting at the account's counter."""
    of = await _account(command, call)
    place = await call.keyring.reserve(call, of.first)
    known = await call.keyring.follows(call, place)
    async with of.intent(call.journal, place, at_once=known is not None) as intent:
        key = known or await call.keyring.public_key(call, place, of.usable.secret)
        address, result = of.handed_out(place, key, call.now)
        intent.settle(result, rows=[address])
    return result


async def next_many(command: NextAddress, call: Call, count: int) -> list[Step]:
    """Steps that hand out up to ``count`` addresses as `next_` does. Empty if the scheme has no public node to derive
    from.
    """
    of = await _account(command, call)
    node = await call.keyring.node(call, of.first)
    if node is None or not of.first.scheme.template.endswith("/{index}"):
        return []
    key_of = bip32.children_of(node, of.first.path.rpartition("/")[0])

    def step(place: Place, journal: Journal) -> tuple[AddressView, Intent]:
        address, result = of.handed_out(place, key_of(place.at.index), call.now)
        intent = of.intent(journal, place, at_once=True)
        intent.settle(result, rows=[address])
        return result, intent

    return [partial(step, place) for place in await call.keyring.reserve_many(call, of.first, count)]


@dataclass(frozen=True, slots=True)
class _Account:
    """The account that addresses are handed out from, and the label and external id that the caller gave."""

    network: Network
    chain: Chain
    usable: Usable
    first: Place
    label: str | None
    external_id: str | None

    def intent(self, journal: Journal, place: Place, *, at_once: bool) -> Intent:
        return journal.intent(
            wallet_id=self.usable.wallet.id,
            network=self.network.name,
            opens=self.usable.secret,
            details={"path": place.path, "scheme": place.scheme.name},
            at_once=at_once,
        )

    def handed_out(self, place: Place, key: bytes, now: datetime) -> tuple[Address, AddressView]:
        shown = self.chain.render(self.network, place.scheme, key)
        address = address_at(self.chain, place, key, now, shown=shown, label=self.label, external_id=self.external_id)
        return address, AddressView.of(address, self.network, self.chain, shown)


async def _account(command: NextAddress, call: Call) -> _Account:
    """The account, opened if it is new. Raises UnknownScheme, ExternalIdTaken."""
    network, chain = call.networks.resolve(command.network)
    usable = await call.usable_wallet(command.wallet_id)
    label = clean_text(command.label, "label")
    external_id = clean_text(command.external_id, "external_id")
    first = call.keyring.place(usable.wallet, network, KeySelector(scheme=command.scheme, account=command.account))
    if "{index}" not in first.scheme.template:
        raise UnknownScheme("the scheme has only one address: leave out the index", field="scheme")
    if external_id is not None:
        await _require_free(call, external_id)
    await call.keyring.begin(call, first)
    return _Account(network, chain, usable, first, label, external_id)


async def _require_free(call: Call, external_id: str) -> None:
    """Checks before an index is used up. If two calls race, the commit accepts one and gives the other this
    same error.
    """
    held = await call.storage.address_by_external_id(call.tenant_id, external_id)
    if held is not None:
        seen = call.principal.restriction.wallets
        of = f" of wallet {held.wallet_id}" if seen is None or held.wallet_id in seen else ""
        raise ExternalIdTaken(f"an address{of} already has this external_id", field="external_id")


async def list_(command: ListAddresses, call: Call) -> AddressPage:
    """Lists addresses by account and index. Without ``network``, each is shown on the network it was first handed out
    for.
    """
    wallet = await call.wallet(command.wallet_id)
    only = None if command.network is None else call.networks.resolve(command.network)
    keyspaces, mine = call.networks.keyspaces(), call.principal.restriction.networks
    where = AddressFilter(
        None if only is None else only[0].keyspace,
        command.scheme,
        command.external_id,
        None if mine is None else frozenset(keyspaces),
        handed_out=not command.all,
        networks=mine if only is None else frozenset({only[0].caip2}),
    )
    cursor = decode_cursor(command.cursor, 3)
    after = None if cursor is None else cursor_place(cursor)
    found = await call.storage.addresses(call.tenant_id, wallet.id, where, after, command.limit + 1)
    page, more = page_of(found, command.limit, lambda each: (each.account_id, each.change, each.index))
    views = [AddressView.of(address, *(only or _first_asked(call, address))) for address in page]
    return AddressPage(addresses=views, next_cursor=more)


def _first_asked(call: Call, address: Address) -> tuple[Network, Chain]:
    for caip2 in address.handed_out_for:
        if call.networks.has(caip2):
            return call.networks.resolve(caip2)
    return call.networks.keyspaces()[address.keyspace]


async def find(command: FindAddress, call: Call) -> FoundAddresses:
    network, chain = call.networks.resolve(command.network)
    canonical = chain.parse_address(network, command.address).canonical
    wallets = call.principal.restriction.wallets
    found = await call.storage.find_addresses(call.tenant_id, network.keyspace, canonical, wallets)
    if not found:
        raise NotFound("no wallet of this tenant has handed out this address", field="address")
    return FoundAddresses(addresses=[AddressView.of(address, network, chain) for address in found])


async def validate(command: ValidateAddress, call: Call) -> AddressValidity:
    network, chain = call.networks.resolve(command.network)
    try:
        parsed = chain.parse_address(network, command.address)
    except InvalidAddress as refusal:
        return AddressValidity(valid=False, reason=refusal.message, address=None, forms={}, kind=None, details={})
    return AddressValidity(
        valid=True,
        reason=None,
        address=parsed.address,
        forms=dict(parsed.forms),
        kind=parsed.kind,
        details=dict(parsed.details),
    )


async def get_account(command: GetAccount, call: Call) -> AccountView:
    network, chain = call.networks.resolve(command.network)
    wallet = await call.wallet(command.wallet_id)
    place = call.keyring.place(wallet, network, KeySelector(scheme=command.scheme, account=command.account))
    place = replace(place, asked=False)
    if place.scheme.account_template is None:
        raise UnknownScheme(
            "the scheme has no extended public key, because a step below its account is hardened", field="scheme"
        )
    if await call.keyring.account(call, place) is None:
        call.require_scope("addresses:derive", "opening an account")
    account = await call.keyring.open(call, place)
    if account.node is None:
        raise InternalError("an account was stored without its extended public key")
    keys = chain.account_keys(network, place.scheme, account.node, wallet.master_fingerprint)
    return AccountView(
        wallet_id=wallet.id,
        network=network.name,
        scheme=account.scheme,
        account=account.number,
        path=account.path,
        extended_public_key=keys.extended_public_key,
        master_fingerprint=wallet.master_fingerprint,
        slip132=keys.slip132,
        descriptor=keys.descriptor,
        next_index=account.next_index,
    )
