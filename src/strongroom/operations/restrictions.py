"""Restrictions as callers write and read them, and what a caller may hand on to a new key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from strongroom.access.limits import CLASSES
from strongroom.access.wallet_rates import Rates
from strongroom.domain.asset import coin_of, token_id
from strongroom.domain.client_networks import Network as ClientNetwork
from strongroom.domain.client_networks import means_everybody, parse_network
from strongroom.domain.rate import Rate
from strongroom.domain.restriction import NONE, Restriction
from strongroom.domain.wallet import Wallet
from strongroom.errors import Forbidden, InvalidAddress, InvalidField, NotFound, UnknownNetwork
from strongroom.operations.call import Call
from strongroom.operations.caps import NAMEABLE
from strongroom.operations.fields import NetworkName

_AMOUNT: Final = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_MOST_ENTRIES: Final = 64

RateTexts = Annotated[
    dict[str, str],
    Meta(max_length=16, description="Rates by class of operation (read, sign …), such as 10/second, or off"),
]


class NewRestriction(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    networks: Annotated[
        list[NetworkName],
        Meta(max_length=64, description="The only networks that the key may use. If the list is empty, it may use all"),
    ] = []
    wallets: Annotated[
        list[UUID],
        Meta(
            max_length=256,
            description="Ids of the only wallets that the key may use. If the list is empty, it may use all",
        ),
    ] = []
    client_networks: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(
            max_length=64,
            description="Addresses or CIDR ranges that the key may be used from. If the list is empty, it may be "
            "used from anywhere",
        ),
    ] = []
    rates: RateTexts = {}
    unknown_calls: (
        Annotated[
            Literal["refuse"],
            Meta(description="refuse: sign nothing that the decoder does not understand completely"),
        ]
        | None
    ) = None
    max_values: Annotated[
        dict[str, str],
        Meta(
            max_length=64,
            description="By CAIP-19 id of the asset: the most that may leave a wallet in one transaction, "
            "including its fee, in the asset's smallest unit. Other assets, and unknown effects, are "
            "refused",
        ),
    ] = {}


class RestrictionView(NewRestriction, kw_only=True, frozen=True):
    @classmethod
    def of(cls, restriction: Restriction) -> RestrictionView | None:
        if restriction == NONE:
            return None
        networks, wallets = restriction.networks, restriction.wallets
        return cls(
            networks=sorted(networks or ()),
            wallets=sorted(wallets or ()),
            client_networks=[str(network) for network in restriction.clients],
            rates=show_rates(restriction.rates),
            unknown_calls="refuse" if restriction.refuses_unknown_calls else None,
            max_values={asset: str(most) for asset, most in sorted(restriction.max_values.items())},
        )


async def handed_on(asked: NewRestriction | None, call: Call) -> Restriction:
    """The restriction of a new key: what was asked for, within the restriction of its maker.

    A part that is left out is inherited. Raises Forbidden for anything wider than the maker's, InvalidField,
    UnknownNetwork, NotFound (a wallet).
    """
    own = call.principal.restriction
    if asked is None:
        return own
    read = Restriction(
        networks=frozenset(_caip2(name, call) for name in asked.networks) or None,
        wallets=frozenset(asked.wallets) or None,
        clients=_clients(asked.client_networks),
        rates=read_rates(asked.rates, "restriction.rates"),
        refuses_unknown_calls=asked.unknown_calls == "refuse",
        max_values={_asset_id(asset, call): _amount(most) for asset, most in asked.max_values.items()},
    )
    await _require_wallets(read.wallets, call)
    return _narrowed(read, own, call)


def show_rates(rates: Rates) -> dict[str, str]:
    return {name: "off" if rate is None else rate.text for name, rate in sorted(rates.items())}


def read_rates(texts: Mapping[str, str], field: str) -> dict[str, Rate | None]:
    """The rates by class of operation. Raises InvalidField."""
    if not texts.keys() <= CLASSES:
        known = sorted(CLASSES)
        raise InvalidField(f"{field}: the classes must be among {', '.join(known)}", field=field, allowed=known)
    try:
        return {name: None if text == "off" else Rate.parse(text) for name, text in sorted(texts.items())}
    except ValueError:
        raise InvalidField(
            f"{field}: must be off or a rate such as 100/second or 5000/10 minute", field=field
        ) from None


def _narrowed(asked: Restriction, own: Restriction, call: Call) -> Restriction:
    """The restriction that was asked for, with the missing parts of the maker's own. Raises Forbidden if it would be
    wider.
    """
    for mine, theirs in ((own.networks, asked.networks), (own.wallets, asked.wallets)):
        if mine is not None and theirs is not None and not set(theirs) <= set(mine):
            raise _wider()
    if own.clients and not all(_is_inside(each, own.clients) for each in asked.clients):
        raise _wider()
    if own != NONE:
        for name, rate in asked.rates.items():
            limit = call.limits.rate_of(call.principal, name)
            if limit is not None and (rate is None or not rate.is_within(limit)):
                raise _wider()
    if own.max_values and any(most > own.max_values.get(asset, -1) for asset, most in asked.max_values.items()):
        raise _wider()
    return replace(
        asked,
        networks=own.networks if asked.networks is None else asked.networks,
        wallets=own.wallets if asked.wallets is None else asked.wallets,
        clients=asked.clients or own.clients,
        rates={**own.rates, **asked.rates},
        refuses_unknown_calls=asked.refuses_unknown_calls or own.refuses_unknown_calls,
        max_values=asked.max_values or own.max_values,
    )


def _wider() -> Forbidden:
    return Forbidden("a key cannot be less restricted than its maker")


def _is_inside(network: ClientNetwork, others: Sequence[ClientNetwork]) -> bool:
    return any(network.version == each.version and network.subnet_of(each) for each in others)  # type: ignore[arg-type]


def _caip2(name: str, call: Call) -> str:
    try:
        return call.networks.resolve(name)[0].caip2
    except UnknownNetwork as refusal:
        raise UnknownNetwork(refusal.message, field="restriction.networks") from None


def _clients(texts: Sequence[str]) -> tuple[ClientNetwork, ...]:
    try:
        found = tuple(parse_network(text) for text in texts)
    except ValueError:
        found = ()
    if len(found) < len(texts) or means_everybody(found):
        raise InvalidField(
            "restriction.client_networks: must be addresses, or networks such as 10.0.0.0/8 with zero host bits, "
            "and must not cover every address",
            field="restriction.client_networks",
        )
    return found


def _asset_id(text: str, call: Call) -> str:
    """The canonical CAIP-19 id. Raises InvalidField."""
    caip2, _, asset = text.partition("/")
    try:
        network, chain = call.networks.resolve(caip2)
        coin = coin_of(network).id
        if caip2 == network.caip2 and text == coin:
            return coin
        address = asset.partition(":")[2]
        if network.chain in NAMEABLE:
            found = token_id(network, chain.parse_address(network, address).address)
            if text in (found, token_id(network, address)):
                return found
    except (UnknownNetwork, InvalidAddress):
        pass
    raise InvalidField(
        "restriction.max_values: the names must be CAIP-19 ids of a coin or token, such as eip155:1/slip44:60",
        field="restriction.max_values",
    )


def _amount(text: str) -> int:
    if _AMOUNT.fullmatch(text) is None:
        raise InvalidField(
            "restriction.max_values: the amounts must be whole numbers of the smallest unit, in decimal",
            field="restriction.max_values",
        )
    return int(text)


async def _require_wallets(wallets: frozenset[UUID] | None, call: Call) -> None:
    """Raises NotFound for a wallet that the tenant does not have, because the key would then silently see nothing."""
    if wallets:
        found = await call.storage.find(Wallet, ("id", "tenant_id"), [(each, call.tenant_id) for each in wallets])
        if {each.id for each in found} != wallets:
            raise NotFound("there is no wallet with this id", field="restriction.wallets")
