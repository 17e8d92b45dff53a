"""Bitcoin networks.

Their CAIP-2 ids are the first 32 hex digits of the genesis block's hash (namespaces.chainagnostic.org, bip122). The
hashes are those of Bitcoin Core, src/kernel/chainparams.cpp.
"""

from __future__ import annotations

from typing import Final

from strongroom.domain.network import Network

CHAIN: Final = "bitcoin"
MAIN: Final = "bitcoin"
TEST: Final = "bitcoin-test"
REGTEST: Final = "bitcoin-regtest"


def _network(name: str, genesis: str, *aliases: str, keyspace: str = TEST) -> Network:
    return Network(
        name=name,
        chain=CHAIN,
        keyspace=keyspace,
        caip2=f"bip122:{genesis}",
        chain_id=None,
        symbol="BTC" if keyspace == MAIN else "tBTC",
        decimals=8,
        testnet=keyspace != MAIN,
        aliases=aliases,
    )


NETWORKS: Final = (
    _network("bitcoin", "000000000019d6689c085ae165831e93", "btc", keyspace=MAIN),
    _network("bitcoin-testnet3", "000000000933ea01ad0ee984209779ba", "bitcoin-testnet", "testnet"),
    _network("bitcoin-testnet4", "00000000da84f2bafbbc53dee25a72ae"),
    _network("bitcoin-signet", "00000008819873e925422c1ff0f99f7c"),
    _network(REGTEST, "0f9188f13cb7b2c71f2a335e3a4fc328"),
)
