"""The form of examples, and values that several of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Json = dict[str, Any]


class Example(NamedTuple):
    summary: str
    command: Json
    result: Json


Examples = Mapping[str, Mapping[str, Example]]
"""By operation and by name. The first one of an operation is called `usual`, and the documentation page shows it."""

WORDS: Final = " ".join(["abandon"] * 11 + ["about"])
WALLET_ID: Final = "0198f3a2-6c1e-7d40-9b55-2f6f1c0a7e31"
RAW_WALLET_ID: Final = "0198f3a2-8f02-7c13-a0d4-6e1b9c2f5a77"
CREATED: Final = "2026-03-02T09:30:15Z"
ADDRESS: Final = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
BITCOIN_ADDRESS: Final = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
SOLANA_ADDRESS: Final = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"
TRON_ADDRESS: Final = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH"
PAYEE: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
USDC: Final = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
TX_ID: Final = "0x33414be05145678546aed0dba26e1995c91f11b9ea52a34121bddfc3abf6f686"
SIGNED_TX: Final = (
    "0x02f8730109843b9aca008504a817c8008252089470997970c51812dc3a010c7d01b50e0d17dc79c8880de0b6b3a7640000"
    "80c080a01eb78dc88f8839bd325b6066a42bb814e3387407269d4937e4e071aab7c65917a03df41ea1dab14f99059d31837a"
    "c1b6cc36a5f7ffa4e54c6354cb54e93d5f3003"
)
SOLANA_TX_ID: Final = "2AnBfUaLPrndFDagxq3xT9gPowJkPvDJh3kPPVH8T38xwzjjPZDYmfz5DuUcC9USPRjWStXoTf2iYhWakRNasgPK"
SOLANA_SIGNED_TX: Final = (
    "ATpzN2oa7dSgSGLMR/ZRzsgM5EON3YUQ6d2VelkHuDugdiLUi45d1vlKyX1tK1KNHqmmdxHmCymC8+TBwFVoiwoBAAED8DYnYkanW53jNJ7UKxXi"
    "MvZRj8IPX81PHWToH5vSWPcL8yufDbCWcgOP6jYTmxj5il8BSe9M4DMuRLmnfoPCLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXRF9"
    "dXCOv8Xr+c8K1rVAHmsTlCzWsB4hWpPm2Zlgs3MBAgIAAQwCAAAAQEIPAAAAAAA="
)

WALLET: Final[Json] = {
    "id": WALLET_ID,
    "kind": "bip39",
    "label": "Deposits",
    "external_id": "customer-1042",
    "state": "active",
    "keyspace": None,
    "master_fingerprint": "73c5da0a",
    "created_at": CREATED,
    "rates": {},
}
RAW_WALLET: Final[Json] = {
    "id": RAW_WALLET_ID,
    "kind": "raw_key",
    "label": "Hot",
    "external_id": None,
    "state": "active",
    "keyspace": "evm",
    "master_fingerprint": None,
    "created_at": CREATED,
    "rates": {},
}
FIRST: Final[Json] = {
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
FIRST_ON_BITCOIN: Final[Json] = FIRST | {
    "network": "bitcoin",
    "address": BITCOIN_ADDRESS,
    "forms": {"address": BITCOIN_ADDRESS, "script_pubkey": "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"},
    "scheme": "bip84",
    "path": "m/84'/0'/0'/0/0",
    "public_key": "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c",
}


def evm_address(address: str, public_key: str, **more: Any) -> Json:
    """An address of the wallet on Ethereum."""
    forms = {"address": address, "lowercase": address.lower()}
    return FIRST | {"address": address, "forms": forms, "public_key": public_key} | more


SECOND: Final = evm_address(
    "0x6Fac4D18c912343BF86fa7049364Dd4E424Ab9C0",
    "039fd0991d0222b4e1339c1a1a5b5f6d9f6a96672a3247b638ee6156d9ea877a2f",
    index=1,
    path="m/44'/60'/0'/0/1",
)
