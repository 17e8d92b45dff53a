"""Addresses and account keys: hand out, list, look up, validate."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.scheme import HARDENED, Position
from strongroom.domain.wallet import Account, Address, Wallet
from strongroom.errors import AddressNotDerived, InvalidAddress, InvalidField, NotFound, UnknownScheme
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
    clean_text,
    decode_cursor,
    encode_cursor,
    parse_cursor_uuid,
)
from strongroom.operations.keyring import Place
from strongroom.storage.base import AddressFilter, Change

if TYPE_CHECKING:
    from strongroom.chains.base import Chain
    from strongroom.operations.call import Call


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
    scheme: str
    account: int
    change: int
    index: int
    path: str
    public_key: Annotated[str, Meta(description="Hex; secp256k1 compressed")]
    label: str | None
    external_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, address: Address, network: Network, chain: Chain) -> AddressView:
        scheme = chain.schemes(network.keyspace)[address.scheme]
        shown = chain.render(network, scheme, address.public_key)
        return cls(
            wallet_id=address.wallet_id,
            network=network.name,
            address=shown.address,
            forms=dict(shown.forms),
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


class AccountView(msgspec.Struct, kw_only=True, frozen=True):
    wallet_id: UUID
    network: str
    scheme: str
    account: int
    path: str
    extended_public_key: Annotated[str, Meta(description="BIP-32 xpub of the account")]
    master_fingerprint: str | None
    next_index: int


async def get(command: GetAddress, call: Call) -> AddressView:
    """Derives the address where it is new; the answer for a position never changes."""
    from strongroom.operations.wallets import existing

    network, chain = call.networks.resolve(command.network)
    wallet = await existing(call, command.wallet_id)
    place = call.keyring.place(wallet, network, _selector(command))
    return AddressView.of(await call.keyring.derive(call, place), network, chain)
