"""The derivation paths of Tron wallets. All Tron networks use coin type 195 of SLIP-0044."""

from __future__ import annotations

from typing import Final

from strongroom.domain.scheme import Curve, Scheme
from strongroom.domain.wallet import WalletKind

BIP44: Final = Scheme(
    "bip44", "m/44'/195'/{account}'/{change}/{index}", Curve.SECP256K1, "BIP-44: TronWeb, Trust, Trezor"
)
TRONLINK: Final = Scheme(
    "tronlink", "m/44'/195'/{index}'/0/0", Curve.SECP256K1, "TronLink and Ledger Live: one account per key"
)
RAW: Final = Scheme("raw", "m", Curve.SECP256K1, "A single imported private key", frozenset({WalletKind.RAW_KEY}))

SCHEMES: Final = {scheme.name: scheme for scheme in (BIP44, TRONLINK, RAW)}
DEFAULTS: Final = {WalletKind.BIP39: BIP44, WalletKind.RAW_KEY: RAW}
