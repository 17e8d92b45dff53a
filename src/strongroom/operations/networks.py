"""The networks of this deployment, and which chain serves each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from strongroom.chains.base import Chain
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import Policy, SignOptions
from strongroom.domain.wallet import WalletKind
from strongroom.errors import ConfigurationError, UnknownNetwork, UnknownScheme


class Networks:
    """Resolves a network by name, alias or CAIP-2 id.

    ``limits`` are a chain's limits as configured; a network's own come before them. ``any_network``: a CAIP-2 id
    that a chain can serve is accepted although nobody configured it.
    """

    def __init__(
        self,
        chains: Mapping[str, Chain],
        networks: Iterable[Network],
        *,
        limits: Mapping[str, Mapping[str, int | None]],
        any_network: bool,
    ) -> None:
        self.chains = chains
        self._limits = {name: {**chain.limits, **limits.get(name, {})} for name, chain in chains.items()}
        self._any_network = any_network
        self._listed: list[Network] = []
        self._by_text: dict[str, Network] = {}
        self._keyspaces: dict[str, tuple[Network, Chain]] = {}
        for network in networks:
            self._add(network)

    def _add(self, network: Network) -> None:
        if network.chain not in self.chains:
            raise ConfigurationError(f"network {network.name}: there is no chain {network.chain}")
        unknown = set(network.limits) - set(self._limits[network.chain])
        if unknown:
            raise ConfigurationError(f"network {network.name}: chain {network.chain} has no limit {sorted(unknown)}")
        for text in (network.name, network.caip2, *network.aliases):
            if self._by_text.setdefault(text, network) is not network:
                raise ConfigurationError(f"network {network.name}: {text} names another network already")
        self._listed.append(network)
        self._keyspaces.setdefault(network.keyspace, (network, self.chains[network.chain]))

    def listed(self) -> list[tuple[Network, Chain]]:
        return [(network, self.chains[network.chain]) for network in self._listed]

    def resolve(self, text: str) -> tuple[Network, Chain]:
        """Raises UnknownNetwork."""
        network = self._by_text.get(text)
        if network is None and self._any_network:
            network = next((found for chain in self.chains.values() if (found := chain.network_for(text))), None)
        if network is None:
            raise UnknownNetwork("no network of this name or CAIP-2 id is configured; GET /networks lists them",
                                 field="network")  # fmt: skip
        return network, self.chains[network.chain]

    def limits(self, network: Network) -> dict[str, int | None]:
        return {**self._limits[network.chain], **network.limits}

    def policy(self, network: Network, options: SignOptions) -> Policy:
        return Policy(self.limits(network), options)

    def scheme(self, network: Network, kind: WalletKind, name: str | None) -> Scheme:
        """The scheme of this name for wallets of this kind, or the default one. Raises UnknownScheme."""
        chain = self.chains[network.chain]
        if name is None:
            return self.default_scheme(network, kind)
        scheme = chain.schemes(network.keyspace).get(name)
        if scheme is None or kind not in scheme.kinds:
            raise UnknownScheme("the network has no scheme of this name for wallets of this kind", field="scheme")
        return scheme

    def default_scheme(self, network: Network, kind: WalletKind) -> Scheme:
        """Raises UnknownScheme where wallets of this kind have no keys on the network."""
        chain = self.chains[network.chain]
        if not any(kind in scheme.kinds for scheme in chain.schemes(network.keyspace).values()):
            raise UnknownScheme("wallets of this kind have no keys on this network", field="network")
        return chain.default_scheme(network.keyspace, kind)

    def keyspaces(self) -> Mapping[str, tuple[Network, Chain]]:
        """Each keyspace with its first network."""
        return self._keyspaces
