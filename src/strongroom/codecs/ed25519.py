"""Ed25519 (RFC 8032, section 5.1), to verify signatures and to tell which 32 bytes are a point on the curve."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def is_on_curve(encoded: bytes) -> bool:
    """Whether 32 bytes decompress to a point. Like curve25519-dalek, and so Solana, this reduces y modulo p.

    x^2 = (y^2 - 1) / (d y^2 + 1). The product of the two is a square if and only if the quotient is, and it needs no
    inversion.
    """
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    square = y * y % _P
    product = (square - 1) * (_D * square + 1) % _P
    return product == 0 or pow(product, (_P - 1) // 2, _P) == 1


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is valid. Bytes that are no key or no signature give False too."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
