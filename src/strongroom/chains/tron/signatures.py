"""Tron's signatures, r ‖ s ‖ v. Nodes accept v as 27 and 28 or as 0 and 1."""

from __future__ import annotations

from typing import Final

from btclib_secp256k1 import recovery

from strongroom.chains.evm import signatures as ecdsa
from strongroom.chains.tron import addresses

LENGTH: Final = 65


def made(digest: bytes, signature: bytes, public_key: bytes) -> bytes:
    """r ‖ s ‖ v with v 27 or 28, from a signer's r ‖ s ‖ recovery id.

    Raises InternalError unless ``public_key`` made the signature.
    """
    compact, y_parity = ecdsa.verified(digest, signature, public_key)
    return compact + bytes((27 + y_parity,))


def signer(digest: bytes, signature: bytes) -> bytes | None:
    """The address that made a signature of a transaction, or None. Like nodes, this accepts high and low s."""
    if len(signature) != LENGTH or signature[64] not in (0, 1, 27, 28):
        return None
    try:
        return addresses.from_public_key(recovery.recover(digest, signature[:64], signature[64] % 27))
    except ValueError:
        return None
