"""Examples for the OpenAPI document, by operation: the command's fields, and the result.

All keys but the imported one are of the mnemonic that BIP-39's own vectors begin with (`abandon … about`); a test runs
the examples through the code, so they cannot grow stale.
"""

from __future__ import annotations

from typing import Any, Final

from strongroom.entrypoints.http.reading_examples import (
    ADDRESS,
    CREATED,
    DISCOVERY,
    PAYEE,
    READING,
    SIGNED_TX,
    TX_ID,
    WALLET_ID,
    Example,
)

_KEY_ID: Final = "0198f3a9-6c1e-7d40-9b55-2f6f1c0a7e44"
_DELEGATE: Final = "0x63c0c19a282a1B52b07dD5a65b58948A07DAE32B"
_MAIL: Final = "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
_WORDS: Final = " ".join(["abandon"] * 11 + ["about"])
_IMPORTED_WORDS: Final = "token stand still casual layer behind session open lesson submit govern duck"
"""Random words: people try the example, and wallets of well-known words are emptied by others at once."""
_KEY_TEXT: Final = f"sr_{_KEY_ID.replace('-', '')}_{'0123456789abcdef' * 4}_3828287c"
_MESSAGE: Final = "Sign in to example.com, nonce 8b1f"
_MESSAGE_SIGNATURE: Final = (
    "0x5cffea92da4e0a9783cb7002ba04ca336dde0be8c88d40118a5286913d1a1bf5"
    "6b5e2d1eaa747bc6d8d35055908a42452978f002256ad4968b65fe24778da8161b"
)
_TYPED_DATA_SIGNATURE: Final = (
    "0x5b9ee7ebad3acd6ca243732900203a8a9e59b871345cb9b229a1936e11f5ad89"
    "67c46a0d05027ccd880bcc49e18877a53b8e4813558a1fd165ebb875c4a447c21c"
)
_SIGNING_HASH: Final = "0x779a434703dda1e491c9471d808e1e2f572d6172f23dff3217ab49ded0a48c95"
_MESSAGE_HASH: Final = "0xe46e3b046849a248958cccbd30de1d7f5026c76d745e755d4a55d8caf47d686c"
_TYPED_DATA_HASH: Final = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
_AUTHORIZATION_HASH: Final = "0xb5fd1cbf1c9031f8cd523819fd9fa7b455ed84b01c76e0ef022126f46707e6c5"

_wallet: Final[dict[str, Any]] = {
    "id": WALLET_ID,
    "kind": "bip39",
    "label": "Deposits",
    "external_id": "customer-1042",
    "state": "active",
    "keyspace": None,
    "master_fingerprint": "73c5da0a",
    "created_at": CREATED,
}
_task: Final[dict[str, Any]] = {
    "kind": "verify",
    "key": "audit",
    "of_service": True,
    "state": "waiting",
    "due_at": "2026-03-03T03:00:00Z",
    "lease_until": None,
    "attempts": 0,
    "last_error": None,
    "created_at": CREATED,
}
_first: Final[dict[str, Any]] = {
    "wallet_id": WALLET_ID,
    "network": "ethereum",
    "address": ADDRESS,
    "forms": {"address": ADDRESS, "lowercase": ADDRESS.lower()},
    "details": {},
    "scheme": "bip44",
    "account": 0,
    "change": 0,
    "index": 0,
    "path": "m/44'/60'/0'/0/0",
    "public_key": "0237b0bb7a8288d38ed49a524b5dc98cff3eb5ca824c9f9dc0dfdb3d9cd600f299",
    "label": None,
    "external_id": None,
    "created_at": CREATED,
}
_imported: Final[dict[str, Any]] = _first | {
    "address": "0x066C33dab074298F0481382E4ec76bdb9127c497",
    "forms": {
        "address": "0x066C33dab074298F0481382E4ec76bdb9127c497",
        "lowercase": "0x066c33dab074298f0481382e4ec76bdb9127c497",
    },
    "public_key": "03c03377c65c340eadae78d98fed30bf0f123fd82142a802736f03cce64e70aa9e",
}
_next: Final[dict[str, Any]] = _first | {
    "address": "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0",
    "forms": {
        "address": "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0",
        "lowercase": "0x6fac4d18c912343bf86fa7049364dd4e424ab9c0",
    },
    "index": 1,
    "path": "m/44'/60'/0'/0/1",
    "public_key": "039fd0991d0222b4e1339c1a1a5b5f6d9f6a96672a3247b638ee6156d9ea877a2f",
    "label": "Invoice 1042",
    "external_id": "invoice-1042",
}
_unsigned: Final[dict[str, Any]] = {
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
_transfer: Final[dict[str, Any]] = {
    "network": "ethereum",
    "type": "eip1559",
    "actions": [{"kind": "transfer", "to": PAYEE, "amount": "1000000000000000000", "asset": "ETH"}],
    "sequence": "9",
    "fee": {"amount": "420000000000000", "asset": "ETH", "rate": "20000000000", "limit": "21000"},
    "payload_hash": _SIGNING_HASH,
}
_domain: Final[dict[str, Any]] = {"name": "Ether Mail", "version": "1", "chainId": 1, "verifyingContract": _MAIL}
_typed_data: Final[dict[str, Any]] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": _domain,
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
_api_key: Final[dict[str, Any]] = {
    "made_by": None,
    "id": _KEY_ID,
    "name": "payout worker",
    "scopes": ["addresses:read", "sign:transaction"],
    "created_at": CREATED,
    "expires_at": "2027-03-02T00:00:00Z",
    "revoked_at": None,
}


def _signed_message(
    signed_format: str, signature: str, digest: str, action: dict[str, Any], **more: Any
) -> dict[str, Any]:
    summary = {
        "network": "ethereum",
        "type": signed_format,
        "actions": [action],
        "from_address": ADDRESS,
        "payload_hash": digest,
    }
    answer = {
        "wallet_id": WALLET_ID,
        "network": "ethereum",
        "address": ADDRESS,
        "format": signed_format,
        "signature": signature,
        "digest": digest,
        "summary": summary,
        "warnings": [],
        "details": {},
    }
    return answer | more


EXAMPLES: Final[dict[str, Example]] = {
    "wallets.create": Example(
        {"label": "Deposits", "external_id": "customer-1042", "words": 12, "networks": ["ethereum"], "backup": True},
        _wallet | {"addresses": [_first], "backup": {"status": "shown", "mnemonic": _WORDS}},
    ),
    "wallets.import": Example(
        {
            "kind": "bip39",
            "mnemonic": _IMPORTED_WORDS,
            "label": "Deposits",
            "external_id": "customer-1042",
            "networks": ["ethereum"],
        },
        _wallet | {"master_fingerprint": "70793c7d", "addresses": [_imported], "backup": None},
    ),
    "wallets.list": Example({"state": "active", "limit": 50}, {"wallets": [_wallet], "next_cursor": None}),
    "wallets.get": Example({"wallet_id": WALLET_ID}, _wallet),
    "wallets.update": Example({"wallet_id": WALLET_ID, "label": "Deposits"}, _wallet),
    "wallets.archive": Example({"wallet_id": WALLET_ID}, _wallet | {"state": "archived"}),
    "wallets.unarchive": Example({"wallet_id": WALLET_ID}, _wallet),
    "addresses.derive": Example({"wallet_id": WALLET_ID, "network": "ethereum", "index": 0}, _first),
    "addresses.next": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "label": "Invoice 1042", "external_id": "invoice-1042"}, _next
    ),
    "addresses.discover": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "gap": 20, "budget": 1000},
        DISCOVERY | {"state": "running", "budget": 1000, "change": 0, "index": 0, "checked": 0, "used": 0},
    ),
    "addresses.discovery": Example({"wallet_id": WALLET_ID, "discovery_id": DISCOVERY["id"]}, DISCOVERY),
    "addresses.list": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "limit": 50},
        {"addresses": [_first, _next], "next_cursor": None},
    ),
    "addresses.find": Example({"network": "ethereum", "address": ADDRESS}, {"addresses": [_first]}),
    "addresses.validate": Example(
        {"network": "ethereum", "address": ADDRESS},
        {"valid": True, "reason": None, "address": ADDRESS, "forms": _first["forms"], "kind": None, "details": {}},
    ),
    "accounts.get": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "account": 0},
        {
            "wallet_id": WALLET_ID,
            "network": "ethereum",
            "scheme": "bip44",
            "account": 0,
            "path": "m/44'/60'/0'",
            "extended_public_key": (
                "xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7LPXWuNd8TMtVxRrgjtEshuqpK3mdhaWHPFsBngh5GFZaM6si3yZdUsT8d"
                "dYM3PwnATt"
            ),
            "master_fingerprint": "73c5da0a",
            "slip132": None,
            "descriptor": None,
            "next_index": 2,
        },
    ),
    "transactions.sign": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "index": 0, "unsigned_tx": _unsigned},
        {
            "wallet_id": WALLET_ID,
            "network": "ethereum",
            "signed_tx": SIGNED_TX,
            "tx_id": TX_ID,
            "complete": True,
            "summary": _transfer
            | {
                "actions": [{**_transfer["actions"][0], "from_address": ADDRESS}],
                "from_address": ADDRESS,
            },
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
        },
    ),
    "transactions.decode": Example(
        {"network": "ethereum", "unsigned_tx": _unsigned},
        {"network": "ethereum", "summary": _transfer, "warnings": []},
    ),
    "messages.sign": Example(
        {
            "wallet_id": WALLET_ID,
            "network": "ethereum",
            "index": 0,
            "format": "eip191",
            "message": _MESSAGE,
            "encoding": "text",
        },
        _signed_message("eip191", _MESSAGE_SIGNATURE, _MESSAGE_HASH, {"kind": "message", "data_size": 34}),
    ),
    "typed_data.sign": Example(
        {"wallet_id": WALLET_ID, "network": "ethereum", "index": 0, "typed_data": _typed_data},
        _signed_message(
            "eip712",
            _TYPED_DATA_SIGNATURE,
            _TYPED_DATA_HASH,
            {
                "kind": "typed_data",
                "contract": _MAIL,
                "method": "Mail",
                "details": {"primary_type": "Mail", "domain": _domain},
            },
            warnings=[
                {
                    "code": "unknown_typed_data",
                    "message": "A contract will act on this message, and its type is not understood here",
                }
            ],
        ),
    ),
    "authorizations.sign": Example(
        {
            "wallet_id": WALLET_ID,
            "network": "ethereum",
            "index": 0,
            "chain_id": "1",
            "contract": _DELEGATE,
            "nonce": "7",
        },
        _signed_message(
            "eip7702",
            "0xb8b42b7bbdad2be7d50ec724a780bd7ad57a5794f8f795da12123438e59de9ab"
            "40c1d675546cccb0b3ca5e603b28800ad11b1ed4548f85ac7f8bf35a089e12201b",
            _AUTHORIZATION_HASH,
            {"kind": "authorization", "contract": _DELEGATE, "details": {"chain_id": "1", "nonce": "7"}},
            warnings=[{"code": "delegation", "message": "Lets the code of a contract act for an account (EIP-7702)"}],
            details={
                "chain_id": "1",
                "address": _DELEGATE,
                "nonce": "7",
                "y_parity": 0,
                "r": "0xb8b42b7bbdad2be7d50ec724a780bd7ad57a5794f8f795da12123438e59de9ab",
                "s": "0x40c1d675546cccb0b3ca5e603b28800ad11b1ed4548f85ac7f8bf35a089e1220",
            },
        ),
    ),
    "messages.verify": Example(
        {
            "network": "ethereum",
            "format": "eip191",
            "message": _MESSAGE,
            "encoding": "text",
            "signature": _MESSAGE_SIGNATURE,
            "address": ADDRESS,
        },
        {"valid": True},
    ),
    "typed_data.verify": Example(
        {"network": "ethereum", "typed_data": _typed_data, "signature": _TYPED_DATA_SIGNATURE, "address": ADDRESS},
        {"valid": True},
    ),
    **READING,
    "networks.list": Example(
        {},
        {
            "networks": [
                {
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
            ]
        },
    ),
    "api_keys.create": Example(
        {"name": "payout worker", "scopes": _api_key["scopes"], "expires_at": _api_key["expires_at"]},
        _api_key | {"api_key": _KEY_TEXT},
    ),
    "api_keys.list": Example({"limit": 50}, {"api_keys": [_api_key], "next_cursor": None}),
    "api_keys.revoke": Example({"key_id": _KEY_ID}, _api_key | {"revoked_at": "2026-04-01T12:00:00Z"}),
    "audit.list": Example(
        {"wallet_id": WALLET_ID, "outcome": "succeeded", "limit": 50},
        {
            "records": [
                {
                    "writer_id": "0198f3a0-11c2-7f10-8a3e-5d2b9c4e7f01",
                    "sequence": 42,
                    "at": "2026-03-02T09:31:02.118000Z",
                    "principal_id": _KEY_ID,
                    "operation": "transactions.sign",
                    "operation_id": "0198f3a3-22d4-7b60-9c1f-8e7d6c5b4a39",
                    "outcome": "succeeded",
                    "wallet_id": WALLET_ID,
                    "network": "ethereum",
                    "request_id": "payout-7781",
                    "client": "203.0.113.7",
                    "details": {
                        "tx_id": TX_ID,
                        "complete": True,
                    },
                }
            ],
            "next_cursor": None,
        },
    ),
    "tasks.list": Example({"kind": "verify", "limit": 50}, {"tasks": [_task], "next_cursor": None}),
    "tasks.retry": Example(
        {"kind": "verify", "key": "audit"}, _task | {"state": "due", "due_at": "2026-03-02T10:00:00Z"}
    ),
    "tasks.cancel": Example(
        {"kind": "alert", "key": "circuit_open/vault"},
        _task
        | {
            "kind": "alert",
            "key": "circuit_open/vault",
            "of_service": False,
            "state": "sleeping",
            "due_at": None,
            "last_error": "cancelled",
        },
    ),
}

_tron_transfer: Final[dict[str, Any]] = {
    "network": "tron",
    "unsigned_tx": {
        "contract": {
            "type": "TriggerSmartContract",
            "owner_address": "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH",
            "contract_address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
            "function_selector": "transfer(address,uint256)",
            "arguments": ["TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6", "25000000"],
        },
        "block_id": "0000000003f95be7cda93a6b3a3c2a44d5e3c9d8a1b2c3d4e5f60718293a4b5c",
        "expiration": 1795881660000,
        "fee_limit": "100000000",
    },
}
MORE_COMMANDS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "transactions.sign": {"tron": {"wallet_id": WALLET_ID, **_tron_transfer}},
    "transactions.decode": {"tron": _tron_transfer},
    "messages.sign": {
        "tron": {
            "wallet_id": WALLET_ID,
            "network": "tron",
            "format": "tip191",
            "message": _MESSAGE,
            "encoding": "text",
        }
    },
}
"""Commands for other chains, by operation and by what the description calls them."""
