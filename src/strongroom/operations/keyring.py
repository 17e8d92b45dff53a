"""Which public keys a wallet has, and how one is found without opening it.

An account with a public node gives every address below it. Where an index is hardened each derived key is stored, and a
key that is not stored yet is derived by the signer, once, as an audited step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID, uuid5

import msgspec

from strongroom.cache.base import Cache, CacheKey, Kind
from strongroom.chains.base import Chain
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.scheme import Position, Scheme
from strongroom.domain.signing import KeyHint, OurKey
from strongroom.domain.wallet import Account, Address, PublicNode, SealedSecret, Wallet, WalletKind
from strongroom.errors import (
    AddressNotDerived,
    InFlight,
    IntegrityError,
    InvalidField,
    InvalidPath,
    StrongroomError,
    UnknownScheme,
    WrongKey,
)
from strongroom.keys.base import Signer, Want
from strongroom.operations.answers import from_signer
from strongroom.operations.context import Context
from strongroom.operations.counters import Counters
from strongroom.operations.fields import KeySelector
from strongroom.operations.memory import Memory
from strongroom.operations.networks import Networks
from strongroom.storage.base import Unit
from strongroom.telemetry.alarms import integrity_alarm

_ADDRESS: Final = msgspec.msgpack.Decoder(Address)


@dataclass(frozen=True, slots=True)
class Opening:
    """An account that is to be opened, and the first address of it."""

    network: Network
    scheme: Scheme
    at: Position
    want: Want

    @property
    def keyspace(self) -> str:
        return self.network.keyspace


@dataclass(frozen=True, slots=True)
class Place:
    """One key of one wallet, named but not yet looked up."""

    wallet: Wallet
    network: Network
    scheme: Scheme
    at: Position

    @property
    def path(self) -> str:
        return self.scheme.path(self.at)

    @property
    def account_id(self) -> UUID:
        return account_id(self.wallet.id, self.network.keyspace, self.scheme.name, self.at.account)


def account_id(wallet_id: UUID, keyspace: str, scheme: str, number: int) -> UUID:
    """Two processes that open the same account make the same row."""
    return uuid5(wallet_id, f"{keyspace}/{scheme}/{number}")


class Keyring:
    """``cache`` holds addresses as they are stored; ``size`` is how many accounts and keys are remembered besides. None
    of them ever changes, so what is remembered cannot be out of date.
    """

    def __init__(self, networks: Networks, cache: Cache, *, size: int = 2_000) -> None:
        self._networks = networks
        self._cache = cache
        self._accounts: Memory[UUID, Account] = Memory(size)
        self._ours: Memory[tuple[UUID, str, bytes | tuple[str, Position]], OurKey] = Memory(size)
        """By wallet, keyspace, and canonical address or place: keys that were asked to sign."""
        self._counters = Counters()

    def openings(self, kind: WalletKind, keyspaces: Iterable[str]) -> list[Opening]:
        """The default account of each of these: opened when the wallet is made. The others are at first use."""
        found = []
        for name in dict.fromkeys(keyspaces):
            network, _ = self._networks.keyspaces()[name]
            scheme = self._networks.default_scheme(network, kind)
            found.append(Opening(network, scheme, Position(), _want(scheme, Position())))
        return found

    def opened(
        self, wallet: Wallet, opening: Opening, node: PublicNode, now: datetime
    ) -> tuple[Account, list[Address]]:
        """The rows of an account that the signer has just opened, and the address at ``opening`` if its keys have one.

        Only the first address moves the counter: if any did, one call for the last index would leave none to hand out.
        """
        place = Place(wallet, opening.network, opening.scheme, opening.at)
        stores_node = opening.scheme.account_template is not None
        account = Account(
            tenant_id=wallet.tenant_id,
            id=place.account_id,
            wallet_id=wallet.id,
            keyspace=opening.keyspace,
            scheme=opening.scheme.name,
            number=opening.at.account,
            path=node.path,
            node=node if stores_node else None,
            next_index=int(opening.at == Position(opening.at.account)),
        )
        if opening.scheme.shared:
            return account, []
        key = bip32.derive_public(node, place.path).public_key if stores_node else node.public_key
        return account, [self.address(place, key, now)]

    def place(self, wallet: Wallet, network: Network, selector: KeySelector) -> Place:
        """Raises InvalidPath, InvalidField, UnknownScheme."""
        if wallet.keyspace is not None and wallet.keyspace != network.keyspace:
            raise InvalidField("the wallet is a raw key of another keyspace", field="network")
        if selector.path is not None:
            return self._place_of_path(wallet, network, selector)
        scheme = self._networks.scheme(network, wallet.kind, selector.scheme)
        at = Position(selector.account or 0, selector.change or 0, selector.index or 0)
        try:
            scheme.path(at)
        except ValueError as reason:
            raise InvalidField(str(reason), field="scheme") from None
        return Place(wallet, network, scheme, at)

    def _place_of_path(self, wallet: Wallet, network: Network, selector: KeySelector) -> Place:
        if (selector.index, selector.account, selector.change) != (None, None, None):
            raise InvalidField("path does not go with index, account or change", field="path")
        path = bip32.canonical_path(selector.path or "")
        chain = self._networks.chains[network.chain]
        if selector.scheme is not None:
            schemes = [self._networks.scheme(network, wallet.kind, selector.scheme)]
        else:
            default = self._networks.default_scheme(network, wallet.kind)
            others = [found for found in chain.schemes(network.keyspace).values() if found is not default]
            schemes = [found for found in (default, *others) if wallet.kind in found.kinds]
        for scheme in schemes:
            at = scheme.match(path)
            if at is not None:
                return Place(wallet, network, scheme, at)
        raise InvalidPath("the path fits no scheme of this network for wallets of this kind", field="path")

    async def known(self, call: Context, place: Place) -> Address | None:
        """The address at a place, as far as no key must be opened for it."""
        return await self._stored(call, place) or await self._following(call, place)

    async def _stored(self, call: Context, place: Place) -> Address | None:
        """The row at a place, from the cache or the database; where its account has a node it is what that derives."""
        name = f"{call.tenant_id}/{place.account_id}/{place.at.change}/{place.at.index}"

        async def read() -> bytes | None:
            account = await self.account(call, place)
            if account is None:
                return None
            stored = await call.storage.address(call.tenant_id, place.account_id, place.at.change, place.at.index)
            if stored is not None and account.node is not None:
                _require_same(stored, self._derived(account.node, place, call.now))
            return None if stored is None else msgspec.msgpack.encode(stored)

        found = await self._cache.fetch(
            CacheKey(Kind.ADDRESS, place.wallet.id, name), read, lambda value: self._is_at(place, value)
        )
        return None if found is None else _ADDRESS.decode(found)

    async def _following(self, call: Context, place: Place) -> Address | None:
        """What follows from its account's node and is not stored yet."""
        account = await self.account(call, place)
        if account is None or account.node is None:
            return None
        return self._derived(account.node, place, call.now)

    def _derived(self, node: PublicNode, place: Place, now: datetime) -> Address:
        return self.address(place, bip32.derive_public(node, place.path).public_key, now)

    def _is_at(self, place: Place, value: bytes) -> bool:
        """Whether what another process cached is the address of this place, by all that is known here."""
        try:
            cached = _ADDRESS.decode(value)
            expected = self.address(place, cached.public_key, cached.created_at)
        except (msgspec.DecodeError, StrongroomError, ValueError):
            return False
        account = self._accounts.recall(place.account_id)
        if account is not None and account.node is not None:
            expected = self._derived(account.node, place, cached.created_at)
        return replace(cached, label=None, external_id=None) == expected

    async def account(self, call: Context, place: Place) -> Account | None:
        remembered = self._accounts.recall(place.account_id)
        if remembered is not None:
            return remembered
        account = await self._stored_account(call, place)
        if account is not None:
            self._accounts.keep(place.account_id, account)
        return account

    async def _stored_account(self, call: Context, place: Place) -> Account | None:
        return await call.storage.account(
            call.tenant_id, place.wallet.id, place.network.keyspace, place.scheme.name, place.at.account
        )

    async def derive(self, call: Context, place: Place) -> Address:
        """The address at a place; where it is not known yet the key is opened for it, audited, and it is stored.

        Raises UnknownScheme where the scheme's keys have none.
        """
        if place.scheme.shared:
            raise UnknownScheme("keys of this scheme have no address of their own, only an account", field="scheme")
        found = await self._handed_out(call, place)
        if found is not None:
            return found
        try:
            [address] = await self._open(call, place)
        except InFlight:  # another request opened the same account first
            found = await self._handed_out(call, place)
            if found is not None:
                return found
            [address] = await self._open(call, place)
        return address

    async def _handed_out(self, call: Context, place: Place) -> Address | None:
        """What is known, and stored if it only followed: what was handed out can be looked up."""
        stored = await self._stored(call, place)
        if stored is not None:
            return stored
        address = await self._following(call, place)
        if address is not None:
            unit = Unit(same=[address])
            await call.journal.commit(unit, wallet_id=place.wallet.id, network=place.network.name)
        return address

    async def open(self, call: Context, place: Place) -> Account:
        """The account at a place; where it is not open yet its node is derived, audited, and it is stored."""
        if await self.account(call, place) is None:
            with suppress(InFlight):  # another request opened it first
                await self._open(call, place)
        account = await self._stored_account(call, place)
        if account is None:
            raise InFlight("another request is opening this account; try again", retry_after=1)
        return account

    async def _open(self, call: Context, place: Place) -> list[Address]:
        """The address at a place, if its key has one. Raises WalletArchived."""
        account = await self.account(call, place)
        usable = await call.usable_wallet(place.wallet.id)
        also = [other for other in self._beside(place) if await self.account(call, other) is None]
        openings = [_opening(each) for each in (place, *also)]
        details = {"path": place.path, "scheme": place.scheme.name}
        if also:
            details["also"] = ", ".join(other.scheme.name for other in also)
        async with call.journal.intent(
            wallet_id=place.wallet.id, network=place.network.name, opens=usable.secret, details=details, keyed=False
        ) as intent:
            nodes = await from_signer(call.signer.public(usable.secret, [opening.want for opening in openings]))
            opened = [
                self.opened(place.wallet, opening, node, call.now)
                for opening, node in zip(openings, nodes, strict=True)
            ]
            rows = [row for row, _ in opened]
            addresses = opened[0][1]
            intent.settle(None, rows=rows[1:] if account else rows, same=addresses)
        return addresses

    def _beside(self, place: Place) -> list[Place]:
        """The accounts of this number that open with a cosigner's.

        Which script a multisig has is settled elsewhere, and the key that it takes then must be known.
        """
        if not place.scheme.shared:
            return []
        schemes = self._networks.chains[place.network.chain].schemes(place.network.keyspace).values()
        at = Position(place.at.account)
        return [
            replace(place, scheme=scheme, at=at)
            for scheme in schemes
            if scheme.shared and scheme is not place.scheme and scheme.has(at)
        ]

    async def public_key(self, call: Context, place: Place, secret: SealedSecret) -> bytes:
        """The key at a place of an account that is open already; where its index is hardened the signer derives it."""
        account = await self.account(call, place)
        if account is not None and account.node is not None:
            return bip32.derive_public(account.node, place.path).public_key
        [key] = await self.public_keys([place], secret, call.signer)
        return key

    async def public_keys(self, places: Sequence[Place], secret: SealedSecret, signer: Signer) -> list[bytes]:
        """Of places of one wallet, which is opened for it."""
        wants = [Want(each.path, each.scheme.curve) for each in places]
        return [node.public_key for node in await from_signer(signer.public(secret, wants))]

    async def reserve(self, call: Context, first: Place) -> Place:
        """Takes the next index off the account's counter. Raises as `Counters.take`."""
        index = await self._counters.take(call, first.account_id, partial(self._stored_account, call, first))
        return replace(first, at=replace(first.at, index=index))

    async def is_unopened(self, call: Context, place: Place) -> bool:
        """Whether using this key opens its account. A hardened index that was never derived is not opened by use."""
        if self._ours.recall(_name(place)) is not None or await self.account(call, place) is not None:
            return False
        return place.scheme.account_template is not None or place.at.index == 0

    async def ours(self, call: Context, place: Place) -> OurKey:
        """The key that is to sign. Raises AddressNotDerived: no key is opened to find out."""
        name = _name(place)
        ours = self._ours.recall(name)
        if ours is None:
            address = await self.known(call, place)
            if address is None:
                raise AddressNotDerived("this key has not been derived yet: ask for its address first", field="index")
            ours = _our_key(address)
            self._ours.keep(name, ours)
        return ours

    async def find(
        self, call: Context, wallet: Wallet, network: Network, selector: KeySelector, hints: Sequence[KeyHint] = ()
    ) -> OurKey:
        """The one key that signs: what the selector says, else what the transaction asks for, else index 0.

        Raises WrongKey where an address is named that is not the wallet's.
        """
        named = self._addresses_named(network, selector, hints)
        for address in named[:-1]:
            with suppress(WrongKey):  # a transaction may want others to sign it too
                return await self._by_address(call, wallet, network, address)
        if named:
            return await self._by_address(call, wallet, network, named[-1])
        return await self.ours(call, self.place(wallet, network, selector))

    async def unopened(
        self, call: Context, wallet: Wallet, network: Network, selector: KeySelector, hints: Sequence[KeyHint] = ()
    ) -> list[Place]:
        """The place of the key that `find` gives, if its account is to be opened first.

        A key that is named by its address was handed out, or is the first of an account that is not open yet, or is
        not this wallet's. Which of the last two it is shows once the default account is open.
        """
        named = self._addresses_named(network, selector, hints)
        for address in named:
            with suppress(WrongKey):
                await self._by_address(call, wallet, network, address)
                return []
        place = self.place(wallet, network, KeySelector() if named else selector)
        return [place] if await self.is_unopened(call, place) else []

    def _addresses_named(self, network: Network, selector: KeySelector, hints: Sequence[KeyHint]) -> list[bytes]:
        """Canonical bytes. Raises InvalidField, InvalidAddress."""
        position = (selector.scheme, selector.account, selector.change, selector.index, selector.path)
        if selector.address is not None:
            if position != (None,) * 5:
                raise InvalidField("address does not go with scheme, account, change, index or path", field="address")
            return [self._networks.chains[network.chain].parse_address(network, selector.address).canonical]
        if position != (None,) * 5:
            return []
        return [hint.address for hint in hints if hint.address is not None]

    async def _by_address(self, call: Context, wallet: Wallet, network: Network, canonical: bytes) -> OurKey:
        name = (wallet.id, network.keyspace, canonical)
        ours = self._ours.recall(name)
        if ours is None:
            found = await call.storage.find_addresses(call.tenant_id, network.keyspace, canonical, wallet.id)
            if not found:
                raise WrongKey("the wallet has handed out no such address on this network", field="address")
            ours = _our_key(found[0])
            self._ours.keep(name, ours)
        return ours

    async def forget(self, wallet_id: UUID) -> None:
        """Drops what is cached of a wallet: addresses, and what else is kept under its id."""
        await self._cache.forget(wallet_id)

    def address(self, place: Place, public_key: bytes, now: datetime) -> Address:
        return address_at(self._networks.chains[place.network.chain], place, public_key, now)


def address_at(chain: Chain, place: Place, public_key: bytes, now: datetime) -> Address:
    return Address(
        tenant_id=place.wallet.tenant_id,
        wallet_id=place.wallet.id,
        account_id=place.account_id,
        keyspace=place.network.keyspace,
        scheme=place.scheme.name,
        account=place.at.account,
        change=place.at.change,
        index=place.at.index,
        path=place.path,
        canonical=chain.render(place.network, place.scheme, public_key).canonical,
        public_key=public_key,
        label=None,
        external_id=None,
        created_at=now,
    )


def _name(place: Place) -> tuple[UUID, str, tuple[str, Position]]:
    return (place.wallet.id, place.network.keyspace, (place.scheme.name, place.at))


def _our_key(address: Address) -> OurKey:
    return OurKey(address.public_key, address.path, address.scheme, address.canonical)


def _opening(place: Place) -> Opening:
    return Opening(place.network, place.scheme, place.at, _want(place.scheme, place.at))


def _want(scheme: Scheme, at: Position) -> Want:
    path = scheme.account_path(at.account)
    return Want(scheme.path(at), scheme.curve) if path is None else Want(path, scheme.curve, node=True)


def _require_same(stored: Address, derived: Address) -> None:
    """Raises IntegrityError and gives the alarm."""
    if (stored.public_key, stored.canonical, stored.path) != (derived.public_key, derived.canonical, derived.path):
        integrity_alarm("address", address_account=str(stored.account_id))
        raise IntegrityError("a stored address is not the one that its account derives")
