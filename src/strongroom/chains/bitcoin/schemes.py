"""The derivation paths of Bitcoin wallets and their scripts.

The coin type of SLIP-0044 is 0, or 1 on all test networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from btclib_secp256k1 import xonly

from strongroom.chains.bitcoin import script
from strongroom.chains.bitcoin.networks import MAIN, TEST
from strongroom.codecs.hash160 import hash160
from strongroom.codecs.hash256 import tagged_hash
from strongroom.domain.scheme import Curve, Scheme
from strongroom.domain.wallet import WalletKind
from strongroom.errors import UnknownScheme

BIP44: Final = "bip44"
BIP45: Final = "bip45"
BIP45_COSIGNER: Final = "bip45-cosigner"
BIP48: Final = "bip48"
BIP48_NESTED: Final = "bip48-p2sh-p2wsh"
BIP49: Final = "bip49"
BIP84: Final = "bip84"
BIP86: Final = "bip86"
RAW_P2PKH: Final = "raw-p2pkh"
RAW_P2SH_P2WPKH: Final = "raw-p2sh-p2wpkh"
RAW_P2TR: Final = "raw-p2tr"
RAW_P2WPKH: Final = "raw-p2wpkh"

_COIN_TYPES: Final = {MAIN: 0, TEST: 1}
_RAW: Final = frozenset({WalletKind.RAW_KEY})


def p2pkh(public_key: bytes) -> bytes:
    return script.p2pkh(hash160(public_key))


def p2wpkh(public_key: bytes) -> bytes:
    return script.p2wpkh(hash160(public_key))


def p2sh_p2wpkh(public_key: bytes) -> bytes:
    return script.p2sh(hash160(p2wpkh(public_key)))


def p2tr(public_key: bytes) -> bytes:
    """The script that only the key spends (BIP-86)."""
    return script.p2tr(output_key(public_key))


@lru_cache(maxsize=8192)
def output_key(public_key: bytes, root: bytes = b"") -> bytes:
    """The x-only output key of an x-only or compressed internal key (BIP-341), tweaked with the root of its scripts.

    Raises ValueError if the key is not a point on the curve.
    """
    internal = public_key[-32:]
    tweaked, _ = xonly.tweak_add(internal, tagged_hash("TapTweak", internal + root))
    return tweaked


def script_of(scheme: Scheme, public_key: bytes) -> bytes:
    """The output script of a key of ``scheme``.

    Raises UnknownScheme if the scheme is a shared one, whose scripts need the keys of other wallets.
    """
    make = _SCRIPTS.get(scheme.name)
    if make is None:
        raise UnknownScheme("a cosigner's key has no address of its own", field="scheme")
    return make(public_key)


def _of(keyspace: str) -> dict[str, Scheme]:
    coin = _COIN_TYPES[keyspace]

    def hd(name: str, purpose: int, description: str, script_type: str = "", *, shared: bool = False) -> Scheme:
        template = f"m/{purpose}'/{coin}'/{{account}}'{script_type}/{{change}}/{{index}}"
        return Scheme(name, template, Curve.SECP256K1, description, shared=shared)

    def legacy(name: str, template: str, description: str) -> Scheme:
        return Scheme(name, template, Curve.SECP256K1, description, shared=True)

    def raw(name: str, description: str) -> Scheme:
        return Scheme(name, "m", Curve.SECP256K1, f"A single imported private key, {description}", _RAW)

    schemes = (
        hd(BIP84, 84, "P2WPKH, addresses in Bech32: Sparrow, Electrum, Ledger, Trezor, Trust"),
        hd(BIP86, 86, "P2TR, key path only: Ledger, Trezor, Sparrow, Trust"),
        hd(BIP49, 49, "P2WPKH in P2SH: older accounts of Ledger and Trezor"),
        hd(BIP44, 44, "P2PKH: accounts from before segregated witness"),
        hd(BIP48, 48, "A cosigner's keys for P2WSH multisig: Sparrow, Specter, Coldcard", "/2'", shared=True),
        hd(
            BIP48_NESTED,
            48,
            "A cosigner's keys for P2SH-P2WSH multisig: Sparrow, Electrum, Coldcard",
            "/1'",
            shared=True,
        ),
        legacy(BIP45, "m/45'/{change}/{index}", "A cosigner's keys for P2SH multisig: Sparrow, Electrum, Coldcard"),
        legacy(
            BIP45_COSIGNER,
            "m/45'/{account}/{change}/{index}",
            "A cosigner's keys for P2SH multisig after BIP-45: account is the cosigner's index",
        ),
        raw(RAW_P2WPKH, "P2WPKH"),
        raw(RAW_P2TR, "P2TR"),
        raw(RAW_P2SH_P2WPKH, "P2WPKH in P2SH"),
        raw(RAW_P2PKH, "P2PKH"),
    )
    return {scheme.name: scheme for scheme in schemes}


_SCRIPTS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    BIP84: p2wpkh,
    BIP86: p2tr,
    BIP49: p2sh_p2wpkh,
    BIP44: p2pkh,
    RAW_P2WPKH: p2wpkh,
    RAW_P2TR: p2tr,
    RAW_P2SH_P2WPKH: p2sh_p2wpkh,
    RAW_P2PKH: p2pkh,
}

SCHEMES: Final = {keyspace: _of(keyspace) for keyspace in _COIN_TYPES}
DEFAULTS: Final = {WalletKind.BIP39: BIP84, WalletKind.RAW_KEY: RAW_P2WPKH}
"""Names of the default schemes, the same in both keyspaces."""
