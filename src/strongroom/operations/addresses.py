"""Addresses and account keys: hand out, list, look up, validate."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.chains.base import Chain
from strongroom.domain.network import Network
from strongroom.domain.wallet import Address
from strongroom.errors import InternalError, InvalidAddress, NotFound, UnknownScheme
from strongroom.operations.call import Call
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
    cursor_place,
    decode_cursor,
    encode_cursor,
)
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
    details: Annotated[dict[str, Any], Meta(description="Chain-specific; TON: raw, contract, wallet_id")] = {}
    """With a default: answers that 1.0 stored do not have it."""
    scheme: str
    account: int
    change: int
    index: int
    path: str
    public_key: Annotated[str, Meta(description="Hex; secp256k1 compressed")]
    label: str | None
    external_id: str | None
    created_at: Timestamp

    @classmethod
    def of(cls, address: Address, network: Network, chain: Chain) -> AddressView:
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
    addresses: Annotated[list[AddressView], Meta(description="One for each wallet and scheme that has this key")]


class AddressValidity(msgspec.Struct, kw_only=True, frozen=True):
    valid: bool
    reason: Annotated[str | None, Meta(description="Why it is not valid")]
    address: Annotated[str | None, Meta(description="As the network shows it")]
    forms: dict[str, str]
    kind: str | None
    details: Annotated[
        dict[str, Any],
        Meta(description="What else the address tells; Solana: on_curve; TON: raw, workchain, bounceable, test_only"),
    ]


class AccountView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    scheme: str
    account: int
    path: str
    extended_public_key: Annotated[str, Meta(description="BIP-32 xpub of the account; tpub on Bitcoin's test networks")]
    master_fingerprint: str | None
    slip132: Annotated[str | None, Meta(description="Bitcoin: the same as ypub, zpub …, where its scheme has such")]
    descriptor: Annotated[str | None, Meta(description="Bitcoin: output descriptor with origin and checksum")]
    next_index: int


async def get(command: GetAddress, call: Call) -> AddressView:
    """Derives the address where it is new; the answer for a position never changes."""
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
    """The lowest index from the account's counter on that was not handed out yet."""
    network, chain = call.networks.resolve(command.network)
    usable = await call.usable_wallet(command.wallet_id)
    wallet = usable.wallet
    label = clean_text(command.label, "label")
    external_id = clean_text(command.external_id, "external_id")
    first = call.keyring.place(wallet, network, KeySelector(scheme=command.scheme, account=command.account))
    if "{index}" not in first.scheme.template:
        raise UnknownScheme("the scheme has one address only", field="scheme")
    await call.keyring.derive(call, first)
    place = await call.keyring.reserve(call, first)
    details = {"path": place.path, "scheme": place.scheme.name}
    async with call.journal.intent(
        wallet_id=wallet.id, network=network.name, opens=usable.secret, details=details
    ) as intent:
        key = await call.keyring.public_key(call, place, usable.secret)
        address = replace(call.keyring.address(place, key, call.now), label=label, external_id=external_id)
        result = AddressView.of(address, network, chain)
        intent.settle(result, rows=[address])
    return result


async def list_(command: ListAddresses, call: Call) -> AddressPage:
    """What was handed out, by account and index. Without ``network`` each is shown on the first of its keyspace."""
    wallet = await call.wallet(command.wallet_id)
    only = None if command.network is None else call.networks.resolve(command.network)
    where = AddressFilter(None if only is None else only[0].keyspace, command.scheme, command.external_id)
    cursor = decode_cursor(command.cursor, 3)
    after = None if cursor is None else cursor_place(cursor)
    found = await call.storage.addresses(call.tenant_id, wallet.id, where, after, command.limit + 1)
    page = found[: command.limit]
    keyspaces = call.networks.keyspaces()
    views = [AddressView.of(address, *(only or keyspaces[address.keyspace])) for address in page]
    last = page[-1] if len(found) > command.limit else None
    more = None if last is None else encode_cursor(last.account_id, last.change, last.index)
    return AddressPage(addresses=views, next_cursor=more)


async def find(command: FindAddress, call: Call) -> FoundAddresses:
    network, chain = call.networks.resolve(command.network)
    canonical = chain.parse_address(network, command.address).canonical
    found = await call.storage.find_addresses(call.tenant_id, network.keyspace, canonical)
    if not found:
        raise NotFound("no wallet has handed out this address", field="address")
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
    if place.scheme.account_template is None:
        raise UnknownScheme(
            "the scheme has no extended public key: a step below its account is hardened", field="scheme"
        )
    if await call.keyring.account(call, place) is None:
        call.require_scope("addresses:derive", "opening an account")
    account = await call.keyring.open(call, place)
    if account.node is None:
        raise InternalError("an account with a public node was stored without it")
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
