"""The derivation paths of Solana wallets (coin type 501 of SLIP-0044). By SLIP-0010 every step is hardened."""

from __future__ import annotations

from typing import Final

from strongroom.domain.scheme import Curve, Scheme
from strongroom.domain.wallet import WalletKind

PHANTOM: Final = Scheme(
    "phantom", "m/44'/501'/{index}'/0'", Curve.ED25519, "Phantom, Solflare, Backpack, Ledger, Trezor"
)
TRUST: Final = Scheme("trust", "m/44'/501'/{index}'", Curve.ED25519, "Trust Wallet, older Ledger applications")
LEGACY: Final = Scheme("legacy", "m/44'/501'", Curve.ED25519, "One key per wallet: the oldest command-line tools")
SEED: Final = Scheme("seed", "m", Curve.ED25519, "solana-keygen without a path: the first 32 bytes of the BIP-39 seed")
RAW: Final = Scheme("raw", "m", Curve.ED25519, "A single imported private key", frozenset({WalletKind.RAW_KEY}))

SCHEMES: Final = {scheme.name: scheme for scheme in (PHANTOM, TRUST, LEGACY, SEED, RAW)}
DEFAULTS: Final = {WalletKind.BIP39: PHANTOM, WalletKind.RAW_KEY: RAW}
