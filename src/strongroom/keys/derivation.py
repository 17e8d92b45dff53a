"""BIP-32 private derivation on secp256k1. SLIP-0010 is identical on this curve."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from btclib_secp256k1 import keys as secp256k1

from strongroom.domain.scheme import HARDENED
from strongroom.domain.secret import SecretBytes
from strongroom.errors import InvalidKey, InvalidPath


@dataclass(frozen=True, slots=True)
class PrivateNode:
    """A private key with its chain code. The code that derives a node wipes it."""

    key: SecretBytes
    chain_code: SecretBytes

    def wipe(self) -> None:
        self.key.wipe()
        self.chain_code.wipe()

    def __enter__(self) -> PrivateNode:
        return self

    def __exit__(self, *_: object) -> None:
        self.wipe()


def derive(seed: bytes | bytearray, indexes: Sequence[int]) -> PrivateNode:
    """The node at the path ``indexes``.

    Raises InvalidKey or InvalidPath if BIP-32 defines no key there, which has a chance below 2^-127.
    """
    node = _master(seed)
    for index in indexes:
        with node as parent:
            node = _child(parent, index)
    return node


def public_key(node: PrivateNode) -> bytes:
    """The compressed public key, 33 bytes."""
    return secp256k1.pubkey_from_prvkey(node.key.reveal())


def hardened_data(parent: PrivateNode, index: int) -> SecretBytes:
    """The data that BIP-32 hashes for a hardened child: zero byte ‖ private key ‖ index."""
    data = SecretBytes(bytes(37))
    data.reveal()[1:33] = parent.key.reveal()
    data.reveal()[33:] = index.to_bytes(4, "big")
    return data


def _normal_data(parent: PrivateNode, index: int) -> SecretBytes:
    return SecretBytes(public_key(parent) + index.to_bytes(4, "big"))


def _master(seed: bytes | bytearray) -> PrivateNode:
    digest = hmac.digest(b"Bitcoin seed", seed, "sha512")
    if not secp256k1.prvkey_verify(digest[:32]):
        raise InvalidKey("the seed has no valid master key")
    return PrivateNode(SecretBytes(digest[:32]), SecretBytes(digest[32:]))


def _child(parent: PrivateNode, index: int) -> PrivateNode:
    """CKDpriv of BIP-32."""
    with hardened_data(parent, index) if index >= HARDENED else _normal_data(parent, index) as data:
        digest = hmac.digest(parent.chain_code.reveal(), data.reveal(), "sha512")
    key = SecretBytes(bytes(32))
    try:
        secp256k1.prvkey_tweak_add(parent.key.reveal(), digest[:32], into=key.reveal())
    except ValueError:
        raise InvalidPath("there is no key at this path: use the next index", field="path") from None
    return PrivateNode(key, SecretBytes(digest[32:]))
