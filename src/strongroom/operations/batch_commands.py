"""Batches: make wallets, hand out addresses, sign transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.errors import InvalidField
from strongroom.operations.addresses import AddressView, NextAddress
from strongroom.operations.batches import MOST_ITEMS, Count, Item, ItemResult, Ref
from strongroom.operations.fields import AccountNumber, Label, NetworkName, SchemeName, clean_text
from strongroom.operations.sight import NOTHING, Touches, Touching, named
from strongroom.operations.transactions import SignedTransaction, SignTransaction
from strongroom.operations.wallets import CreatedWallet, CreateWallet

C = TypeVar("C", bound=msgspec.Struct)


class WalletItem(CreateWallet, kw_only=True, frozen=True, forbid_unknown_fields=True):
    ref: Ref | None = None


WalletItems = Annotated[list[WalletItem], Meta(max_length=MOST_ITEMS, description="Wallets that differ, one item each")]


class CreateWallets(CreateWallet, kw_only=True, frozen=True, forbid_unknown_fields=True):
    items: WalletItems = msgspec.field(default_factory=list)
    count: (
        Annotated[Count, Meta(description="Number of identical wallets. The other fields describe each of them")] | None
    ) = None


class NextAddresses(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    network: NetworkName
    count: Annotated[Count, Meta(description="Number of addresses to hand out")]
    scheme: SchemeName | None = None
    account: AccountNumber = 0
    label: Label | None = None


class SignItem(SignTransaction, kw_only=True, frozen=True, forbid_unknown_fields=True):
    ref: Ref | None = None


class SignTransactions(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    items: Annotated[
        Annotated[list[SignItem], Meta(min_length=1, max_length=MOST_ITEMS)],
        Meta(description="Transactions to sign. Each item has its own result, in the same order"),
    ]


class WalletResult(ItemResult, kw_only=True, frozen=True, omit_defaults=True):
    result: CreatedWallet | None = None


class AddressResult(ItemResult, kw_only=True, frozen=True, omit_defaults=True):
    result: AddressView | None = None


class SignResult(ItemResult, kw_only=True, frozen=True, omit_defaults=True):
    result: SignedTransaction | None = None


class CreatedWallets(msgspec.Struct, kw_only=True, frozen=True):
    results: Annotated[list[WalletResult], Meta(description="One for each item, in the order of the request")]


class HandedOutAddresses(msgspec.Struct, kw_only=True, frozen=True):
    results: Annotated[list[AddressResult], Meta(description="One for each address")]


class SignedTransactions(msgspec.Struct, kw_only=True, frozen=True):
    results: Annotated[list[SignResult], Meta(description="One for each item, in the order of the request")]


def wallets(command: CreateWallets) -> list[Item]:
    """The items of the batch. Raises InvalidField."""
    alike = _as(CreateWallet, command)
    if bool(command.items) == (command.count is not None):
        raise InvalidField("give either items or count", field="items")
    if command.items:
        if alike != _PLAIN:
            raise InvalidField(
                "with items, the other fields do not apply: each item describes its wallet", field="items"
            )
        return [Item(_as(CreateWallet, each), clean_text(each.ref, "items.ref")) for each in command.items]
    if command.external_id is not None:
        raise InvalidField(
            "an external_id is unique to a wallet: give it in items, not with count", field="external_id"
        )
    return [Item(alike)] * (command.count or 0)


def addresses(command: NextAddresses) -> list[Item]:
    return [Item(_as(NextAddress, command))] * command.count


def signatures(command: SignTransactions) -> list[Item]:
    return [Item(_as(SignTransaction, each), clean_text(each.ref, "items.ref")) for each in command.items]


def touching(items: Callable[[Any], Sequence[Item]]) -> Touching:
    """A function that gives all wallets and networks that the items of a batch name."""

    def touched(command: msgspec.Struct) -> Touches:
        return reduce(or_, (named(item.command) for item in items(command)), NOTHING)

    return touched


def _as(of: type[C], command: msgspec.Struct) -> C:
    """The command ``of``, with the values of the fields that both have."""
    known = set(command.__struct_fields__)
    return of(**{name: getattr(command, name) for name in of.__struct_fields__ if name in known})


_PLAIN: Final = CreateWallet()
