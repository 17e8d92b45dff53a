"""Tron's networks. All have the same addresses, so only the reference block of a transaction tells its network.

The CAIP-2 reference is the last four bytes of the genesis block's id, which is also the chain id of TIP-712
(namespaces.chainagnostic.org, tron).
"""

from __future__ import annotations

import re
from typing import Final

from strongroom.domain.network import Network

CHAIN: Final = "tron"
KEYSPACE: Final = "tron"
_CAIP2: Final = re.compile(r"tron:0x([0-9a-f]{8})", re.ASCII)


def _network(name: str, chain_id: int, *aliases: str, symbol: str = "TRX", testnet: bool = False) -> Network:
    return Network(
        name=name,
        chain=CHAIN,
        keyspace=KEYSPACE,
        caip2=f"tron:0x{chain_id:08x}",
        chain_id=chain_id,
        symbol=symbol,
        decimals=6,
        testnet=testnet,
        aliases=aliases,
    )


NETWORKS: Final = (
    _network("tron", 0x2B6653DC, "trx"),
    _network("tron-nile", 0xCD8690DC, "nile", testnet=True),
    _network("tron-shasta", 0x94A9059E, "shasta", testnet=True),
)


def network_for(text: str) -> Network | None:
    """A private network by its CAIP-2 id, ``tron:0x`` and eight hex digits in lower case."""
    found = _CAIP2.fullmatch(text)
    return None if found is None else _network(text, int(found[1], 16))
