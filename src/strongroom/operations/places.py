"""Places of keys in a wallet, named but not looked up yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from uuid import UUID, uuid5

from strongroom.chains.base import Chain, ParsedAddress
from strongroom.domain.network import Network
from strongroom.domain.scheme import Position, Scheme
from strongroom.domain.wallet import Address, Wallet
from strongroom.keys.base import Want
from strongroom.operations.derived import want


@dataclass(frozen=True, slots=True)
class Opening:
    """An account that is to be opened, and the position of its first address."""

    network: Network
    scheme: Scheme
    at: Position
    want: Want
    asked: bool = True

    @property
    def keyspace(self) -> str:
        return self.network.keyspace


@dataclass(frozen=True)
class Place:
    """One key of one wallet, named but not yet looked up."""

    wallet: Wallet
    network: Network
    scheme: Scheme
    at: Position
    asked: bool = True
    """Whether a caller asked for the address here or signs with its key. It then counts as handed out for the
    network.
    """

    @property
    def networks(self) -> str:
        """The network that is stored with the address, if any."""
        return self.network.caip2 if self.asked else ""

    @cached_property
    def path(self) -> str:
        return self.scheme.path(self.at)

    @property
    def account_id(self) -> UUID:
        return account_id(self.wallet.id, self.network.keyspace, self.scheme.name, self.at.account)


@lru_cache(maxsize=4096)
def account_id(wallet_id: UUID, keyspace: str, scheme: str, number: int) -> UUID:
    """A derived id, so that two processes that open the same account make the same row."""
    return uuid5(wallet_id, f"{keyspace}/{scheme}/{number}")


def address_at(
    chain: Chain,
    place: Place,
    public_key: bytes,
    now: datetime,
    *,
    shown: ParsedAddress | None = None,
    label: str | None = None,
    external_id: str | None = None,
) -> Address:
    """The row of an address. ``shown``: how the chain renders the key, if that is already known."""
    shown = shown or chain.render(place.network, place.scheme, public_key)
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
        canonical=shown.canonical,
        public_key=public_key,
        label=label,
        external_id=external_id,
        created_at=now,
        networks=place.networks,
    )


def opening_at(place: Place) -> Opening:
    return Opening(place.network, place.scheme, place.at, want(place.scheme, place.at), place.asked)
