"""Assets, which balances are counted in. An asset is the coin of a network or a token of a contract on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from strongroom.domain.network import Network

_SLIP44: Final = {"bitcoin": 0, "evm": 60, "tron": 195, "solana": 501, "ton": 607}
"""SLIP-0044 coin types by chain. The coins of all EVM networks have Ethereum's, like their addresses."""
_TOKENS: Final = {"evm": "erc20", "tron": "trc20", "solana": "token", "ton": "jetton"}
"""CAIP-19 namespace of tokens by chain."""


@dataclass(frozen=True, slots=True)
class Asset:
    id: str
    """CAIP-19 id, such as ``eip155:1/slip44:60`` or ``eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7``."""
    network: str
    """CAIP-2 id of its network."""
    symbol: str
    decimals: int | None
    """None for an unlisted token whose contract does not state it. Its amounts are shown in base units only."""
    contract: str | None = None
    """Address of the contract, mint or master as the network shows it, or None for the coin."""
    name: str | None = None
    listed: bool = True
    """Whether the operator vouches for the asset by listing it in the registry. Names from contracts are not listed."""


def coin_of(network: Network) -> Asset:
    """The coin that fees of the network are paid in."""
    coin_type = 1 if network.chain == "bitcoin" and network.testnet else _SLIP44[network.chain]
    return Asset(f"{network.caip2}/slip44:{coin_type}", network.caip2, network.symbol, network.decimals)


def token_id(network: Network, contract: str) -> str:
    """CAIP-19 id of a token. ``contract`` is its address as the network shows it."""
    reference = contract.lower() if network.chain == "evm" else contract
    return f"{network.caip2}/{_TOKENS[network.chain]}:{reference}"
