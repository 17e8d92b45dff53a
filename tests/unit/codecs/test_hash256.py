from __future__ import annotations

from hashlib import sha256

from strongroom.codecs.hash256 import hash256, tagged_hash

GENESIS = (
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


def test_the_hash_of_the_first_block() -> None:
    found = hash256(bytes.fromhex(GENESIS))[::-1].hex()
    assert found == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"


def test_a_tagged_hash() -> None:
    # BIP-340, "Design": SHA256(SHA256(tag) || SHA256(tag) || x)
    tag = sha256(b"BIP0340/challenge").digest()
    for data in (b"", b"x" * 100):
        assert tagged_hash("BIP0340/challenge", data) == sha256(tag + tag + data).digest()
    assert tagged_hash("TapLeaf", b"") != tagged_hash("TapBranch", b"")
