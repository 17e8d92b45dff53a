"""Exports of an account for other wallets, as extended keys (BIP-32, SLIP-0132) and output descriptors (BIP-380)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from strongroom.chains.base import AccountKeys
from strongroom.chains.bitcoin.networks import MAIN, TEST
from strongroom.chains.bitcoin.schemes import BIP44, BIP48, BIP48_NESTED, BIP49, BIP84, BIP86
from strongroom.codecs import bech32, bip32
from strongroom.domain.network import Network
from strongroom.domain.scheme import Scheme
from strongroom.domain.wallet import PublicNode

VERSIONS: Final = {MAIN: bip32.XPUB, TEST: bip32.TPUB}
"""The version bytes of plain extended public keys, by keyspace."""
_SLIP132: Final = {
    (MAIN, BIP49): 0x049D7CB2,  # ypub
    (MAIN, BIP84): 0x04B24746,  # zpub
    (MAIN, BIP48): 0x02AA7ED3,  # Zpub
    (MAIN, BIP48_NESTED): 0x0295B43F,  # Ypub
    (TEST, BIP49): 0x044A5262,  # upub
    (TEST, BIP84): 0x045F1CF6,  # vpub
    (TEST, BIP48): 0x02575483,  # Vpub
    (TEST, BIP48_NESTED): 0x024289EF,  # Upub
}
"""The version bytes of SLIP-0132. The other schemes have none of their own."""
_DESCRIPTORS: Final = {
    BIP44: "pkh({})",
    BIP49: "sh(wpkh({}))",
    BIP84: "wpkh({})",
    BIP86: "tr({})",
}
"""Descriptors by BIP-381, 382 and 386. A cosigner's key alone makes no descriptor."""
_CHARSET: Final = "0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
_CHECKSUM: Final = 8
_GENERATOR: Final = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def account_keys(network: Network, scheme: Scheme, node: PublicNode, master_fingerprint: str | None) -> AccountKeys:
    """Raises InvalidKey if the node has no chain code."""
    xpub = bip32.xpub(node, VERSIONS[network.keyspace])
    version = _SLIP132.get((network.keyspace, scheme.name))
    form = _DESCRIPTORS.get(scheme.name)
    descriptor = None
    if form is not None and master_fingerprint is not None:
        origin = master_fingerprint + node.path.removeprefix("m").replace("'", "h")
        descriptor = with_checksum(form.format(f"[{origin}]{xpub}/<0;1>/*"))  # BIP-389: receiving and change
    return AccountKeys(xpub, None if version is None else bip32.xpub(node, version), descriptor)


def with_checksum(descriptor: str) -> str:
    return f"{descriptor}#{checksum(descriptor)}"


def checksum(descriptor: str) -> str:
    """The checksum of BIP-380. Raises ValueError on a character that descriptors do not have."""
    state = 1
    for symbol in (*_symbols(descriptor), *bytes(_CHECKSUM)):
        top = state >> 35
        state = (state & 0x7FFFFFFFF) << 5 ^ symbol
        for i, term in enumerate(_GENERATOR):
            if top >> i & 1:
                state ^= term
    state ^= 1
    return "".join(bech32.ALPHABET[state >> 5 * (_CHECKSUM - 1 - i) & 31] for i in range(_CHECKSUM))


def _symbols(descriptor: str) -> Iterator[int]:
    """The low five bits of each character, and after every third one the groups (high bits) of the three."""
    groups = 0
    for at, sign in enumerate(descriptor, 1):
        value = _CHARSET.index(sign)
        yield value & 31
        groups = groups * 3 + (value >> 5)
        if at % 3 == 0:
            yield groups
            groups = 0
    if len(descriptor) % 3:
        yield groups
