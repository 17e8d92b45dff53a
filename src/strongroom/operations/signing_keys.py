"""Which keys of a wallet sign a transaction: the one that the caller names, or those that it names itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from strongroom.chains.base import Decoded
from strongroom.codecs import bip32
from strongroom.domain.network import Network
from strongroom.domain.signing import KeyHint, OurKey, Ours
from strongroom.domain.wallet import Wallet, WalletKind
from strongroom.errors import AddressNotDerived, InvalidField, InvalidTransaction, WrongKey
from strongroom.operations.call import Call
from strongroom.operations.fields import KeySelector
from strongroom.operations.keyring import Place

_MOST: Final = 2_000
"""Keys of one wallet in one transaction."""
_MOST_OPENED: Final = 16
"""Accounts that one transaction opens: each is an unwrap."""
_AT_ONCE: Final = 64
"""Keys derived before others get a turn on the event loop: 4 ms."""


async def signing_keys(call: Call, wallet: Wallet, network: Network, selector: KeySelector, decoded: Decoded) -> Ours:
    """Opens nothing: what is `unopened` is opened before.

    Raises WrongKey, InvalidField, AddressNotDerived, InvalidTransaction.
    """
    if not decoded.names_its_keys:
        key = await call.keyring.find(call, wallet, network, selector, decoded.key_hints)
        return {key.public_key: key}
    for field in KeySelector.__struct_fields__:
        if getattr(selector, field) is not None:
            raise InvalidField("the transaction says itself which keys sign it", field=field)
    if wallet.kind is WalletKind.RAW_KEY:
        key = await call.keyring.ours(call, call.keyring.place(wallet, network, KeySelector()))
        return {key.public_key: key}
    return await _named(call, wallet, network, decoded.key_hints)


async def unopened(
    call: Call, wallet: Wallet, network: Network, selector: KeySelector, decoded: Decoded
) -> list[Place]:
    """One place in each account that is to be opened before the keys can sign. Raises as `signing_keys`."""
    if not decoded.names_its_keys:
        return await call.keyring.unopened(call, wallet, network, selector, decoded.key_hints)
    if wallet.kind is WalletKind.RAW_KEY:
        return []
    found = {place.account_id: place for place, _ in _all_places(call, wallet, network, decoded.key_hints)}
    places = [place for place in found.values() if await call.keyring.is_unopened(call, place)]
    if len(places) > _MOST_OPENED:
        raise AddressNotDerived(
            f"the transaction names more than {_MOST_OPENED} accounts that are not open yet: ask for them first",
            field="unsigned_tx",
        )
    return places


async def _named(call: Call, wallet: Wallet, network: Network, hints: Sequence[KeyHint]) -> Ours:
    """By fingerprint and path, as far as the path is one where this wallet has keys on this network."""
    found = {}
    for count, (place, stated) in enumerate(_all_places(call, wallet, network, hints), 1):
        key = await _key(call, place)
        if stated is not None and not key.public_key.endswith(stated):  # an x-only key lacks its first byte
            raise WrongKey(
                "the transaction names a path of this wallet where another key stands than it says",
                field="unsigned_tx",
            )
        found[key.public_key] = key
        if count % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def _all_places(
    call: Call, wallet: Wallet, network: Network, hints: Sequence[KeyHint]
) -> list[tuple[Place, bytes | None]]:
    named = list(_places(call, wallet, network, hints))
    if len(named) > _MOST:
        raise InvalidTransaction(f"a transaction names at most {_MOST} keys of a wallet", field="unsigned_tx")
    return named


def _places(
    call: Call, wallet: Wallet, network: Network, hints: Sequence[KeyHint]
) -> Iterator[tuple[Place, bytes | None]]:
    schemes = call.networks.chains[network.chain].schemes(network.keyspace).values()
    usable = [scheme for scheme in schemes if wallet.kind in scheme.kinds]
    for hint in hints:
        fingerprint, path = hint.fingerprint_and_path or (b"", "")
        if fingerprint.hex() == wallet.master_fingerprint:
            match = next(((scheme, at) for scheme in usable if (at := scheme.match(path)) is not None), None)
            if match is not None:
                yield Place(wallet, network, *match), hint.public_key


async def _key(call: Call, place: Place) -> OurKey:
    account = await call.keyring.account(call, place)
    if account is None or account.node is None:
        raise AddressNotDerived(
            "the transaction names a key that was never derived: ask for its address first",
            field="unsigned_tx",
        )
    public_key = bip32.derive_public(account.node, place.path).public_key
    chain = call.networks.chains[place.network.chain]
    canonical = b"" if place.scheme.shared else chain.render(place.network, place.scheme, public_key).canonical
    return OurKey(public_key, place.path, place.scheme.name, canonical)
