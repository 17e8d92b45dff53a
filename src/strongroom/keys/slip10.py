"""SLIP-0010 derivation on ed25519, where every step is hardened."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.domain.scheme import HARDENED
from strongroom.domain.secret import SecretBytes
from strongroom.errors import InvalidPath
from strongroom.keys.derivation import PrivateNode, hardened_data


def derive(seed: bytes | bytearray, indexes: Sequence[int]) -> PrivateNode:
    """The node at the path ``indexes``. Raises InvalidPath if a step is not hardened."""
    if any(index < HARDENED for index in indexes):
        raise InvalidPath("every step of an ed25519 path must be hardened", field="path")
    node = _node(hmac.digest(b"ed25519 seed", seed, "sha512"))
    for index in indexes:
        with node as parent, hardened_data(parent, index) as data:
            node = _node(hmac.digest(parent.chain_code.reveal(), data.reveal(), "sha512"))
    return node


def public_key(node: PrivateNode) -> bytes:
    """The public key, 32 bytes, without the zero byte that SLIP-0010's test vectors put before it."""
    return Ed25519PrivateKey.from_private_bytes(node.key.reveal()).public_key().public_bytes_raw()


def _node(digest: bytes) -> PrivateNode:
    return PrivateNode(SecretBytes(digest[:32]), SecretBytes(digest[32:]))
