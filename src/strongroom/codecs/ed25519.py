"""Ed25519 (RFC 8032, section 5.1): which 32 bytes are a public key at all, and what its key has signed."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def is_on_curve(encoded: bytes) -> bool:
    """Whether 32 bytes decompress to a point, as curve25519-dalek does it: y is taken modulo p.

    x^2 = (y^2 - 1) / (d y^2 + 1). The product is a square exactly if the quotient is one, and needs no inversion.
    """
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    square = y * y % _P
    product = (square - 1) * (_D * square + 1) % _P
    return product == 0 or pow(product, (_P - 1) // 2, _P) == 1


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """False, too, on bytes that are no key or no signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
