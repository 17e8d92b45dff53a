from __future__ import annotations

import random

import coincurve
import pytest
from bip_utils import Bip32Slip10Ed25519, Bip32Slip10Secp256k1

from strongroom.codecs.bip32 import format_path
from strongroom.domain.scheme import HARDENED
from strongroom.errors import InvalidPath
from strongroom.keys import derivation, slip10


def test_secp256k1_against_a_second_implementation() -> None:
    rng = random.Random(10)
    for _ in range(60):
        seed = rng.randbytes(rng.choice([16, 32, 64]))
        indexes = [rng.randrange(2**32) for _ in range(rng.randrange(6))]
        oracle = Bip32Slip10Secp256k1.FromSeedAndPath(seed, format_path(indexes))
        with derivation.derive(seed, indexes) as node:
            assert node.key.reveal() == oracle.PrivateKey().Raw().ToBytes()
            assert node.chain_code.reveal() == oracle.ChainCode().ToBytes()
            assert derivation.public_key(node) == coincurve.PrivateKey(bytes(node.key.reveal())).public_key.format()


def test_ed25519_against_a_second_implementation() -> None:
    rng = random.Random(11)
    for _ in range(60):
        seed = rng.randbytes(rng.choice([16, 32, 64]))
        indexes = [rng.randrange(HARDENED, 2**32) for _ in range(rng.randrange(6))]
        oracle = Bip32Slip10Ed25519.FromSeedAndPath(seed, format_path(indexes))
        with slip10.derive(seed, indexes) as node:
            assert node.key.reveal() == oracle.PrivateKey().Raw().ToBytes()
            assert node.chain_code.reveal() == oracle.ChainCode().ToBytes()
            assert b"\0" + slip10.public_key(node) == oracle.PublicKey().RawCompressed().ToBytes()


def test_a_leading_zero_is_kept() -> None:
    # BIP-32, test vector 3
    seed = bytes.fromhex(
        "4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4ac"
        "ba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be"
    )
    assert derivation.derive(seed, []).key.reveal().hex().startswith("00ddb80b067e0d4993197fe10f2657a8")


@pytest.mark.parametrize("indexes", [[0], [HARDENED + 44, 501], [HARDENED - 1, HARDENED]])
def test_ed25519_refuses_a_step_that_is_not_hardened(indexes: list[int]) -> None:
    with pytest.raises(InvalidPath):
        slip10.derive(bytes(16), indexes)


def test_a_node_is_wiped() -> None:
    with derivation.derive(bytes(16), [0]) as node:
        key = node.key.reveal()
        assert any(key)
    assert not any(key)
    assert not any(node.chain_code.reveal())
    assert node.key.reveal().hex() not in repr(node)
