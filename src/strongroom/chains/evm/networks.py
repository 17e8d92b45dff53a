"""EVM networks that need no configuration. Their transactions and gas rules are Ethereum's, unlike those of zkSync.

Chain ids are from chainid.network, and their CAIP-2 form from namespaces.chainagnostic.org, eip155.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from strongroom.domain.network import Network

KEYSPACE: Final = "evm"
CHAIN: Final = "evm"

_COIN: Final = 10**18
_CAIP2: Final = re.compile(r"eip155:(0|[1-9][0-9]{0,19})", re.ASCII)
_NO_FLOOR: Final = {"calldata_floor": None}
"""For networks that are not known to apply EIP-7623. A transaction below its floor may be valid there."""
_ARBITRUM: Final = {"max_gas": 2**25, **_NO_FLOOR}
"""Nitro accepts 32 million gas per transaction. The other networks follow EIP-7825."""


def _network(
    name: str,
    chain_id: int,
    *aliases: str,
    symbol: str = "ETH",
    testnet: bool = False,
    limits: Mapping[str, int | None] | None = None,
) -> Network:
    return Network(
        name=name,
        chain=CHAIN,
        keyspace=KEYSPACE,
        caip2=f"eip155:{chain_id}",
        chain_id=chain_id,
        symbol=symbol,
        decimals=18,
        testnet=testnet,
        aliases=aliases,
        limits=limits or {},
    )


def _fees(coins: int) -> dict[str, int | None]:
    """Fee limits for a coin that is cheaper than ether. ``coins`` replaces the one ether of the default max_fee."""
    return {
        "max_fee": coins * _COIN,
        "max_fee_percent_floor": coins * _COIN // 20,
        "high_fee_warning": coins * _COIN // 20,
    }


NETWORKS: Final = (
    _network("ethereum", 1, "eth"),
    _network("sepolia", 11155111, "ethereum-sepolia", testnet=True),
    _network("hoodi", 560048, "ethereum-hoodi", testnet=True),
    _network("polygon", 137, "matic", symbol="POL", limits=_fees(1000)),
    _network("polygon-amoy", 80002, "amoy", symbol="POL", testnet=True, limits=_fees(1000)),
    _network("arbitrum", 42161, "arbitrum-one", limits=_ARBITRUM),
    _network("arbitrum-sepolia", 421614, testnet=True, limits=_ARBITRUM),
    _network("optimism", 10),
    _network("optimism-sepolia", 11155420, testnet=True),
    _network("base", 8453),
    _network("base-sepolia", 84532, testnet=True),
    _network("bsc", 56, "bnb", symbol="BNB", limits=_fees(3)),
    _network("bsc-testnet", 97, symbol="tBNB", testnet=True, limits=_fees(3)),
    _network("avalanche", 43114, "avax", symbol="AVAX", limits=_fees(50) | _NO_FLOOR),
    _network("avalanche-fuji", 43113, "fuji", symbol="AVAX", testnet=True, limits=_fees(50) | _NO_FLOOR),
    _network("gnosis", 100, "xdai", symbol="xDAI", limits=_fees(1000)),
    _network("linea", 59144),
    _network("linea-sepolia", 59141, testnet=True),
    _network("scroll", 534352, limits=_NO_FLOOR),
    _network("scroll-sepolia", 534351, testnet=True, limits=_NO_FLOOR),
    _network("anvil", 31337, "hardhat", testnet=True),
)


def network_for(text: str) -> Network | None:
    """A network for the CAIP-2 id ``eip155:N`` with N below 2^64, or None for other text."""
    found = _CAIP2.fullmatch(text)
    if found is None or (chain_id := int(found[1])) >= 2**64:
        return None
    return _network(text, chain_id, symbol="native", limits=_NO_FLOOR)
