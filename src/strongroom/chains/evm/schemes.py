"""The derivation paths of EVM wallets. All EVM networks use coin type 60 of SLIP-0044."""

from __future__ import annotations

from typing import Final

from strongroom.domain.scheme import Curve, Scheme
from strongroom.domain.wallet import WalletKind

BIP44: Final = Scheme(
    "bip44", "m/44'/60'/{account}'/{change}/{index}", Curve.SECP256K1, "BIP-44: MetaMask, Trezor, Trust, Rabby, Foundry"
)
LEDGER_LIVE: Final = Scheme(
    "ledger-live", "m/44'/60'/{index}'/0/0", Curve.SECP256K1, "Ledger Live: one account per key"
)
LEDGER_LEGACY: Final = Scheme(
    "ledger-legacy", "m/44'/60'/{account}'/{index}", Curve.SECP256K1, "Older Ledger applications and MyEtherWallet"
)
RAW: Final = Scheme("raw", "m", Curve.SECP256K1, "A single imported private key", frozenset({WalletKind.RAW_KEY}))

SCHEMES: Final = {scheme.name: scheme for scheme in (BIP44, LEDGER_LIVE, LEDGER_LEGACY, RAW)}
DEFAULTS: Final = {WalletKind.BIP39: BIP44, WalletKind.RAW_KEY: RAW}
