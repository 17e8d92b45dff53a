"""Paths, extended keys and public derivation of BIP-32. Private derivation is in `strongroom.keys.derivation`."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable
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
    """The steps of a path. ``m/44'/0`` is (44 + 2^31, 0), and ``h`` or ``H`` may replace ``'``. Raises InvalidPath."""
    if len(text) > _MAX_PATH_LENGTH or _PATH.fullmatch(text) is None:
        raise InvalidPath("a path must be m followed by at most 255 steps such as /0 or /44'", field="path")
    return tuple(_parse_step(step) for step in text.split("/")[1:])


def _parse_step(step: str) -> int:
    digits = step.rstrip("'hH")
    index = int(digits)
    if index >= HARDENED:
        raise InvalidPath("a step of a path must be at most 2147483647", field="path")
    return index if digits == step else index + HARDENED


def format_path(indexes: Iterable[int]) -> str:
    steps = (f"/{index - HARDENED}'" if index >= HARDENED else f"/{index}" for index in indexes)
    return "m" + "".join(steps)


def canonical_path(text: str) -> str:
    """The same path with ``'`` for hardened steps. Raises InvalidPath."""
    return format_path(parse_path(text))


def fingerprint(public_key: bytes) -> bytes:
    """The first four bytes of HASH160 of the compressed public key."""
    return hash160(public_key)[:4]


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """The content of an extended key. ``private_key`` is None if it is a public one."""

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
    """Read an xpub, xprv, tpub or tprv. Raises InvalidKey on everything that BIP-32 calls invalid (test vector 5)."""
    try:
        data = base58.decode_check(text)
    except ValueError:
        raise InvalidKey("the extended key must be Base58Check with a correct checksum") from None
    if len(data) != 78:
        raise InvalidKey("an extended key must have 78 bytes")
    version, depth, child_number = int.from_bytes(data[:4], "big"), data[4], int.from_bytes(data[9:13], "big")
    parent_fingerprint, chain_code, key = data[5:9], data[13:45], data[45:]
    if depth == 0 and (parent_fingerprint != _NO_PARENT or child_number != 0):
        raise InvalidKey("an extended key of depth 0 must have no parent and no child number")
    private_key = None
    if version in _PRIVATE:
        if key[0] != 0 or not secp256k1.prvkey_verify(key[1:]):
            raise InvalidKey("the private key in the extended key is not valid")
        private_key = SecretBytes(key[1:])
        key = secp256k1.pubkey_from_prvkey(private_key.reveal())
    elif version not in _PUBLIC:
        raise InvalidKey("the extended key must be an xpub, xprv, tpub or tprv")
    elif not secp256k1.pubkey_verify(key):
        raise InvalidKey("the public key in the extended key is not valid")
    return ExtendedKey(version, depth, parent_fingerprint, child_number, chain_code, key, private_key)


def xpub(node: PublicNode, version: int = XPUB) -> str:
    """The extended public key of a node. Raises InvalidKey if the node has no chain code."""
    indexes = parse_path(node.path)
    child_number = indexes[-1] if indexes else 0
    return ExtendedKey(
        version, len(indexes), node.parent_fingerprint, child_number, _chain_code(node), node.public_key
    ).serialise()


def derive_public(node: PublicNode, path: str) -> PublicNode:
    """The node at ``path``, which is ``node.path`` or continues it without hardened steps.

    Raises InvalidPath, and InvalidKey if the node has no chain code.
    """
    start, indexes = parse_path(node.path), parse_path(path)
    if indexes[: len(start)] != start:
        raise InvalidPath("the path does not lead through the node that it is derived from", field="path")
    steps = indexes[len(start) :]
    if not steps:
        return PublicNode(format_path(indexes), node.public_key, _chain_code(node), node.parent_fingerprint)
    parent = _parent(node.public_key, _chain_code(node), steps[:-1])
    public_key, chain_code = _child(parent.public_key, parent.chain_code, steps[-1])
    return PublicNode(format_path(indexes), public_key, chain_code, parent.fingerprint)


def children_of(node: PublicNode, path: str) -> Callable[[int], bytes]:
    """A function that derives the public key of a child of the node at ``path`` from the child's index.

    The node at ``path`` is derived once for all of its children. Raises as `derive_public`, and so does the function.
    """
    parent = derive_public(node, path)
    chain_code = _chain_code(parent)
    return lambda index: _child(parent.public_key, chain_code, index)[0]


@dataclass(frozen=True, slots=True)
class _Parent:
    public_key: bytes
    chain_code: bytes = field(repr=False)
    fingerprint: bytes


@lru_cache(maxsize=1024)
def _parent(public_key: bytes, chain_code: bytes, steps: tuple[int, ...]) -> _Parent:
    """The parent of an account's addresses. It is cached because it is most of the work for each of them."""
    for index in steps:
        public_key, chain_code = _child(public_key, chain_code, index)
    return _Parent(public_key, chain_code, fingerprint(public_key))


def _child(public_key: bytes, chain_code: bytes, index: int) -> tuple[bytes, bytes]:
    """CKDpub of BIP-32. Returns the public key and the chain code of the child."""
    if index >= HARDENED:
        raise InvalidPath("a hardened step cannot be derived from a public key", field="path")
    digest = hmac.digest(chain_code, public_key + index.to_bytes(4, "big"), "sha512")
    try:
        return secp256k1.pubkey_tweak_add(public_key, digest[:32]), digest[32:]
    except ValueError:
        raise InvalidPath("there is no key at this path: use the next index", field="path") from None


def _chain_code(node: PublicNode) -> bytes:
    if node.chain_code is None:
        raise InvalidKey("the public key has no chain code")
    return node.chain_code
