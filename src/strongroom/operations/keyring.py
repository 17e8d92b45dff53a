"""Which public keys a wallet has, and how to find one without opening the wallet.

An account with a public node gives every address below it. If indexes are hardened, each derived key is stored. The
signer derives a key that is not stored yet once, as an audited step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import msgspec

from strongroom.cache.base import Cache, CacheKey, Kind
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.scheme import Position
from strongroom.domain.signing import KeyHint, OurKey
from strongroom.domain.wallet import Account, Address, PublicNode, SealedSecret, Wallet, WalletKind
from strongroom.errors import (
    AddressNotDerived,
    InFlight,
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
from strongroom.operations.derived import require_same, want
from strongroom.operations.fields import KeySelector
from strongroom.operations.memory import Memory
from strongroom.operations.networks import Networks
from strongroom.operations.places import Opening, Place, address_at, opening_at
from strongroom.storage.base import Unit

_ADDRESS: Final = msgspec.msgpack.Decoder(Address)


class Keyring:
    """``cache`` holds addresses as they are stored. ``size`` is the number of accounts and keys that are kept in memory
    as well. None of them ever changes, so none can be out of date.
    """

    def __init__(self, networks: Networks, cache: Cache, *, size: int = 2_000) -> None:
        self._networks = networks
        self._cache = cache
        self._accounts: Memory[UUID, Account] = Memory(size)
        self._ours: Memory[tuple[UUID, str, bytes | tuple[str, Position]], OurKey] = Memory(size)
        """Keys that were asked to sign, by wallet, keyspace, and canonical address or place."""
        self._counters = Counters()
        self._begun: Memory[UUID, bool] = Memory(size)
        """Accounts whose first address is stored."""
        self._openings: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def openings(self, kind: WalletKind, keyspaces: Iterable[str]) -> list[Opening]:
        """The default account of each keyspace, which is opened when the wallet is made. Other accounts are opened at
        first use.
        """
        found = []
        for name in dict.fromkeys(keyspaces):
            network, _ = self._networks.keyspaces()[name]
            scheme = self._networks.default_scheme(network, kind)
            found.append(Opening(network, scheme, Position(), want(scheme, Position())))
        return found

    def opened(
        self, wallet: Wallet, opening: Opening, node: PublicNode, now: datetime
    ) -> tuple[Account, list[Address]]:
        """The rows of an account that the signer has just opened, and the address at ``opening`` if its scheme has
        addresses.

        Only the first address moves the counter. Otherwise one request for the last index would leave none to hand out.
        """
        place = Place(wallet, opening.network, opening.scheme, opening.at, opening.asked)
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
        """The place that the selector names. Raises InvalidPath, InvalidField, UnknownScheme."""
        if wallet.keyspace is not None and wallet.keyspace != network.keyspace:
            raise InvalidField(
                "the wallet is a raw key of another keyspace: use a network of its own keyspace", field="network"
            )
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
            raise InvalidField("path cannot be combined with index, account or change", field="path")
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
        raise InvalidPath("the path does not fit any scheme of this network for wallets of this kind", field="path")

    async def known(self, call: Context, place: Place) -> Address | None:
        """The address at a place, or None if a key would have to be opened for it."""
        return await self._stored(call, place) or await self._following(call, place)

    async def _stored(self, call: Context, place: Place) -> Address | None:
        """The stored address at a place, from the cache or the database, compared with what the account's node derives.

        Raises IntegrityError if the two differ.
        """
        name = f"{call.tenant_id}/{place.account_id}/{place.at.change}/{place.at.index}"

        async def read() -> bytes | None:
            account = await self.account(call, place)
            if account is None:
                return None
            stored = await call.storage.address(call.tenant_id, place.account_id, place.at.change, place.at.index)
            if stored is not None and account.node is not None:
                require_same(stored, self._derived(account.node, place, call.now))
            return None if stored is None else msgspec.msgpack.encode(stored)

        found = await self._cache.fetch(
            CacheKey(Kind.ADDRESS, place.wallet.id, name), read, lambda value: self._is_at(place, value)
        )
        return None if found is None else _ADDRESS.decode(found)

    async def _following(self, call: Context, place: Place) -> Address | None:
        """The address that the account's node derives, stored or not."""
        account = await self.account(call, place)
        if account is None or account.node is None:
            return None
        return self._derived(account.node, place, call.now)

    def _derived(self, node: PublicNode, place: Place, now: datetime) -> Address:
        return self.address(place, bip32.derive_public(node, place.path).public_key, now)

    def _is_at(self, place: Place, value: bytes) -> bool:
        """Whether a cached address, which another process may have written, is the address of this place."""
        try:
            cached = _ADDRESS.decode(value)
            expected = self.address(place, cached.public_key, cached.created_at)
        except (msgspec.DecodeError, StrongroomError, ValueError):
            return False
        account = self._accounts.recall(place.account_id)
        if account is not None and account.node is not None:
            expected = self._derived(account.node, place, cached.created_at)
        return replace(cached, label=None, external_id=None, networks=expected.networks) == expected

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
        """The address at a place. If it is not known, its key is opened, audited, and the address is stored.

        Raises UnknownScheme if keys of the scheme have no address.
        """
        if place.scheme.shared:
            raise UnknownScheme(
                "keys of this scheme have no address of their own: ask for the account instead", field="scheme"
            )
        found = await self._handed_out(call, place)
        if found is not None:
            return found
        try:
            [address] = await self._open(call, place)
        except InFlight:  # another request has opened the same account first
            found = await self._handed_out(call, place)
            if found is not None:
                return found
            [address] = await self._open(call, place)
        return address

    async def _handed_out(self, call: Context, place: Place) -> Address | None:
        """The address at a place if it is known. It is stored with the networks that it is handed out for, to be found
        later.
        """
        stored = await self._stored(call, place)
        address = await self._following(call, place) if stored is None else stored
        if address is None or (stored is not None and not stored.lacks(place.networks)):
            return address
        unit = Unit(same=[replace(address, networks=place.networks)])
        await call.journal.commit(unit, wallet_id=place.wallet.id, network=place.network.name)
        if stored is not None:
            await self.forget(place.wallet.id)
        return address

    async def open(self, call: Context, place: Place) -> Account:
        """The account at a place. If it is not open, its node is derived, audited and stored. Raises InFlight."""
        if await self.account(call, place) is None:
            async with self._turn(place):
                if await self.account(call, place) is None:
                    with suppress(InFlight):  # another process has opened it first
                        await self._open(call, place)
        account = await self._stored_account(call, place)
        if account is None:
            raise InFlight("another request is opening this account: try again", retry_after=1)
        return account

    async def _open(self, call: Context, place: Place) -> list[Address]:
        """The address at a place, or none if keys of the scheme have no address. Raises WalletArchived."""
        account = await self.account(call, place)
        usable = await call.usable_wallet(place.wallet.id)
        also = [other for other in self._beside(place) if await self.account(call, other) is None]
        openings = [opening_at(each) for each in (place, *also)]
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
        """The other accounts with this number that are opened together with a cosigner's account.

        The script of a multisig is decided elsewhere, and the key that it needs must be known by then.
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

    async def begin(self, call: Context, first: Place) -> None:
        """Opens the account at a place and stores its first address, if that has not been done. Raises as `derive`."""
        first = replace(first, asked=False)
        if self._begun.recall(first.account_id) is None:
            async with self._turn(first):
                if self._begun.recall(first.account_id) is None:
                    await self.derive(call, first)
                    self._begun.keep(first.account_id, True)

    def _turn(self, place: Place) -> asyncio.Lock:
        """The lock by which calls of this process open an account only once."""
        return self._openings.setdefault(place.account_id, asyncio.Lock())

    async def follows(self, call: Context, place: Place) -> bytes | None:
        """The key at a place, if the public node of an open account gives it, so that no key is opened."""
        node = await self.node(call, place)
        return None if node is None else bip32.derive_public(node, place.path).public_key

    async def node(self, call: Context, place: Place) -> PublicNode | None:
        """The public node of the account, if the account is open and has one."""
        account = await self.account(call, place)
        return None if account is None else account.node

    async def public_key(self, call: Context, place: Place, secret: SealedSecret) -> bytes:
        """The key at a place of an open account, derived by the signer."""
        [key] = await self.public_keys([place], secret, call.signer)
        return key

    async def public_keys(self, places: Sequence[Place], secret: SealedSecret, signer: Signer) -> list[bytes]:
        """The keys at places of one wallet, in the same order. The signer opens the wallet for them."""
        wants = [Want(each.path, each.scheme.curve) for each in places]
        return [node.public_key for node in await from_signer(signer.public(secret, wants))]

    async def reserve(self, call: Context, first: Place) -> Place:
        """Takes the next index from the account's counter. Raises as `Counters.take`."""
        index = await self._counters.take(call, first.account_id, partial(self._stored_account, call, first))
        return replace(first, at=replace(first.at, index=index))

    async def reserve_many(self, call: Context, first: Place, count: int) -> list[Place]:
        """As `reserve`, for at least one and at most ``count`` places."""
        read = partial(self._stored_account, call, first)
        indexes = await self._counters.take_many(call, first.account_id, count, read)
        return [replace(first, at=replace(first.at, index=index)) for index in indexes]

    async def is_unopened(self, call: Context, place: Place) -> bool:
        """Whether using this key would open its account. Use never opens a hardened index that was not derived
        before.
        """
        if self._ours.recall(_name(place)) is not None or await self.account(call, place) is not None:
            return False
        return place.scheme.account_template is not None or place.at.index == 0

    async def ours(self, call: Context, place: Place) -> OurKey:
        """The key that is to sign. Raises AddressNotDerived; no key is opened to find out."""
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
        """The key that signs: the one that the selector names, else the one that the transaction asks for, else index
        0.

        Raises WrongKey if the selector or the transaction names an address that is not the wallet's.
        """
        named = self._addresses_named(network, selector, hints)
        for address in named[:-1]:
            with suppress(WrongKey):  # others may have to sign the transaction too
                return await self._by_address(call, wallet, network, address)
        if named:
            return await self._by_address(call, wallet, network, named[-1])
        return await self.ours(call, self.place(wallet, network, selector))

    def remembered(
        self, wallet: Wallet, network: Network, selector: KeySelector, hints: Sequence[KeyHint] = ()
    ) -> OurKey | None:
        """The key that `find` gives, if it was found before, so that nothing is unopened; a path is not looked up."""
        named = self._addresses_named(network, selector, hints)
        if named or selector.path is not None:
            return self._ours.recall((wallet.id, network.keyspace, named[0])) if len(named) == 1 else None
        if wallet.keyspace not in (None, network.keyspace):
            return None
        scheme = self._networks.scheme(network, wallet.kind, selector.scheme)
        at = Position(selector.account or 0, selector.change or 0, selector.index or 0)
        return self._ours.recall((wallet.id, network.keyspace, (scheme.name, at)))

    async def unopened(
        self, call: Context, wallet: Wallet, network: Network, selector: KeySelector, hints: Sequence[KeyHint] = ()
    ) -> list[Place]:
        """The place of the key that `find` gives, if its account has to be opened first.

        A key that is named by its address was handed out, or is the first of an account that is not open, or belongs to
        another wallet. Once the default account is open, the last two can be told apart.
        """
        named = self._addresses_named(network, selector, hints)
        for address in named:
            with suppress(WrongKey):
                await self._by_address(call, wallet, network, address)
                return []
        place = self.place(wallet, network, KeySelector() if named else selector)
        return [place] if await self.is_unopened(call, place) else []

    def _addresses_named(self, network: Network, selector: KeySelector, hints: Sequence[KeyHint]) -> list[bytes]:
        """The canonical addresses that the selector or the transaction names. Raises InvalidField, InvalidAddress."""
        position = (selector.scheme, selector.account, selector.change, selector.index, selector.path)
        if selector.address is not None:
            if position != (None,) * 5:
                raise InvalidField(
                    "address cannot be combined with scheme, account, change, index or path", field="address"
                )
            return [self._networks.chains[network.chain].parse_address(network, selector.address).canonical]
        if position != (None,) * 5:
            return []
        return [hint.address for hint in hints if hint.address is not None]

    async def _by_address(self, call: Context, wallet: Wallet, network: Network, canonical: bytes) -> OurKey:
        name = (wallet.id, network.keyspace, canonical)
        ours = self._ours.recall(name)
        if ours is None:
            found = await call.storage.find_addresses(call.tenant_id, network.keyspace, canonical, [wallet.id])
            if not found:
                raise WrongKey("the wallet has not handed out this address on this network", field="address")
            ours = _our_key(found[0])
            self._ours.keep(name, ours)
        return ours

    async def forget(self, wallet_id: UUID) -> None:
        """Drops everything cached under the wallet's id, its addresses included."""
        await self._cache.forget(wallet_id)

    def address(self, place: Place, public_key: bytes, now: datetime) -> Address:
        return address_at(self._networks.chains[place.network.chain], place, public_key, now)


def _name(place: Place) -> tuple[UUID, str, tuple[str, Position]]:
    return (place.wallet.id, place.network.keyspace, (place.scheme.name, place.at))


def _our_key(address: Address) -> OurKey:
    return OurKey(address.public_key, address.path, address.scheme, address.canonical)
