"""Examples of the operations that read chains, broadcast, and describe networks."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.base import (
    ADDRESS,
    BITCOIN_ADDRESS,
    CREATED,
    PAYEE,
    SIGNED_TX,
    SOLANA_SIGNED_TX,
    SOLANA_TX_ID,
    TX_ID,
    USDC,
    WALLET_ID,
    Example,
    Examples,
    Json,
)

_COIN: Final = "eip155:1/slip44:60"
_PENDING_TX_ID: Final = "0x9d1f4a6c2b8e07355f61a0c4d3e2b19887766554433221100ffeeddccbbaa998"

_as_of: Final[Json] = {
    "height": 23990015,
    "hash": "0x5f1d3e0c7a92b86d4410aa9c2f71e6b83d05c49ae2178f6b90d3c4e5a6172839",
    "time": CREATED,
    "finalized": 23989951,
}
_of_bitcoin: Final[Json] = {
    "height": 938415,
    "hash": "00000000000000000001c0f4a7d3b5e96182f0a4c6d8e1b3957f2a4c6e8d0b13",
    "time": CREATED,
    "finalized": 938410,
}
_block: Final[Json] = {
    "height": 23989945,
    "hash": "0x1c9a7b3e5d2f8064a1b3c5d7e9f00112233445566778899aabbccddeeff00112",
    "time": CREATED,
}
_ether: Final[Json] = {
    "asset": _COIN,
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
_dollars: Final[Json] = _ether | {
    "asset": f"eip155:1/erc20:{USDC.lower()}",
    "symbol": "USDC",
    "decimals": 6,
    "contract": USDC,
    "confirmed": "25000000",
}
_bitcoins: Final[Json] = _ether | {
    "asset": "bip122:000000000019d6689c085ae165831e93/slip44:0",
    "symbol": "BTC",
    "decimals": 8,
    "confirmed": "150000",
    "spendable": "150000",
    "immature": "0",
}
_balances: Final[Json] = {
    "network": "ethereum",
    "balances": [_ether],
    "addresses": [],
    "address_count": 1,
    "as_of": _as_of,
    "source": "own-node",
    "stale": False,
    "unreadable": [],
    "unseen": [],
    "next_cursor": None,
}
_sent: Final[Json] = {
    "tx_id": TX_ID,
    "index": "value",
    "address": ADDRESS,
    "direction": "out",
    "asset": _COIN,
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
_received: Final[Json] = _sent | {
    "tx_id": "0x0b7c5d9e3f1a284660c8d2e4f6a8b0c1d3e5f70912a4b6c8dae0f1e2d3c4b5a6",
    "index": "17",
    "direction": "in",
    "asset": f"eip155:1/erc20:{USDC.lower()}",
    "symbol": "USDC",
    "decimals": 6,
    "amount": "25000000",
    "fee": None,
}
_history: Final[Json] = {
    "network": "ethereum",
    "entries": [_sent],
    "cannot_see": ["pending"],
    "indexed": 23990015,
    "sources": ["etherscan"],
    "next_cursor": None,
}
_state: Final[Json] = {
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
}
_accepted: Final[Json] = {
    "network": "ethereum",
    "tx_id": TX_ID,
    "state": "accepted",
    "rejected": None,
    "already_known": False,
    "source": "own-node",
}

READING: Final[Examples] = {
    "balances.wallet": {
        "usual": Example(
            "The coin, address by address",
            {"wallet_id": WALLET_ID, "network": "ethereum", "tokens": "none", "detail": "addresses"},
            _balances | {"addresses": [{"address": ADDRESS, "balances": [_ether]}]},
        ),
        "tokens": Example(
            "The coin and the listed tokens, read from the node now",
            {"wallet_id": WALLET_ID, "network": "ethereum", "fresh": True},
            _balances | {"balances": [_ether, _dollars]},
        ),
    },
    "balances.address": {
        "usual": Example(
            "The coin at an address", {"network": "ethereum", "address": ADDRESS, "tokens": "none"}, _balances
        ),
        "bitcoin": Example(
            "An address of Bitcoin",
            {"network": "bitcoin", "address": BITCOIN_ADDRESS},
            _balances | {"network": "bitcoin", "balances": [_bitcoins], "as_of": _of_bitcoin, "source": "esplora"},
        ),
    },
    "history.wallet": {
        "usual": Example(
            "What moved at all addresses of a wallet",
            {"wallet_id": WALLET_ID, "network": "ethereum", "limit": 50},
            _history,
        ),
        "address": Example(
            "What moved last at one of its addresses",
            {"wallet_id": WALLET_ID, "network": "ethereum", "address": ADDRESS},
            _history | {"entries": [_sent, _received]},
        ),
    },
    "history.address": {
        "usual": Example(
            "What moved at an address", {"network": "ethereum", "address": ADDRESS, "limit": 50}, _history
        ),
        "bitcoin": Example(
            "An address of Bitcoin at which nothing has moved",
            {"network": "bitcoin", "address": BITCOIN_ADDRESS, "limit": 10},
            _history
            | {"network": "bitcoin", "entries": [], "cannot_see": [], "indexed": 938415, "sources": ["esplora"]},
        ),
    },
    "transactions.state": {
        "usual": Example("A transaction that is final", {"network": "ethereum", "tx_id": TX_ID}, _state),
        "pending": Example(
            "A transaction that is in no block yet",
            {"network": "ethereum", "tx_id": _PENDING_TX_ID},
            _state
            | {
                "tx_id": _PENDING_TX_ID,
                "state": "pending",
                "final": False,
                "block": None,
                "confirmations": 0,
                "fee": None,
            },
        ),
    },
    "transactions.broadcast": {
        "usual": Example("A transaction of Ethereum", {"network": "ethereum", "signed_tx": SIGNED_TX}, _accepted),
        "solana": Example(
            "A transaction of Solana",
            {"network": "solana", "signed_tx": SOLANA_SIGNED_TX},
            _accepted | {"network": "solana", "tx_id": SOLANA_TX_ID},
        ),
    },
    "fees.suggest": {
        "usual": Example(
            "Ethereum: a price of gas",
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
        "bitcoin": Example(
            "Bitcoin: a price of 1,000 virtual bytes",
            {"network": "bitcoin"},
            {
                "network": "bitcoin",
                "slow": "1000",
                "normal": "3000",
                "fast": "6000",
                "unit": "sat/kvB",
                "quality": "estimate",
                "details": {},
                "clamped": False,
                "source": "esplora",
            },
        ),
    },
    "networks.head": {
        "usual": Example("Ethereum", {"network": "ethereum"}, _as_of | {"network": "ethereum"}),
        "bitcoin": Example("Bitcoin", {"network": "bitcoin"}, _of_bitcoin | {"network": "bitcoin"}),
    },
}

_ethereum: Final[Json] = {
    "name": "ethereum",
    "chain": "evm",
    "keyspace": "evm",
    "caip2": "eip155:1",
    "chain_id": 1,
    "symbol": "ETH",
    "decimals": 18,
    "testnet": False,
    "aliases": ["eth"],
    "schemes": [
        {
            "name": "bip44",
            "template": "m/44'/60'/{account}'/{change}/{index}",
            "default": True,
            "kinds": ["bip39"],
            "description": "BIP-44: MetaMask, Trezor, Trust, Rabby, Foundry",
        }
    ],
    "limits": {"max_fee": "1000000000000000000", "max_gas": "16777216"},
}
_tron: Final[Json] = {
    "name": "tron",
    "chain": "tron",
    "keyspace": "tron",
    "caip2": "tron:0x2b6653dc",
    "chain_id": 728126428,
    "symbol": "TRX",
    "decimals": 6,
    "testnet": False,
    "aliases": ["trx"],
    "schemes": [
        {
            "name": "tronlink",
            "template": "m/44'/195'/{index}'/0/0",
            "default": False,
            "kinds": ["bip39"],
            "description": "TronLink and Ledger Live: one account per key",
        }
    ],
    "limits": {"max_fee_limit": "15000000000", "max_expiration": "86400"},
}
NETWORKS: Final[Examples] = {
    "networks.list": {
        "usual": Example("One network is configured", {}, {"networks": [_ethereum]}),
        "two": Example("Two networks are configured", {}, {"networks": [_ethereum, _tron]}),
    }
}
