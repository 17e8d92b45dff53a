"""Which 32 bytes are a point, compared with the textbook formula and with solders (curve25519-dalek)."""

from __future__ import annotations

from random import Random

import pytest
from solders.pubkey import Pubkey

from strongroom.codecs.ed25519 import is_on_curve

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def has_root(encoded: bytes) -> bool:
    """RFC 8032, section 5.1.3, with the division written out."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    quotient = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(quotient, (P + 3) // 8, P)
    return root * root % P in (quotient, -quotient % P)


@pytest.mark.parametrize("seed", range(4))
def test_points_and_what_is_none(seed: int) -> None:
    random = Random(seed)
    keys = [random.randbytes(32) for _ in range(500)]
    edges = [0, 1, 2, P - 1, P, P + 1, 2**255 - 1, 2**255, 2**255 + 1, 2**255 + P - 1, 2**256 - 1]
    keys += [number.to_bytes(32, "little") for number in edges]
    found = list(map(is_on_curve, keys))
    assert found == list(map(has_root, keys))
    assert found == [Pubkey(key).is_on_curve() for key in keys]
    assert 200 < sum(found[:500]) < 300
