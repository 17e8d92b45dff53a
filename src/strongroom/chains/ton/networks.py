"""The two TON networks. A CAIP-2 id is ``tvm:`` and the global id (ConfigParam 19), which is part of the ids of v5."""

from __future__ import annotations

from typing import Final

from strongroom.domain.network import Network

CHAIN: Final = "ton"
MAINNET_ID: Final = -239
TESTNET_ID: Final = -3

NETWORKS: Final = (
    Network("ton", CHAIN, "ton", f"tvm:{MAINNET_ID}", None, "TON", 9, testnet=False, aliases=("ton-mainnet",)),
    Network("ton-testnet", CHAIN, "ton-test", f"tvm:{TESTNET_ID}", None, "TON", 9, testnet=True),
)


def global_id(testnet: bool) -> int:
    return TESTNET_ID if testnet else MAINNET_ID
