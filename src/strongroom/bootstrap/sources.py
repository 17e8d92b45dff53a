"""Assembles the sources of chain data: a pool for each network that has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from strongroom.cache.base import Cache
from strongroom.config.chains import SourceSettings
from strongroom.config.settings import Settings
from strongroom.domain.asset import Asset, coin_of
from strongroom.domain.network import Network
from strongroom.errors import ConfigurationError, UnknownNetwork
from strongroom.health.checks import SourceState
from strongroom.operations.networks import Networks
from strongroom.operations.reading import Reading
from strongroom.rpc import assets
from strongroom.rpc.base import Reader, Setup

if TYPE_CHECKING:
    from strongroom.rpc.endpoint import Endpoint

CHAINS: Final = {
    "bitcoin-core": "bitcoin", "electrum": "bitcoin", "esplora": "bitcoin", "evm": "evm", "etherscan": "evm",
    "otterscan": "evm", "evm-logs": "evm", "tron": "tron", "trongrid": "tron", "solana": "solana",
    "toncenter-v3": "ton", "toncenter-v2": "ton",
}  # fmt: skip
"""The chain whose networks each kind of source serves."""


def check_sources(settings: Settings, networks: Networks) -> dict[str, list[tuple[Network, SourceSettings]]]:
    """Group the configured sources by CAIP-2 id, without any I/O to them.

    Raises ConfigurationError. Its text repeats no value except a source's name, since a URL with a key in it may stand
    in the wrong place.
    """
    found: dict[str, list[tuple[Network, SourceSettings]]] = {}
    for given in settings.sources:
        try:
            network, _ = networks.resolve(given.network)
        except UnknownNetwork:
            raise ConfigurationError(f"source {given.name}: no network has the name in its setting network") from None
        if CHAINS[given.kind] != network.chain:
            raise ConfigurationError(f"source {given.name}: the kind {given.kind} does not serve {network.name}")
        beside = found.setdefault(network.caip2, [])
        if any(given.name == each.name for _, each in beside):
            raise ConfigurationError(f"sources of {network.name}: the name {given.name} is used twice")
        beside.append((network, given))
    return found


def open_reading(
    stack: AsyncExitStack, settings: Settings, networks: Networks, cache: Cache, cursor_key: bytes
) -> tuple[Reading, Mapping[str, Callable[[], Sequence[SourceState]]]]:
    """Return the reading and, by network, the state of its sources. Does no I/O to them yet."""
    tokens = _listed_tokens(settings, networks)
    readers: dict[str, Reader] = {}
    states: dict[str, Callable[[], Sequence[SourceState]]] = {}
    for caip2, given in check_sources(settings, networks).items():
        from strongroom.rpc.pool import Pool  # noqa: PLC0415 - imports httpx, which most processes do without

        network = given[0][0]
        endpoints = [_endpoint(network, each, tokens.get(caip2, {})) for _, each in given]
        pool = Pool(network, endpoints, operators=settings.nodes.quorum)
        stack.push_async_callback(pool.close)
        readers[caip2] = pool
        states[network.name] = pool.describe
    return Reading(readers, cache, tokens, cursor_key), states


def _listed_tokens(settings: Settings, networks: Networks) -> dict[str, dict[str, Asset]]:
    """By CAIP-2 id and contract: built-in tokens and those of the operator's files."""
    lists = []
    for path in settings.tokens:
        try:
            lists.append(path.read_bytes())
        except OSError:
            raise ConfigurationError(f"tokens: the file {path.name} cannot be read") from None
    try:
        return assets.registry(lists, [network for network, _ in networks.listed()])
    except ValueError as refusal:
        raise ConfigurationError(f"tokens: {refusal}") from None


def _endpoint(network: Network, given: SourceSettings, tokens: Mapping[str, Asset]) -> Endpoint:
    from strongroom.bootstrap.source_kinds import open_source  # noqa: PLC0415 - as above
    from strongroom.rpc.endpoint import Endpoint  # noqa: PLC0415 - as above

    setup = Setup(
        network=network,
        coin=coin_of(network),
        tokens=tokens,
        pin=given.genesis or network.caip2.partition(":")[2],
        finality=given.finality,
        op_stack=given.op_stack,
    )
    return Endpoint(
        network, open_source(given, setup), name=given.name, operator=given.operator, priority=given.priority
    )
