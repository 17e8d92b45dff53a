"""Networks: what a caller names. Many networks share one keyspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    """`ethereum`, `polygon`, `bitcoin-testnet4` …; `eip155:N` for a chain id that is not configured."""
    chain: str
    """The family of code that serves it: a key of `chains.registry.CHAINS`."""
    keyspace: str
    """Where keys are the same."""
    caip2: str
    """CAIP-2 id; the network answers to it too."""
    chain_id: int | None
    """EIP-155 chain id, on Tron the one of TIP-712; None where there is none."""
    symbol: str
    decimals: int
    testnet: bool
    aliases: tuple[str, ...] = ()
    limits: Mapping[str, int | None] = field(default_factory=dict)
    """Limits of this network, by the chain's own names; they replace those of the chain. None: no limit."""
