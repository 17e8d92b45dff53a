"""Points of the edwards25519 curve (RFC 8032, section 5.1): which 32 bytes are a public key at all."""

from __future__ import annotations

from typing import Final

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
