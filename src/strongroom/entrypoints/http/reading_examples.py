"""Examples of the operations that read chains, and what they share with the others."""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Example(NamedTuple):
    command: dict[str, Any]
    result: dict[str, Any]


WALLET_ID: Final = "0198f3a2-6c1e-7d40-9b55-2f6f1c0a7e31"
ADDRESS: Final = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
PAYEE: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CREATED: Final = "2026-03-02T09:30:15Z"
TX_ID: Final = "0x33414be05145678546aed0dba26e1995c91f11b9ea52a34121bddfc3abf6f686"
SIGNED_TX: Final = (
    "0x02f8730109843b9aca008504a817c8008252089470997970c51812dc3a010c7d01b50e0d17dc79c8880de0b6b3a7640000"
    "80c080a01eb78dc88f8839bd325b6066a42bb814e3387407269d4937e4e071aab7c65917a03df41ea1dab14f99059d31837a"
    "c1b6cc36a5f7ffa4e54c6354cb54e93d5f3003"
)

DISCOVERY: Final[dict[str, Any]] = {
    "id": "5c1d6f0e-53a1-5c1b-8f0e-7d4a2b9c6e10",
    "wallet_id": WALLET_ID,
    "network": "ethereum",
    "scheme": "bip44",
    "account": 0,
    "state": "done",
    "reason": None,
    "gap": 20,
    "budget": 935,
    "change": 1,
    "index": 20,
    "checked": 65,
    "used": 3,
    "error": None,
    "created_at": CREATED,
}
"""Of a wallet whose receiving addresses 0, 5 and 24 were used."""
_AS_OF: Final[dict[str, Any]] = {
    "height": 23990015,
    "hash": "0x5f1d3e0c7a92b86d4410aa9c2f71e6b83d05c49ae2178f6b90d3c4e5a6172839",
    "time": CREATED,
    "finalized": 23989951,
}
_block: Final[dict[str, Any]] = {
    "height": 23989945,
    "hash": "0x1c9a7b3e5d2f8064a1b3c5d7e9f00112233445566778899aabbccddeeff00112",
    "time": CREATED,
}
_balance: Final[dict[str, Any]] = {
    "asset": "eip155:1/slip44:60",
    "symbol": "ETH",
    "decimals": 18,
    "contract": None,
    "listed": True,
    "confirmed": "1250000000000000000",
    "pending": "0",
    "spendable": None,
    "immature": None,
    "adjusted": False,
    "details": {},
}
_history: Final[dict[str, Any]] = {
    "network": "ethereum",
    "entries": [
        {
            "tx_id": TX_ID,
            "index": "value",
            "address": ADDRESS,
            "direction": "out",
            "asset": "eip155:1/slip44:60",
            "symbol": "ETH",
            "decimals": 18,
            "listed": True,
            "amount": "1000000000000000000",
            "counterparty": PAYEE,
            "fee": "441000000000000",
            "status": "final",
            "block": _block,
            "kind": "transfer",
            "note": None,
        }
    ],
    "cannot_see": ["pending"],
    "indexed": 23990015,
    "sources": ["etherscan"],
    "next_cursor": None,
}

READING: Final[dict[str, Example]] = {
    "balances.wallet": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "tokens": "none", "detail": "addresses"},
        {
            "network": "ethereum",
            "balances": [_balance],
            "addresses": [{"address": ADDRESS, "balances": [_balance]}],
            "address_count": 1,
            "as_of": _AS_OF,
            "source": "own-node",
            "stale": False,
            "unreadable": [],
            "unseen": [],
            "next_cursor": None,
        },
    ),
    "balances.address": Example(
        {"network": "ethereum", "address": ADDRESS, "tokens": "none"},
        {
            "network": "ethereum",
            "balances": [_balance],
            "addresses": [],
            "address_count": 1,
            "as_of": _AS_OF,
            "source": "own-node",
            "stale": False,
            "unreadable": [],
            "unseen": [],
            "next_cursor": None,
        },
    ),
    "history.wallet": Example({"wallet_id": WALLET_ID, "network": "ethereum", "limit": 50}, _history),
    "history.address": Example({"network": "ethereum", "address": ADDRESS, "limit": 50}, _history),
    "transactions.state": Example(
        {"network": "ethereum", "tx_id": TX_ID},
        {
            "network": "ethereum",
            "tx_id": TX_ID,
            "state": "final",
            "final": True,
            "block": _block,
            "confirmations": 70,
            "fee": "441000000000000",
            "replaced_by": None,
            "rejected": None,
            "may_still_execute_until": None,
            "source": "own-node",
        },
    ),
    "transactions.broadcast": Example(
        {"network": "ethereum", "signed_tx": SIGNED_TX},
        {
            "network": "ethereum",
            "tx_id": TX_ID,
            "state": "accepted",
            "rejected": None,
            "already_known": False,
            "source": "own-node",
        },
    ),
    "fees.suggest": Example(
        {"network": "ethereum"},
        {
            "network": "ethereum",
            "slow": "21000000000",
            "normal": "22000000000",
            "fast": "25000000000",
            "unit": "wei",
            "quality": "estimate",
            "details": {"base_fee": "10000000000", "tip_normal": "2000000000"},
            "clamped": False,
            "source": "own-node",
        },
    ),
    "networks.head": Example({"network": "ethereum"}, _AS_OF | {"network": "ethereum"}),
}
