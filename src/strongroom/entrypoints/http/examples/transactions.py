"""Examples of signing and decoding transactions."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.base import (
    ADDRESS,
    PAYEE,
    SIGNED_TX,
    SOLANA_ADDRESS,
    SOLANA_SIGNED_TX,
    SOLANA_TX_ID,
    TRON_ADDRESS,
    TX_ID,
    WALLET_ID,
    Example,
    Examples,
    Json,
)

_TETHER_ON_TRON: Final = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
_TRON_PAYEE: Final = "TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6"
_SOLANA_PAYEE: Final = "oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96"
_BLOCKHASH: Final = "7GJPHTGhDPpBcmN6GkHdgLdRTgpEwqkzPbLXFD3JFp2W"
_SIGNING_HASH: Final = "0x779a434703dda1e491c9471d808e1e2f572d6172f23dff3217ab49ded0a48c95"

_unsigned: Final[Json] = {
    "type": "0x2",
    "chainId": "0x1",
    "nonce": "0x9",
    "to": PAYEE,
    "value": "0xde0b6b3a7640000",
    "gas": "0x5208",
    "maxFeePerGas": "0x4a817c800",
    "maxPriorityFeePerGas": "0x3b9aca00",
    "data": "0x",
    "accessList": [],
}
_action: Final[Json] = {"kind": "transfer", "to": PAYEE, "amount": "1000000000000000000", "asset": "ETH"}
_transfer: Final[Json] = {
    "network": "ethereum",
    "type": "eip1559",
    "actions": [_action],
    "sequence": "9",
    "fee": {"amount": "420000000000000", "asset": "ETH", "rate": "20000000000", "limit": "21000"},
    "payload_hash": _SIGNING_HASH,
}
_to_sign: Final[Json] = {"wallet_id": WALLET_ID, "network": "ethereum", "index": 0, "unsigned_tx": _unsigned}
_signed: Final[Json] = {
    "wallet_id": WALLET_ID,
    "network": "ethereum",
    "signed_tx": SIGNED_TX,
    "tx_id": TX_ID,
    "complete": True,
    "summary": _transfer | {"actions": [_action | {"from_address": ADDRESS}], "from_address": ADDRESS},
    "warnings": [],
    "details": {
        "from": ADDRESS,
        "type": "0x2",
        "nonce": "0x9",
        "v": "0x0",
        "r": "0x1eb78dc88f8839bd325b6066a42bb814e3387407269d4937e4e071aab7c65917",
        "s": "0x3df41ea1dab14f99059d31837ac1b6cc36a5f7ffa4e54c6354cb54e93d5f3003",
        "yParity": "0x0",
        "signing_hash": _SIGNING_HASH,
    },
    "broadcast": None,
}
_on_solana: Final[Json] = {
    "wallet_id": WALLET_ID,
    "network": "solana",
    "unsigned_tx": {
        "fee_payer": SOLANA_ADDRESS,
        "recent_blockhash": _BLOCKHASH,
        "transfers": [{"to": _SOLANA_PAYEE, "amount": "1000000"}],
    },
}
_signed_on_solana: Final[Json] = {
    "wallet_id": WALLET_ID,
    "network": "solana",
    "signed_tx": SOLANA_SIGNED_TX,
    "tx_id": SOLANA_TX_ID,
    "complete": True,
    "summary": {
        "network": "solana",
        "type": "legacy",
        "actions": [
            {
                "kind": "transfer",
                "from_address": SOLANA_ADDRESS,
                "to": _SOLANA_PAYEE,
                "amount": "1000000",
                "asset": "SOL",
                "method": "transfer",
            }
        ],
        "from_address": SOLANA_ADDRESS,
        "fee": {"amount": "5000", "asset": "SOL"},
        "details": {
            "fee_payer": SOLANA_ADDRESS,
            "signers": [SOLANA_ADDRESS],
            "fee_lamports": "5000",
            "recent_blockhash": _BLOCKHASH,
        },
    },
    "warnings": [],
    "details": {"signature": SOLANA_TX_ID, "signatures": [SOLANA_TX_ID], "fee_lamports": "5000"},
    "broadcast": None,
}
_token_transfer_on_tron: Final[Json] = {
    "contract": {
        "type": "TriggerSmartContract",
        "owner_address": TRON_ADDRESS,
        "contract_address": _TETHER_ON_TRON,
        "function_selector": "transfer(address,uint256)",
        "arguments": [_TRON_PAYEE, "25000000"],
    },
    "block_id": "0000000003f95be7cda93a6b3a3c2a44d5e3c9d8a1b2c3d4e5f60718293a4b5c",
    "expiration": 1795881660000,
    "fee_limit": "100000000",
}
"""Only for decoding, because a Tron transaction expires within a day."""
_decoded_on_tron: Final[Json] = {
    "network": "tron",
    "type": "TriggerSmartContract",
    "actions": [
        {
            "kind": "token_transfer",
            "from_address": TRON_ADDRESS,
            "to": _TRON_PAYEE,
            "amount": "25000000",
            "asset": _TETHER_ON_TRON,
            "contract": _TETHER_ON_TRON,
            "method": "transfer",
        }
    ],
    "from_address": TRON_ADDRESS,
    "fee": {"amount": "100000000", "asset": "TRX", "limit": "100000000"},
    "payload_hash": "0x6c14fbd743b875c1cabc2bb9e8c0116c39537abaddaff397867f8eb82993c81b",
    "details": {
        "tx_id": "6c14fbd743b875c1cabc2bb9e8c0116c39537abaddaff397867f8eb82993c81b",
        "permission_id": 0,
        "expiration": 1795881660000,
        "expires_at": "2026-11-28T16:01:00.000Z",
        "ref_block_bytes": "5be7",
        "ref_block_hash": "cda93a6b3a3c2a44",
        "bandwidth": 338,
        "fee_limit": "100000000",
    },
}

TRANSACTIONS: Final[Examples] = {
    "transactions.sign": {
        "usual": Example("Ethereum: a transfer of 1 ETH", _to_sign, _signed),
        "solana": Example("Solana: a transfer of 0.001 SOL", _on_solana, _signed_on_solana),
    },
    "transactions.sign_batch": {
        "usual": Example(
            "Two items, of which one is refused",
            {"items": [_to_sign | {"ref": "payout-1042"}, _to_sign | {"network": "nowhere"}]},
            {
                "results": [
                    {"ref": "payout-1042", "status": "ok", "result": _signed},
                    {
                        "status": "error",
                        "error": {
                            "type": "/docs/errors#unknown_network",
                            "title": "No such network is configured",
                            "status": 422,
                            "detail": "no network with this name or CAIP-2 id is configured: GET /networks lists them",
                            "code": "unknown_network",
                            "field": "network",
                        },
                    },
                ]
            },
        ),
        "two chains": Example(
            "One transaction on Ethereum and one on Solana",
            {"items": [_to_sign | {"ref": "payout-1042"}, _on_solana | {"ref": "payout-1043"}]},
            {
                "results": [
                    {"ref": "payout-1042", "status": "ok", "result": _signed},
                    {"ref": "payout-1043", "status": "ok", "result": _signed_on_solana},
                ]
            },
        ),
    },
    "transactions.decode": {
        "usual": Example(
            "Ethereum: a transfer of 1 ETH",
            {"network": "ethereum", "unsigned_tx": _unsigned},
            {"network": "ethereum", "summary": _transfer, "warnings": []},
        ),
        "tron": Example(
            "Tron: a transfer of 25 USDT, which has expired",
            {"network": "tron", "unsigned_tx": _token_transfer_on_tron},
            {
                "network": "tron",
                "summary": _decoded_on_tron,
                "warnings": [
                    {"code": "expired", "message": "The transaction has expired and cannot be mined any more"}
                ],
            },
        ),
    },
}
