"""Where wallets keep their Bitcoin keys (coin type 0 of SLIP-0044, 1 on every test network), and their scripts."""

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
    """BIP-86: the key alone spends it."""
    return script.p2tr(output_key(public_key))


@lru_cache(maxsize=8192)
def output_key(public_key: bytes, root: bytes = b"") -> bytes:
    """The x-only output key of an internal key (BIP-341), x-only or compressed. ``root``: of its scripts, if any.

    Raises ValueError where it is no point.
    """
    internal = public_key[-32:]
    tweaked, _ = xonly.tweak_add(internal, tagged_hash("TapTweak", internal + root))
    return tweaked


def script_of(scheme: Scheme, public_key: bytes) -> bytes:
    """The output script that pays a key of ``scheme``.

    Raises UnknownScheme where the key is one of several in scripts that only its other holders can complete.
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
        hd(BIP86, 86, "P2TR, the key alone: Ledger, Trezor, Sparrow, Trust"),
        hd(BIP49, 49, "P2WPKH in P2SH: older accounts of Ledger and Trezor"),
        hd(BIP44, 44, "P2PKH: accounts from before segregated witness"),
        hd(BIP48, 48, "A cosigner's keys of P2WSH multisig: Sparrow, Specter, Coldcard", "/2'", shared=True),
        hd(
            BIP48_NESTED,
            48,
            "A cosigner's keys of multisig in P2SH-P2WSH: Sparrow, Electrum, Coldcard",
            "/1'",
            shared=True,
        ),
        legacy(BIP45, "m/45'/{change}/{index}", "A cosigner's keys of P2SH multisig: Sparrow, Electrum, Coldcard"),
        legacy(
            BIP45_COSIGNER,
            "m/45'/{account}/{change}/{index}",
            "A cosigner's keys of P2SH multisig as BIP-45 has them: account is the cosigner's index",
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
"""Names of the schemes, the same in both keyspaces."""
