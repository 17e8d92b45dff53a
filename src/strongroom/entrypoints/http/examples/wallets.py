"""Examples of the operations on wallets."""

from __future__ import annotations

from typing import Final

from strongroom.entrypoints.http.examples.base import (
    FIRST,
    FIRST_ON_BITCOIN,
    RAW_WALLET,
    RAW_WALLET_ID,
    WALLET,
    WALLET_ID,
    WORDS,
    Example,
    Examples,
    evm_address,
)

_WORDS: Final = "token stand still casual layer behind session open lesson submit govern duck"
_KEY: Final = "0x7d1f0c3a5b9e284613d0f7c8a2b45e6970c3d18e5fa9b24c60718293a4b5c6d7"
"""Both are made up. People try the example, and wallets of well-known words are emptied by others at once."""
_imported: Final = evm_address(
    "0x066C33dab074298F0481382E4ec76bdb9127c497", "03c03377c65c340eadae78d98fed30bf0f123fd82142a802736f03cce64e70aa9e"
)
_of_a_key: Final = evm_address(
    "0xf75c554e6487003d5CE5F184951Be743c673E137",
    "0241bd61b159023754e35c5f689c3c40fcd3b253782f086097bdc26e91bcd5a343",
    wallet_id=RAW_WALLET_ID,
    scheme="raw",
    path="m",
)
_made: Final = WALLET | {"external_id": None, "addresses": [], "backup": None}
_with_its_words: Final = _made | {
    "label": "Cold",
    "addresses": [FIRST_ON_BITCOIN],
    "backup": {"status": "shown", "mnemonic": WORDS},
}
_other: Final = _made | {"id": "0198f3a2-6c1e-7e02-8d71-4b0a9f3c2e58", "master_fingerprint": "b82f965a"}

WALLETS: Final[Examples] = {
    "wallets.create": {
        "usual": Example(
            "A wallet, and its first address on Ethereum",
            {"label": "Deposits", "networks": ["ethereum"]},
            _made | {"addresses": [FIRST]},
        ),
        "own id": Example(
            "A wallet with an id of yours, by which it is found again",
            {"label": "Deposits", "external_id": "customer-1042", "words": 24},
            _made | {"external_id": "customer-1042"},
        ),
        "backup": Example(
            "A wallet whose words are returned, this once",
            {"label": "Cold", "words": 12, "networks": ["bitcoin"], "backup": True},
            _with_its_words,
        ),
    },
    "wallets.create_batch": {
        "usual": Example(
            "Wallets that differ, each with a name of yours for it",
            {"items": [{"ref": "1042", "label": "Deposits", "networks": ["ethereum"]}]},
            {"results": [{"ref": "1042", "status": "ok", "result": _made | {"addresses": [FIRST]}}]},
        ),
        "alike": Example(
            "Two wallets that are alike",
            {"count": 2, "label": "Deposits"},
            {"results": [{"status": "ok", "result": _made}, {"status": "ok", "result": _other}]},
        ),
    },
    "wallets.import": {
        "usual": Example(
            "A mnemonic",
            {"kind": "bip39", "mnemonic": _WORDS, "label": "Deposits", "networks": ["ethereum"]},
            _made | {"master_fingerprint": "70793c7d", "addresses": [_imported]},
        ),
        "private key": Example(
            "A private key",
            {
                "kind": "raw_key",
                "keyspace": "evm",
                "format": "hex",
                "key": _KEY,
                "label": "Hot",
                "networks": ["ethereum"],
            },
            RAW_WALLET | {"addresses": [_of_a_key], "backup": None},
        ),
    },
    "wallets.list": {
        "usual": Example(
            "Active wallets, a page of up to 50",
            {"state": "active", "limit": 50},
            {"wallets": [WALLET, RAW_WALLET], "next_cursor": None},
        ),
        "own id": Example(
            "The wallet that has this id of yours",
            {"external_id": "customer-1042"},
            {"wallets": [WALLET], "next_cursor": None},
        ),
    },
    "wallets.get": {
        "usual": Example("A wallet with a mnemonic", {"wallet_id": WALLET_ID}, WALLET),
        "private key": Example("A wallet of one imported key", {"wallet_id": RAW_WALLET_ID}, RAW_WALLET),
    },
    "wallets.update": {
        "usual": Example("Another label", {"wallet_id": WALLET_ID, "label": "Deposits"}, WALLET),
        "no label": Example("No label", {"wallet_id": WALLET_ID, "label": ""}, WALLET | {"label": None}),
    },
    "wallets.limit": {
        "usual": Example(
            "At most ten signatures a minute",
            {"wallet_id": WALLET_ID, "rates": {"sign": "10/minute"}},
            WALLET | {"rates": {"sign": "10/minute"}},
        ),
        "as configured": Example(
            "No rates of its own: the configured ones apply again", {"wallet_id": WALLET_ID, "rates": {}}, WALLET
        ),
    },
    "wallets.archive": {
        "usual": Example("A wallet with a mnemonic", {"wallet_id": WALLET_ID}, WALLET | {"state": "archived"}),
        "private key": Example(
            "A wallet of one imported key", {"wallet_id": RAW_WALLET_ID}, RAW_WALLET | {"state": "archived"}
        ),
    },
    "wallets.unarchive": {
        "usual": Example("A wallet with a mnemonic", {"wallet_id": WALLET_ID}, WALLET),
        "private key": Example("A wallet of one imported key", {"wallet_id": RAW_WALLET_ID}, RAW_WALLET),
    },
}
