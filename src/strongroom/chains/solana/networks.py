"""Solana's clusters. CAIP-2 ids have the first 32 characters of the genesis hash (chainagnostic namespaces, solana)."""

from __future__ import annotations

from typing import Final

from strongroom.domain.network import Network

CHAIN: Final = "solana"
KEYSPACE: Final = "solana"
SYMBOL: Final = "SOL"


def _network(name: str, genesis: str, *aliases: str, testnet: bool = True) -> Network:
    return Network(
        name=name,
        chain=CHAIN,
        keyspace=KEYSPACE,
        caip2=f"solana:{genesis}",
        chain_id=None,
        symbol=SYMBOL,
        decimals=9,
        testnet=testnet,
        aliases=aliases,
    )


NETWORKS: Final = (
    _network("solana", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "sol", testnet=False),
    _network("solana-devnet", "EtWTRABZaYq6iMfeYKouRu166VU2xqa1"),
    _network("solana-testnet", "4uhcVJyU9pJkvQyS88uRDiswHScCKQ3z"),
)
