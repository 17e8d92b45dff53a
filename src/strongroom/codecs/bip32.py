"""BIP-32: paths, extended keys and public derivation. Private derivation is in `strongroom.keys.derivation`."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from btclib_secp256k1 import keys as secp256k1

from strongroom.codecs import base58
from strongroom.codecs.hash160 import hash160
from strongroom.domain.scheme import HARDENED
from strongroom.domain.secret import SecretBytes
from strongroom.domain.wallet import PublicNode
from strongroom.errors import InvalidKey, InvalidPath

MAX_DEPTH: Final = 255
XPUB: Final = 0x0488B21E
XPRV: Final = 0x0488ADE4
TPUB: Final = 0x043587CF
TPRV: Final = 0x04358394

_PUBLIC: Final = frozenset({XPUB, TPUB})
_PRIVATE: Final = frozenset({XPRV, TPRV})
_PATH: Final = re.compile(r"m(?:/(?:0|[1-9][0-9]{0,9})['hH]?){0,255}", re.ASCII)
_MAX_PATH_LENGTH: Final = 1 + 12 * MAX_DEPTH
_NO_PARENT: Final = bytes(4)


@lru_cache(maxsize=1024)
def parse_path(text: str) -> tuple[int, ...]:
    """``m/44'/0`` is (44 + 2^31, 0). ``h`` and ``H`` stand for ``'`` too. Raises InvalidPath."""
    if len(text) > _MAX_PATH_LENGTH or _PATH.fullmatch(text) is None:
        raise InvalidPath("a path is m followed by at most 255 steps such as /0 or /44'", field="path")
    return tuple(_parse_step(step) for step in text.split("/")[1:])


def _parse_step(step: str) -> int:
    digits = step.rstrip("'hH")
    index = int(digits)
    if index >= HARDENED:
        raise InvalidPath("a step of a path is at most 2147483647", field="path")
    return index if digits == step else index + HARDENED


def format_path(indexes: Iterable[int]) -> str:
    steps = (f"/{index - HARDENED}'" if index >= HARDENED else f"/{index}" for index in indexes)
    return "m" + "".join(steps)


def canonical_path(text: str) -> str:
    """The same path with ``'`` for hardened steps. Raises InvalidPath."""
    return format_path(parse_path(text))


def fingerprint(public_key: bytes) -> bytes:
    """First four bytes of HASH160 of the compressed public key."""
    return hash160(public_key)[:4]


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """What an extended key says. ``private_key`` is None in a public one."""

    version: int
    depth: int
    parent_fingerprint: bytes
    child_number: int
    chain_code: bytes = field(repr=False)
    public_key: bytes
    """33 bytes, compressed."""
    private_key: SecretBytes | None = None

    def serialise(self) -> str:
        key = self.public_key if self.private_key is None else b"\0" + self.private_key.reveal()
        return base58.encode_check(
            self.version.to_bytes(4, "big")
            + bytes([self.depth])
            + self.parent_fingerprint
            + self.child_number.to_bytes(4, "big")
            + self.chain_code
            + key
        )


def parse_extended_key(text: str) -> ExtendedKey:
    """xpub, xprv, tpub or tprv. Raises InvalidKey on whatever BIP-32 calls invalid (test vector 5)."""
    try:
        data = base58.decode_check(text)
    except ValueError:
        raise InvalidKey("the extended key is not Base58Check with a correct checksum") from None
    if len(data) != 78:
        raise InvalidKey("an extended key has 78 bytes")
    version, depth, child_number = int.from_bytes(data[:4], "big"), data[4], int.from_bytes(data[9:13], "big")
    parent_fingerprint, chain_code, key = data[5:9], data[13:45], data[45:]
    if depth == 0 and (parent_fingerprint != _NO_PARENT or child_number != 0):
        raise InvalidKey("an extended key of depth 0 has neither a parent nor a child number")
    private_key = None
    if version in _PRIVATE:
        if key[0] != 0 or not secp256k1.prvkey_verify(key[1:]):
            raise InvalidKey("the private key in the extended key is not valid")
        private_key = SecretBytes(key[1:])
        key = secp256k1.pubkey_from_prvkey(private_key.reveal())
    elif version not in _PUBLIC:
        raise InvalidKey("the version of the extended key is not xpub, xprv, tpub or tprv")
    elif not secp256k1.pubkey_verify(key):
        raise InvalidKey("the public key in the extended key is not valid")
    return ExtendedKey(version, depth, parent_fingerprint, child_number, chain_code, key, private_key)


def xpub(node: PublicNode, version: int = XPUB) -> str:
    """The extended public key of a node. Raises InvalidKey where the node has no chain code."""
    indexes = parse_path(node.path)
    child_number = indexes[-1] if indexes else 0
    return ExtendedKey(
        version, len(indexes), node.parent_fingerprint, child_number, _chain_code(node), node.public_key
    ).serialise()


def derive_public(node: PublicNode, path: str) -> PublicNode:
    """The node at ``path``, which is ``node.path`` itself or leads on from it without hardened steps.

    Raises InvalidPath; InvalidKey where the node has no chain code.
    """
    start, indexes = parse_path(node.path), parse_path(path)
    if indexes[: len(start)] != start:
        raise InvalidPath("the path does not lead through the node that it is derived from", field="path")
    public_key, chain_code, parent = node.public_key, _chain_code(node), None
    for index in indexes[len(start) :]:
        parent = public_key
        public_key, chain_code = _child(public_key, chain_code, index)
    parent_fingerprint = node.parent_fingerprint if parent is None else fingerprint(parent)
    return PublicNode(format_path(indexes), public_key, chain_code, parent_fingerprint)


def _child(public_key: bytes, chain_code: bytes, index: int) -> tuple[bytes, bytes]:
    """CKDpub: public key and chain code of a child."""
    if index >= HARDENED:
        raise InvalidPath("a hardened step cannot be derived from a public key", field="path")
    digest = hmac.digest(chain_code, public_key + index.to_bytes(4, "big"), "sha512")
    try:
        return secp256k1.pubkey_tweak_add(public_key, digest[:32]), digest[32:]
    except ValueError:
        raise InvalidPath("there is no key at this path; take the next index", field="path") from None


def _chain_code(node: PublicNode) -> bytes:
    if node.chain_code is None:
        raise InvalidKey("the public key has no chain code")
    return node.chain_code
