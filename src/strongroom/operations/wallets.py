"""Wallets: make, import, list, rename, limit, archive."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.access.wallet_rates import read_rates as stored_rates
from strongroom.access.wallet_rates import write_rates
from strongroom.domain.ids import new_id
from strongroom.domain.restriction import NONE
from strongroom.domain.secret import Secret
from strongroom.domain.wallet import Address, Owner, Wallet, WalletKind, WalletState
from strongroom.errors import Forbidden, InvalidField, UnknownNetwork
from strongroom.keys.base import Created, Mnemonic, NewSeed, NewTonWords, RawKey, RawKeyFormat, TonWords
from strongroom.operations import discovery
from strongroom.operations.addresses import AddressView
from strongroom.operations.answers import from_signer
from strongroom.operations.call import Call
from strongroom.operations.cursors import cursor_uuid, page_of
from strongroom.operations.fields import Cursor, ExternalId, Label, NetworkName, PageSize, Timestamp, clean_text
from strongroom.operations.places import Opening
from strongroom.operations.restrictions import RateTexts, read_rates, show_rates
from strongroom.storage.base import Change, Row, WalletFilter

Words = Literal[12, 15, 18, 21, 24]
Language = Literal[
    "english", "japanese", "korean", "spanish", "chinese_simplified", "chinese_traditional", "french", "italian",
    "czech", "portuguese",
]  # fmt: skip
Kind = Literal["bip39", "ton_native", "raw_key"]
Passphrase = Annotated[Secret, Meta(description="BIP-39 passphrase, or TON's mnemonic password; empty if left out")]
FirstNetworks = Annotated[
    list[NetworkName],
    Meta(
        max_length=32,
        description="Networks to open now, whose first address is returned. Others are opened at first use",
    ),
]


class CreateWallet(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: Annotated[
        Literal["bip39", "ton_native"], Meta(description="bip39, or ton_native for 24 words of TON's own system")
    ] = "bip39"
    label: Label | None = None
    words: Words = 24
    language: Language = "english"
    passphrase: Passphrase | None = None
    networks: FirstNetworks = []
    external_id: ExternalId | None = None
    backup: Annotated[bool, Meta(description="Return the words, once. Needs the scope wallets:backup")] = False


class ImportWallet(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: Annotated[
        Kind, Meta(description="bip39 and ton_native need `mnemonic`; raw_key needs `key`, `keyspace` and `format`")
    ]
    mnemonic: Annotated[Secret, Meta(description="bip39, ton_native: the words")] | None = None
    passphrase: Passphrase | None = None
    language: Language | None = None
    keyspace: Annotated[str, Meta(max_length=32, description="raw_key: the keyspace of the key")] | None = None
    format: (
        Annotated[Literal["hex", "wif", "base58", "json"], Meta(description="raw_key: encoding of the key")] | None
    ) = None
    key: Annotated[Secret, Meta(description="raw_key: the private key")] | None = None
    label: Label | None = None
    networks: FirstNetworks = []
    external_id: ExternalId | None = None
    discover: Annotated[
        bool,
        Meta(description="Search in the background for used addresses on each of these networks"),
    ] = False


class ListWallets(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    state: Annotated[Literal["active", "archived"] | None, Meta(description="Only wallets in this state")] = None
    kind: Annotated[Kind | None, Meta(description="Only wallets of this kind")] = None
    label: Label | None = None
    external_id: ExternalId | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class GetWallet(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID


class UpdateWallet(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    label: Label


class LimitWallet(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    wallet_id: UUID
    rates: Annotated[RateTexts, Meta(description="Replaces all rates of the wallet. If empty, it has none of its own")]


class ArchiveWallet(GetWallet, kw_only=True, frozen=True):
    pass


class UnarchiveWallet(GetWallet, kw_only=True, frozen=True):
    pass


class Backup(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    status: Annotated[
        Literal["shown", "already_shown"],
        Meta(description="already_shown: this repeats an earlier request, so the words are not shown again"),
    ]
    mnemonic: Annotated[
        Secret | None, Meta(description="The words, separated by spaces; null if they were shown before")
    ] = None


class WalletView(msgspec.Struct, kw_only=True, frozen=True):
    id: Annotated[UUID, Meta(description="Id of the wallet")]
    kind: Annotated[
        Kind,
        Meta(description="bip39: a mnemonic; ton_native: TON's own kind of mnemonic; raw_key: one imported key"),
    ]
    label: str | None
    external_id: str | None
    state: Annotated[Literal["active", "archived"], Meta(description="An archived wallet signs nothing")]
    keyspace: str | None
    master_fingerprint: str | None
    created_at: Timestamp
    rates: Annotated[RateTexts, Meta(description="The wallet's own rates, which replace the configured ones")] = {}

    @classmethod
    def of(cls, wallet: Wallet) -> WalletView:
        found = {name: getattr(wallet, name) for name in cls.__struct_fields__}
        return cls(**{**found, "rates": show_rates(stored_rates(wallet.rates))})


class CreatedWallet(WalletView, kw_only=True, frozen=True):
    addresses: Annotated[list[AddressView], Meta(description="First address on each of the requested networks")] = []
    backup: Annotated[
        Backup | None, Meta(description="Mnemonic of the wallet, if it was asked for; otherwise null")
    ] = None


class WalletPage(msgspec.Struct, kw_only=True, frozen=True):
    wallets: Annotated[list[WalletView], Meta(description="Wallets of this page")]
    next_cursor: str | None


async def create(command: CreateWallet, call: Call) -> CreatedWallet:
    _require_any_wallet(call)
    if command.backup:
        call.require_scope("wallets:backup", "backup")
    draft = _draft(call, WalletKind(command.kind), command.label, command.external_id)
    openings = call.keyring.openings(draft.kind, _keyspaces(call, command.networks, draft.kind, None))
    spec = _spec(command)
    async with call.journal.intent(wallet_id=draft.id, details={"words": command.words}) as intent:
        created = await from_signer(
            call.signer.create(Owner(draft.tenant_id, draft.id), spec, [opening.want for opening in openings])
        )
        result, rows = _open(call, draft, openings, created, command.networks)
        shown = already = None
        if created.words is not None:
            shown, already = Backup(status="shown", mnemonic=created.words), Backup(status="already_shown")
        stored = msgspec.structs.replace(result, backup=already)
        intent.settle(stored, rows=rows)
    return msgspec.structs.replace(result, backup=shown)


async def import_(command: ImportWallet, call: Call) -> CreatedWallet:
    _require_any_wallet(call)
    material = _material(command, call)
    kind = WalletKind(command.kind)
    draft = replace(_draft(call, kind, command.label, command.external_id), keyspace=command.keyspace)
    openings = call.keyring.openings(kind, _keyspaces(call, command.networks, kind, command.keyspace))
    walks = discovery.at_import(call, draft, command.networks) if command.discover else []
    wants = [opening.want for opening in openings] + [want for walk in walks for want in discovery.wants(walk)]
    async with call.journal.intent(wallet_id=draft.id, details={"kind": command.kind}) as intent:
        created = await from_signer(call.signer.restore(Owner(draft.tenant_id, draft.id), material, wants))
        nodes = created.public[len(openings) :]
        result, rows = _open(
            call, draft, openings, replace(created, public=created.public[: len(openings)]), command.networks
        )
        wakes = []
        for walk in walks:
            count = len(discovery.wants(walk))
            keys, nodes = [each.public_key for each in nodes[:count]], nodes[count:]
            row, wake = discovery.begun_at_import(call, walk, keys, intent.operation_id)
            rows.append(row)
            wakes.append(wake)
        intent.settle(result, rows=rows, wakes=wakes)
    return result


async def list_(command: ListWallets, call: Call) -> WalletPage:
    label, ids = clean_text(command.label, "label"), call.principal.restriction.wallets
    where = WalletFilter(command.state, command.kind, command.external_id, label, ids)
    found = await call.storage.wallets(call.tenant_id, where, cursor_uuid(command.cursor), command.limit + 1)
    page, more = page_of(found, command.limit, lambda each: (each.id,))
    return WalletPage(wallets=[WalletView.of(wallet) for wallet in page], next_cursor=more)


async def get(command: GetWallet, call: Call) -> WalletView:
    return WalletView.of(await call.wallet(command.wallet_id))


async def update(command: UpdateWallet, call: Call) -> WalletView:
    wallet = await call.wallet(command.wallet_id)
    return await _change(call, wallet, {}, {"label": clean_text(command.label, "label")})


async def archive(command: ArchiveWallet, call: Call) -> WalletView:
    """Archives a wallet. Idempotent. From now on no key of the wallet is opened, and opened or cached keys are dropped.

    Raises NotFound.
    """
    wallet = await call.wallet(command.wallet_id)
    view = await _change(call, wallet, {}, {"state": WalletState.ARCHIVED})
    call.wallets.usable.forget((wallet.tenant_id, wallet.id))
    await call.signer.forget(wallet.id)
    await call.keyring.forget(wallet.id)
    return view


async def unarchive(command: UnarchiveWallet, call: Call) -> WalletView:
    wallet = await call.wallet(command.wallet_id)
    return await _change(call, wallet, {}, {"state": WalletState.ACTIVE})


async def limit(command: LimitWallet, call: Call) -> WalletView:
    """Sets the rates of a wallet, at once in this process and within `wallet_rates.TTL` seconds in others.

    Raises NotFound, InvalidField, Forbidden.
    """
    if call.principal.restriction != NONE:
        raise Forbidden("a restricted caller cannot set rates")
    rates = show_rates(read_rates(command.rates, "rates"))
    wallet = await call.wallet(command.wallet_id)
    view = await _change(call, wallet, {}, {"rates": write_rates(rates)})
    call.limits.forget(wallet.tenant_id, wallet.id)
    return view


def _require_any_wallet(call: Call) -> None:
    """Raises Forbidden for a caller that is restricted to certain wallets, because it may not make others."""
    if call.principal.restriction.wallets is not None:
        raise Forbidden("a caller restricted to certain wallets cannot create others")


async def _change(call: Call, wallet: Wallet, expect: dict[str, object], values: dict[str, object]) -> WalletView:
    details = {name: str(value) for name, value in values.items() if name != "label"}
    async with call.journal.intent(wallet_id=wallet.id, details=details) as intent:
        result = WalletView.of(replace(wallet, **values))  # type: ignore[arg-type]
        intent.settle(result, changes=[Change(Wallet, wallet.id, expect, values)])
    return result


def _draft(call: Call, kind: WalletKind, label: str | None, external_id: str | None) -> Wallet:
    return Wallet(
        tenant_id=call.tenant_id,
        id=new_id(),
        kind=kind,
        label=clean_text(label, "label"),
        external_id=clean_text(external_id, "external_id"),
        state=WalletState.ACTIVE,
        secret_version=1,
        master_fingerprint=None,
        keyspace=None,
        created_at=call.now,
    )


def _spec(command: CreateWallet) -> NewSeed | NewTonWords:
    passphrase = command.passphrase or Secret("")
    if command.kind == "bip39":
        return NewSeed(command.words, command.language, passphrase, command.backup)
    if command.words != 24 or command.language != "english":
        raise InvalidField("a ton_native mnemonic must have 24 English words", field="words")
    return NewTonWords(passphrase, command.backup)


def _keyspaces(call: Call, names: list[str], kind: WalletKind, only: str | None) -> list[str]:
    """The keyspaces of these networks, and ``only`` for a raw key. Raises UnknownNetwork, UnknownScheme before anything
    is made.
    """
    found = [] if only is None else [only]
    for name in names:
        network, _ = call.networks.resolve(name)
        call.networks.default_scheme(network, kind)
        if only is not None and network.keyspace != only:
            raise UnknownNetwork("a raw key serves only the networks of its own keyspace", field="networks")
        found.append(network.keyspace)
    return found


def _open(
    call: Call, draft: Wallet, openings: list[Opening], created: Created, networks: list[str]
) -> tuple[CreatedWallet, list[Row]]:
    """The result, and the rows for T2: the wallet, its secret, its accounts, and the first address of each."""
    wallet = replace(draft, master_fingerprint=created.master_fingerprint)
    rows: list[Row] = [wallet, created.secret]
    first: dict[str, Address] = {}
    asked = [call.networks.resolve(name) for name in networks]
    for opening, node in zip(openings, created.public, strict=True):
        account, addresses = call.keyring.opened(wallet, opening, node, call.now)
        named = dict.fromkeys(network.caip2 for network, _ in asked if network.keyspace == opening.keyspace)
        addresses = [replace(address, networks=" ".join(named)) for address in addresses]
        rows += [account, *addresses]
        for address in addresses:
            first[opening.keyspace] = address
    views = []
    for network, chain in asked:
        views.append(AddressView.of(first[network.keyspace], network, chain))
    return CreatedWallet(**msgspec.structs.asdict(WalletView.of(wallet)), addresses=views), rows


def _material(command: ImportWallet, call: Call) -> Mnemonic | TonWords | RawKey:
    words_only = {"mnemonic": command.mnemonic, "passphrase": command.passphrase, "language": command.language}
    key_only = {"keyspace": command.keyspace, "format": command.format, "key": command.key}
    foreign = words_only if command.kind == "raw_key" else key_only
    if command.kind == "ton_native":
        foreign["language"] = command.language
    for name, value in foreign.items():
        if value is not None:
            raise InvalidField(f"{name} cannot be used with kind {command.kind}", field=name)
    if command.kind != "raw_key":
        if command.mnemonic is None:
            raise InvalidField(f"kind {command.kind} needs mnemonic", field="mnemonic")
        if command.kind == "ton_native":
            return TonWords(command.mnemonic, command.passphrase or Secret(""))
        return Mnemonic(command.mnemonic, command.passphrase or Secret(""), command.language)
    if command.keyspace is None or command.format is None or command.key is None:
        raise InvalidField("kind raw_key needs keyspace, format and key", field="key")
    if command.keyspace not in call.networks.keyspaces():
        raise InvalidField(
            "no configured network has this keyspace", field="keyspace", allowed=list(call.networks.keyspaces())
        )
    network, chain = call.networks.keyspaces()[command.keyspace]
    if command.format not in chain.key_formats:
        raise InvalidField(
            "keys of this keyspace do not have this format", field="format", allowed=list(chain.key_formats)
        )
    curve = call.networks.default_scheme(network, WalletKind.RAW_KEY).curve
    return RawKey(curve, RawKeyFormat(command.format), command.key, network.testnet)
