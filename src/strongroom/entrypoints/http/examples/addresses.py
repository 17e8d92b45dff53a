"""Examples of the operations on addresses and accounts."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.base import (
    ADDRESS,
    BITCOIN_ADDRESS,
    CREATED,
    FIRST,
    FIRST_ON_BITCOIN,
    SECOND,
    WALLET_ID,
    Example,
    Examples,
    Json,
    evm_address,
)

_BITCOIN_XPUB: Final = (
    "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V"
)
_DISCOVERY: Final[Json] = {
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
_begun: Final = _DISCOVERY | {
    "state": "running",
    "budget": 1000,
    "change": 0,
    "index": 0,
    "checked": 0,
    "used": 0,
}
_other_account: Final = {"id": "5e9c1bdb-270e-5cdd-be8e-73a5d37e35fe", "account": 1}
_in_account_1: Final = evm_address(
    "0x78839F6054d7ed13918bAe0473BA31b1Ca9D7265",
    "038ccc8186e5933e845afd096cc6d3f2fdb25fbe4db4864b944619afa8e4e8bd5e",
    account=1,
    path="m/44'/60'/1'/0/0",
)
_invoice: Final = SECOND | {"label": "Invoice 1042", "external_id": "invoice-1042"}
_second_on_bitcoin: Final = FIRST_ON_BITCOIN | {
    "address": "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
    "forms": {
        "address": "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g",
        "script_pubkey": "00149c90f934ea51fa0f6504177043e0908da6929983",
    },
    "index": 1,
    "path": "m/84'/0'/0'/0/1",
    "public_key": "03e775fd51f0dfb8cd865d9ff1cca2a158cf651fe997fdc9fee9c1d3b5e995ea77",
}
_third_on_bitcoin: Final = FIRST_ON_BITCOIN | {
    "address": "bc1qp59yckz4ae5c4efgw2s5wfyvrz0ala7rgvuz8z",
    "forms": {
        "address": "bc1qp59yckz4ae5c4efgw2s5wfyvrz0ala7rgvuz8z",
        "script_pubkey": "00140d0a4c5855ee698ae52872a147248c189fdff7c3",
    },
    "index": 2,
    "path": "m/84'/0'/0'/0/2",
    "public_key": "038ffea936b2df76bf31220ebd56a34b30c6b86f40d3bd92664e2f5f98488dddfa",
}

ADDRESSES: Final[Examples] = {
    "addresses.derive": {
        "usual": Example("The address at an index", {"wallet_id": WALLET_ID, "network": "ethereum", "index": 0}, FIRST),
        "path": Example(
            "The address at a path",
            {"wallet_id": WALLET_ID, "network": "ethereum", "path": "m/44'/60'/1'/0/0"},
            _in_account_1,
        ),
    },
    "addresses.next": {
        "usual": Example(
            "The next address, with a label",
            {"wallet_id": WALLET_ID, "network": "ethereum", "label": "Invoice 1042"},
            _invoice | {"external_id": None},
        ),
        "own id": Example(
            "The next address, with an id of yours, by which it is found again",
            {"wallet_id": WALLET_ID, "network": "ethereum", "external_id": "invoice-1042"},
            _invoice | {"label": None},
        ),
    },
    "addresses.next_batch": {
        "usual": Example(
            "The next address on Ethereum",
            {"wallet_id": WALLET_ID, "network": "ethereum", "count": 1, "label": "Invoice 1042"},
            {"results": [{"status": "ok", "result": _invoice | {"external_id": None}}]},
        ),
        "bitcoin": Example(
            "The next two addresses on Bitcoin",
            {"wallet_id": WALLET_ID, "network": "bitcoin", "count": 2},
            {"results": [{"status": "ok", "result": each} for each in (_second_on_bitcoin, _third_on_bitcoin)]},
        ),
    },
    "addresses.discover": {
        "usual": Example(
            "Addresses that were used before, until 20 in a row were not",
            {"wallet_id": WALLET_ID, "network": "ethereum", "gap": 20, "budget": 1000},
            _begun,
        ),
        "account": Example(
            "Addresses of another account",
            {"wallet_id": WALLET_ID, "network": "ethereum", "scheme": "bip44", "account": 1},
            _begun | _other_account,
        ),
    },
    "addresses.discovery": {
        "usual": Example(
            "A discovery that is done", {"wallet_id": WALLET_ID, "discovery_id": _DISCOVERY["id"]}, _DISCOVERY
        ),
        "running": Example(
            "A discovery that has just begun",
            {"wallet_id": WALLET_ID, "discovery_id": _other_account["id"]},
            _begun | _other_account,
        ),
    },
    "addresses.list": {
        "usual": Example(
            "Addresses that were handed out on Ethereum",
            {"wallet_id": WALLET_ID, "network": "ethereum", "limit": 50},
            {"addresses": [FIRST, SECOND], "next_cursor": None},
        ),
        "own id": Example(
            "The address that has this id of yours",
            {"wallet_id": WALLET_ID, "external_id": "invoice-1042"},
            {"addresses": [_invoice], "next_cursor": None},
        ),
    },
    "addresses.find": {
        "usual": Example("An address of a wallet", {"network": "ethereum", "address": ADDRESS}, {"addresses": [FIRST]}),
        "bitcoin": Example(
            "An address of a wallet on Bitcoin",
            {"network": "bitcoin", "address": BITCOIN_ADDRESS},
            {"addresses": [FIRST_ON_BITCOIN]},
        ),
    },
    "addresses.validate": {
        "usual": Example(
            "A valid address",
            {"network": "ethereum", "address": ADDRESS},
            {"valid": True, "reason": None, "address": ADDRESS, "forms": FIRST["forms"], "kind": None, "details": {}},
        ),
        "bitcoin": Example(
            "A valid address of Bitcoin, and its kind",
            {"network": "bitcoin", "address": BITCOIN_ADDRESS},
            {
                "valid": True,
                "reason": None,
                "address": BITCOIN_ADDRESS,
                "forms": FIRST_ON_BITCOIN["forms"],
                "kind": "p2wpkh",
                "details": {},
            },
        ),
        "mistyped": Example(
            "A mistyped address",
            {"network": "ethereum", "address": ADDRESS.replace("Eda94", "EdA94")},
            {
                "valid": False,
                "reason": "the checksum of the address (EIP-55) is wrong",
                "address": None,
                "forms": {},
                "kind": None,
                "details": {},
            },
        ),
    },
    "accounts.get": {
        "usual": Example(
            "The first account on Ethereum",
            {"wallet_id": WALLET_ID, "network": "ethereum", "account": 0},
            {
                "wallet_id": WALLET_ID,
                "network": "ethereum",
                "scheme": "bip44",
                "account": 0,
                "path": "m/44'/60'/0'",
                "extended_public_key": (
                    "xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7LPXWuNd8TMtVxRrgjtEshuqpK3mdhaWHPFsBngh5GFZaM6si3yZdU"
                    "sT8ddYM3PwnATt"
                ),
                "master_fingerprint": "73c5da0a",
                "slip132": None,
                "descriptor": None,
                "next_index": 2,
            },
        ),
        "bitcoin": Example(
            "The first account on Bitcoin, with its descriptor",
            {"wallet_id": WALLET_ID, "network": "bitcoin", "account": 0},
            {
                "wallet_id": WALLET_ID,
                "network": "bitcoin",
                "scheme": "bip84",
                "account": 0,
                "path": "m/84'/0'/0'",
                "extended_public_key": _BITCOIN_XPUB,
                "master_fingerprint": "73c5da0a",
                "slip132": (
                    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKs"
                    "AYz2oz2AGutZYs"
                ),
                "descriptor": f"wpkh([73c5da0a/84h/0h/0h]{_BITCOIN_XPUB}/<0;1>/*)#qf45pmyh",
                "next_index": 1,
            },
        ),
    },
}
