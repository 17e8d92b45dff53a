"""The networks of this deployment: built-in ones and configured ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from strongroom.chains.base import Chain
from strongroom.config.sections import NetworkSettings
from strongroom.config.settings import Settings
from strongroom.domain.network import Network
from strongroom.errors import ConfigurationError
from strongroom.operations.networks import Networks


def configured_networks(settings: Settings, chains: Mapping[str, Chain]) -> Networks:
    """Merge built-in and configured networks with their limits and symbols. Raises ConfigurationError."""
    if unknown := settings.chains.keys() - chains.keys():
        raise ConfigurationError(f"chains: {', '.join(sorted(unknown))}: there is no such chain")
    for name, limits in settings.chains.items():
        if strange := limits.keys() - chains[name].limits.keys():
            raise ConfigurationError(f"chains.{name}: {', '.join(sorted(strange))}: there is no such limit")
    built_in = [  # with the limits of their chain: an operator who turns one off means all its networks
        replace(
            network,
            limits={**network.limits, **settings.chains.get(network.chain, {})},
            symbol=settings.symbols.get(network.name, network.symbol),
        )
        for chain in chains.values()
        for network in chain.networks
    ]
    if strange := settings.symbols.keys() - {network.name for network in built_in}:
        raise ConfigurationError(f"symbols: {', '.join(sorted(strange))}: there is no such built-in network")
    configured = [_network(given, chains) for given in settings.networks]
    own = {network.name for network in configured} | {network.caip2 for network in configured}
    kept = [network for network in built_in if not own & {network.name, network.caip2}]
    return Networks(
        chains,
        [*kept, *configured],
        limits=settings.chains,
        any_network=settings.any_network,
        configured={network.name for network in configured},
    )


def _network(given: NetworkSettings, chains: Mapping[str, Chain]) -> Network:
    """A configured network replaces the built-in one with its name or CAIP-2 id."""
    caip2 = f"eip155:{given.chain_id}"
    base = chains[given.chain].network_for(caip2)
    assert base is not None
    return Network(
        name=given.name,
        chain=given.chain,
        keyspace=base.keyspace,
        caip2=caip2,
        chain_id=given.chain_id,
        symbol=given.symbol,
        decimals=given.decimals,
        testnet=given.testnet,
        aliases=given.aliases,
        limits=given.limits,
    )
