"""Networks, which callers name in requests. Several networks may share one keyspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    """For example `ethereum`, `polygon` or `bitcoin-testnet4`, or `eip155:N` for a chain id that is not configured."""
    chain: str
    """Key of the implementation in `chains.registry.CHAINS`."""
    keyspace: str
    """Networks with the same keyspace have the same keys and addresses."""
    caip2: str
    """CAIP-2 id. Callers may use it in place of the name."""
    chain_id: int | None
    """EIP-155 chain id, or the one of TIP-712 on Tron, or None."""
    symbol: str
    decimals: int
    testnet: bool
    aliases: tuple[str, ...] = ()
    limits: Mapping[str, int | None] = field(default_factory=dict)
    """Limits of this network by the chain's names for them. They replace those of the chain. None means no limit."""
