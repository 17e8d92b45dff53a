"""Commands that succeed on every chain but Ethereum, for a wallet of words. The API's examples are Ethereum's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx

Command = dict[str, Any]

_TRON_PAYEE = "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6"
_TETHER = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
_BLOCK = "0000000003f95be7cda93a6b3a3c2a44d5e3c9d8a1b2c3d4e5f60718293a4b5c"
_SOLANA_PAYEE = "oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96"
_MINT = "KvH6dosqX8msTjvh3z4b8UfZrX1Wgk8tnsckWbqoG2a"
_BLOCKHASH = "7GJPHTGhDPpBcmN6GkHdgLdRTgpEwqkzPbLXFD3JFp2W"
_TON_PAYEE = "0:" + "35" * 32
_VALID = 3600
"""Seconds for which the transactions are valid: longer than any test, and within the chains' limits."""


def commands(client: httpx.Client, wallet_id: str) -> list[tuple[str, Command]]:
    """Operations and commands. Derives the wallet's first address on each chain, which Tron and Solana name."""
    first = {
        network: client.get(f"/wallets/{wallet_id}/address/{network}").raise_for_status().json()["address"]
        for network in ("bitcoin", "tron", "solana", "ton")
    }
    made = [("addresses.derive", {"wallet_id": wallet_id, "network": network}) for network in first]
    made += [("addresses.validate", {"network": network, "address": address}) for network, address in first.items()]
    for network, unsigned in transactions(first, int(time.time())):
        transaction: Command = {"network": network, "unsigned_tx": unsigned}
        made += [("transactions.sign", {"wallet_id": wallet_id, **transaction}), ("transactions.decode", transaction)]
    for command in _messages(int(time.time())):
        made.append(("messages.sign", {"wallet_id": wallet_id, **command}))
    return made


def transactions(first: dict[str, str], now: int) -> Iterator[tuple[str, Command]]:
    block = {"block_id": _BLOCK, "expiration": (now + _VALID) * 1000}
    transfer = {"type": "TransferContract", "owner_address": first["tron"], "to_address": _TRON_PAYEE, "amount": 1}
    yield "tron", {"contract": transfer, **block, "memo": "invoice 7"}
    call = {
        "type": "TriggerSmartContract",
        "owner_address": first["tron"],
        "contract_address": _TETHER,
        "function_selector": "transfer(address,uint256)",
        "arguments": [_TRON_PAYEE, "25000000"],
    }
    yield "tron", {"contract": call, **block, "fee_limit": "100000000"}
    token = {"to": _SOLANA_PAYEE, "amount": "2", "mint": _MINT, "decimals": 6}
    yield (
        "solana",
        {
            "fee_payer": first["solana"],
            "recent_blockhash": _BLOCKHASH,
            "transfers": [{"to": _SOLANA_PAYEE, "amount": "1000000"}, token],
            "memo": "invoice 7",
        },
    )
    payment = {"address": _TON_PAYEE, "amount": "10000000", "bounce": False, "comment": "rent"}
    yield "ton", {"seqno": 5, "valid_until": now + _VALID, "messages": [payment]}


def _messages(now: int) -> Iterator[Command]:
    text = {"message": "hello", "encoding": "text"}
    for network, name in (("bitcoin", "bip322"), ("tron", "tip191"), ("solana", "solana-offchain")):
        yield {"network": network, "format": name, **text}
    yield {"network": "ton", "format": "ton-proof", "domain": "example.com", "timestamp": now, "payload": "nonce"}
