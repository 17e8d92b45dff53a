"""The networks of this deployment, and the chain that serves each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import Final

from strongroom.chains.base import Chain, Decoded
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.signing import Ours, Policy, SignOptions
from strongroom.domain.summary import Caution
from strongroom.domain.wallet import WalletKind
from strongroom.errors import ConfigurationError, LimitExceeded, UnknownNetwork, UnknownScheme

_MOST_VIEWS: Final = 1000


class Networks:
    """Resolves a network by name, alias or CAIP-2 id.

    ``limits``: the configured limits by chain. A network's own limits come first. ``any_network``: accept any CAIP-2 id
    that a chain can serve, although nobody configured it. ``configured``: names of networks that have limits of their
    own in the settings.
    """

    def __init__(
        self,
        chains: Mapping[str, Chain],
        networks: Iterable[Network],
        *,
        limits: Mapping[str, Mapping[str, int | None]],
        any_network: bool,
        configured: Collection[str] = (),
    ) -> None:
        self.chains = chains
        self._limits = {name: {**chain.limits, **limits.get(name, {})} for name, chain in chains.items()}
        self._any_network = any_network
        self._configured = configured
        self._allowed: frozenset[str] | None = None
        """CAIP-2 ids that may be seen; None for all."""
        self._views: dict[frozenset[str], Networks] = {}
        self._defaults: dict[tuple[str, str, WalletKind], Scheme] = {}
        """By chain, keyspace and kind of wallet. It is needed for every signature."""
        self._listed: list[Network] = []
        self._by_text: dict[str, Network] = {}
        self._keyspaces: dict[str, tuple[Network, Chain]] = {}
        for network in networks:
            self._add(network)

    def only(self, caip2: frozenset[str] | None) -> Networks:
        """The same deployment for a caller that may see only these networks; None for all."""
        if caip2 is None:
            return self
        found = self._views.get(caip2)
        if found is None:
            found = copy(self)
            found._allowed = caip2
            found._listed = [network for network in self._listed if network.caip2 in caip2]
            found._by_text = {text: network for text, network in self._by_text.items() if network.caip2 in caip2}
            seen = [*found._listed, *(self.resolve(text)[0] for text in sorted(caip2) if self.has(text))]
            found._keyspaces = {}
            for network in seen:
                found._keyspaces.setdefault(network.keyspace, (network, self.chains[network.chain]))
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            self._views[caip2] = found
        return found

    def has(self, text: str) -> bool:
        try:
            self.resolve(text)
        except UnknownNetwork:
            return False
        return True

    def _add(self, network: Network) -> None:
        if network.chain not in self.chains:
            raise ConfigurationError(f"network {network.name}: there is no chain called {network.chain}")
        unknown = set(network.limits) - set(self._limits[network.chain])
        if unknown:
            raise ConfigurationError(f"network {network.name}: chain {network.chain} has no limit {sorted(unknown)}")
        for text in (network.name, network.caip2, *network.aliases):
            if self._by_text.setdefault(text, network) is not network:
                raise ConfigurationError(f"network {network.name}: {text} is already the name of another network")
        self._listed.append(network)
        self._keyspaces.setdefault(network.keyspace, (network, self.chains[network.chain]))

    def listed(self) -> list[tuple[Network, Chain]]:
        return [(network, self.chains[network.chain]) for network in self._listed]

    def resolve(self, text: str) -> tuple[Network, Chain]:
        """The network and its chain. Raises UnknownNetwork."""
        network = self._by_text.get(text)
        if network is None and self._any_network:
            network = next((found for chain in self.chains.values() if (found := chain.network_for(text))), None)
        if network is not None and self._allowed is not None and network.caip2 not in self._allowed:
            network = None
        if network is None:
            raise UnknownNetwork(
                "no network with this name or CAIP-2 id is configured: GET /networks lists them",
                field="network", allowed=[each.name for each in self._listed],
            )  # fmt: skip
        return network, self.chains[network.chain]

    def limits(self, network: Network) -> dict[str, int | None]:
        return {**self._limits[network.chain], **network.limits}

    def setting(self, network: Network, limit: str) -> str:
        """The setting that holds a limit of a network."""
        if network.name in self._configured and limit in network.limits:
            return f"limits.{limit} of the network {network.name}"
        return f"STRONGROOM_CHAINS__{network.chain.upper()}__{limit.upper()}"

    def check(
        self, network: Network, decoded: Decoded, ours: Ours | None, policy: Policy, now: datetime
    ) -> tuple[Caution, ...]:
        """As `Chain.check`. If a limit forbids the transaction, the error names the setting."""
        try:
            return self.chains[network.chain].check(decoded, ours, policy, now)
        except LimitExceeded as refusal:
            if name := refusal.hints.get("setting"):
                refusal.hints["setting"] = self.setting(network, name)
            raise

    def policy(self, network: Network, options: SignOptions, *, refuses_unknown: bool = False) -> Policy:
        """The limits and options to check against. ``refuses_unknown``: refuse unknown calls whatever is configured."""
        limits = self.limits(network)
        if refuses_unknown and "unknown_calls" in limits:
            limits["unknown_calls"] = 0
        return Policy(limits, options)

    def scheme(self, network: Network, kind: WalletKind, name: str | None) -> Scheme:
        """The scheme of this name for wallets of this kind, or the default one. Raises UnknownScheme."""
        chain = self.chains[network.chain]
        if name is None:
            return self.default_scheme(network, kind)
        scheme = chain.schemes(network.keyspace).get(name)
        if scheme is None or kind not in scheme.kinds:
            names = [each for each, found in chain.schemes(network.keyspace).items() if kind in found.kinds]
            raise UnknownScheme(
                "the network has no scheme with this name for wallets of this kind", field="scheme", allowed=names
            )
        return scheme

    def default_scheme(self, network: Network, kind: WalletKind) -> Scheme:
        """The default scheme for wallets of this kind. Raises UnknownScheme if they have no keys on the network."""
        key = (network.chain, network.keyspace, kind)
        found = self._defaults.get(key)
        if found is None:
            found = self._defaults[key] = self._default_scheme(network, kind)
        return found

    def _default_scheme(self, network: Network, kind: WalletKind) -> Scheme:
        chain = self.chains[network.chain]
        if not any(kind in scheme.kinds for scheme in chain.schemes(network.keyspace).values()):
            raise UnknownScheme("wallets of this kind have no keys for this network", field="network")
        return chain.default_scheme(network.keyspace, kind)

    def keyspaces(self) -> Mapping[str, tuple[Network, Chain]]:
        """Each keyspace with its first network."""
        return self._keyspaces
