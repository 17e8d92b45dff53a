"""The networks of this deployment: those that the chains know, and those of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from strongroom.chains.base import Chain
from strongroom.config import Settings
from strongroom.config.sections import NetworkSettings
from strongroom.domain.network import Network
from strongroom.errors import ConfigurationError
from strongroom.operations.networks import Networks


def configured_networks(settings: Settings, chains: Mapping[str, Chain]) -> Networks:
    if unknown := settings.chains.keys() - chains.keys():
        raise ConfigurationError(f"chains: there is no chain {', '.join(sorted(unknown))}")
    for name, limits in settings.chains.items():
        if strange := limits.keys() - chains[name].limits.keys():
            raise ConfigurationError(f"chains.{name}: there is no limit {', '.join(sorted(strange))}")
    built_in = [  # with what is set for their chain: who turns a limit off means it on all networks
        replace(
            network,
            limits={**network.limits, **settings.chains.get(network.chain, {})},
            symbol=settings.symbols.get(network.name, network.symbol),
        )
        for chain in chains.values()
        for network in chain.networks
    ]
    if strange := settings.symbols.keys() - {network.name for network in built_in}:
        raise ConfigurationError(f"symbols: there is no built-in network {', '.join(sorted(strange))}")
    configured = [_network(given, chains) for given in settings.networks]
    own = {network.name for network in configured} | {network.caip2 for network in configured}
    kept = [network for network in built_in if not own & {network.name, network.caip2}]
    return Networks(chains, [*kept, *configured], limits=settings.chains, any_network=settings.any_network)


def _network(given: NetworkSettings, chains: Mapping[str, Chain]) -> Network:
    """A configured network; one with the name or id of a built-in one takes its place."""
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
