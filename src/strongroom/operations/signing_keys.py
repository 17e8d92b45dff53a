"""Which keys of a wallet sign a transaction: the one that the caller names, or those that the transaction names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Final
from uuid import UUID

from strongroom.chains.base import Decoded
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.scheme import Position
from strongroom.domain.signing import KeyHint, OurKey, Ours
from strongroom.domain.wallet import Account, Address, Wallet, WalletKind
from strongroom.errors import AddressNotDerived, InvalidField, InvalidTransaction, WrongKey
from strongroom.operations.call import Call
from strongroom.operations.fields import KeySelector
from strongroom.operations.places import Place

_MOST: Final = 2_000
"""Keys of one wallet per transaction."""
_NO_FINGERPRINT: Final = bytes(4)
"""Wallet programs write this if they were given an extended key without its origin."""
_MOST_OPENED: Final = 16
"""Accounts that one transaction may open. Each needs an unwrap."""
_AT_ONCE: Final = 64
"""Keys derived before other requests get a turn on the event loop: about 4 ms."""


@dataclass(frozen=True)
class SigningKeys:
    """The keys of one transaction. Its methods raise WrongKey, InvalidField, AddressNotDerived, InvalidTransaction."""

    call: Call
    wallet: Wallet
    network: Network
    selector: KeySelector
    decoded: Decoded

    def __post_init__(self) -> None:
        for field in KeySelector.__struct_fields__ if self.decoded.names_its_keys else ():
            if getattr(self.selector, field) is not None:
                raise InvalidField(
                    "the transaction itself determines which keys sign it: leave out address, index and path",
                    field=field,
                )

    def read(self) -> None:
        """Finds the places that the transaction names, which takes a while if they are many."""
        if self.decoded.names_its_keys and self.wallet.kind is not WalletKind.RAW_KEY:
            _ = self._firsts

    def remembered(self) -> Ours | None:
        """What `ours` gives, if that is one key which was found before: then no account is `unopened`."""
        if self.decoded.names_its_keys:
            return None
        key = self.call.keyring.remembered(self.wallet, self.network, self.selector, self.decoded.key_hints)
        return None if key is None else {key.public_key: key}

    async def unopened(self) -> list[Place]:
        """One place in each account that has to be opened before the keys can sign.

        If the transaction names the keys, that is the first place of each account, so that a transaction cannot move an
        index.
        """
        keyring = self.call.keyring
        if not self.decoded.names_its_keys:
            return await keyring.unopened(self.call, self.wallet, self.network, self.selector, self.decoded.key_hints)
        if self.wallet.kind is WalletKind.RAW_KEY:
            return []
        places = [place for place in self._firsts if await keyring.is_unopened(self.call, place)]
        if len(places) > _MOST_OPENED:
            raise AddressNotDerived(
                f"the transaction names more than {_MOST_OPENED} accounts that are not open yet: ask for these "
                "accounts first",
                field="unsigned_tx",
            )
        return places

    async def ours(self) -> Ours:
        """The keys, by public key. It opens nothing, so what `unopened` gives has to be opened first."""
        keyring = self.call.keyring
        if not self.decoded.names_its_keys:
            key = await keyring.find(self.call, self.wallet, self.network, self.selector, self.decoded.key_hints)
            return {key.public_key: key}
        if self.wallet.kind is WalletKind.RAW_KEY:
            key = await keyring.ours(self.call, keyring.place(self.wallet, self.network, KeySelector()))
            return {key.public_key: key}
        return await _named(self.call, self._claims)

    def addresses(self, keys: Iterable[OurKey]) -> list[Address]:
        """The rows of the keys' addresses. The address of a raw key is stored with its wallet already."""
        if self.wallet.kind is WalletKind.RAW_KEY:
            return []
        schemes = self.call.networks.chains[self.network.chain].schemes(self.network.keyspace)
        found = []
        for key in keys:
            scheme = schemes[key.scheme]
            at = scheme.match(key.path)
            assert at is not None, "its scheme gave the key its path"
            place = Place(self.wallet, self.network, scheme, at)
            found.append(self.call.keyring.address(place, key.public_key, self.call.now))
        return found

    @cached_property
    def _firsts(self) -> list[Place]:
        """The first place of each account that the transaction names."""
        found = {claim.place.account_id: _first(claim.place) for claim in self._claims if not claim.anonymous}
        return list(found.values())

    @cached_property
    def _claims(self) -> list[_Claim]:
        claims = _each_claim(self.call, self.wallet, self.network, self.decoded.key_hints)
        found = list(islice(claims, _MOST + 1))
        if len(found) > _MOST:
            raise InvalidTransaction(f"a transaction can name at most {_MOST} keys of a wallet", field="unsigned_tx")
        return found


def _first(place: Place) -> Place:
    at = Position(place.at.account)
    return replace(place, at=at, asked=at == place.at) if place.scheme.has(at) else place


async def _named(call: Call, named: Sequence[_Claim]) -> Ours:
    """The keys that the transaction names by fingerprint and path, as far as this wallet has keys there on this
    network.
    """
    accounts = _Accounts(call)
    found: dict[bytes, OurKey] = {}
    closed = False
    for count, claim in enumerate(named, 1):
        account = await accounts.at(claim.place)
        if account is None and not claim.anonymous:
            raise _not_open()
        closed = closed or account is None
        key = None if account is None else await _key(call, claim, account, accounts)
        if key is not None:
            found[key.public_key] = key
        if count % _AT_ONCE == 0:
            await asyncio.sleep(0)
    if closed and not found:
        raise _not_open()
    return found


@dataclass(frozen=True, slots=True)
class _Claim:
    """The statement of a transaction that a key of this wallet is at a place."""

    place: Place
    stated: bytes | None
    """The key that it states, compressed or x-only."""
    anonymous: bool
    """Whether it names no master key, so that the place may belong to another wallet."""


def _each_claim(call: Call, wallet: Wallet, network: Network, hints: Sequence[KeyHint]) -> Iterator[_Claim]:
    schemes = call.networks.chains[network.chain].schemes(network.keyspace).values()
    usable = [scheme for scheme in schemes if wallet.kind in scheme.kinds]
    for hint in hints:
        fingerprint, path = hint.fingerprint_and_path or (b"", "")
        anonymous = fingerprint == _NO_FINGERPRINT and hint.public_key is not None
        if anonymous or fingerprint.hex() == wallet.master_fingerprint:
            match = next(((scheme, at) for scheme in usable if (at := scheme.match(path)) is not None), None)
            if match is not None:
                yield _Claim(Place(wallet, network, *match), hint.public_key, anonymous)


class _Accounts:
    """The open accounts that one transaction refers to, each read once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._stored: dict[UUID, Account | None] = {}

    async def at(self, place: Place) -> Account | None:
        """The account, or None if it is not open or has no public node."""
        account = await self._call.keyring.account(self._call, place)
        return None if account is None or account.node is None else account

    async def next_index(self, place: Place, account: Account) -> int:
        """The account's next index, read from the database if the one in memory is too old to decide."""
        if place.at.index <= account.next_index:
            return account.next_index
        if place.account_id not in self._stored:
            self._stored[place.account_id] = await self._call.storage.account(
                self._call.tenant_id, place.wallet.id, place.network.keyspace, place.scheme.name, place.at.account
            )
        stored = self._stored[place.account_id]
        return account.next_index if stored is None else stored.next_index


async def _key(call: Call, claim: _Claim, account: Account, accounts: _Accounts) -> OurKey | None:
    """The key at the place, or None if an anonymous claim belongs to another wallet.

    Raises WrongKey if a claim that names this wallet is false.
    """
    assert account.node is not None, "the account has been looked at"
    place = claim.place
    public_key = bip32.derive_public(account.node, place.path).public_key
    if claim.stated is not None and not public_key.endswith(claim.stated):  # an x-only key lacks the first byte
        if claim.anonymous:
            return None
        raise WrongKey(
            "the transaction names a path of this wallet with a key that is not at that path", field="unsigned_tx"
        )
    chain = call.networks.chains[place.network.chain]
    canonical = b"" if place.scheme.shared else chain.render(place.network, place.scheme, public_key).canonical
    next_index = await accounts.next_index(place, account)
    return OurKey(public_key, place.path, place.scheme.name, canonical, next_index)


def _not_open() -> AddressNotDerived:
    return AddressNotDerived(
        "the transaction names a key of an account that is not open yet: ask for the account or an address first",
        field="unsigned_tx",
    )
