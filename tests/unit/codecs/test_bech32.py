from __future__ import annotations

import random

import pytest
from bip_utils import SegwitBech32Encoder

from strongroom.codecs import bech32

# BIP-350, "Test vectors for v0-v16 native segregated witness addresses"
VALID = [
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    (
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    ("BC1SW50QGDZ25J", "6002751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"),
    (
        "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
]
INVALID = {
    "invalid human-readable part": "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "Bech32 instead of Bech32m": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "Bech32 instead of Bech32m, version 16": "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "Bech32m instead of Bech32": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "invalid character in checksum": "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "invalid witness version": "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "program of 1 byte": "bc1pw5dgrnzv",
    "program of 41 bytes": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "program of 16 bytes in version 0": "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "mixed case": "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "more than 4 bits of padding": "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "padding that is not zero": "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "no data": "bc1gmk9yu",
    "empty": "",
    "no separator": "bc",
    "no prefix": "1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "a space": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 ",
    "a Kelvin sign, which is k in lower case": "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7\u212aV8F3T4",
    "over 90 characters": "bc1" + "q" * 88,
}


def script(version: int, program: bytes) -> str:
    return bytes((version + 0x50 if version else 0, len(program))).hex() + program.hex()


@pytest.mark.parametrize(("text", "expected"), VALID)
def test_valid(text: str, expected: str) -> None:
    hrp = text[:2].lower()
    version, program = bech32.decode(hrp, text)
    assert script(version, program) == expected
    assert bech32.encode(hrp, version, program) == text.lower()


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID.keys())
def test_invalid(text: str) -> None:
    for hrp in ("bc", "tb", "bcrt"):
        with pytest.raises(ValueError, match=r"address|Bech32|witness"):
            bech32.decode(hrp, text)


def test_against_a_second_implementation() -> None:
    rng = random.Random(350)
    for _ in range(200):
        version = rng.randrange(17)
        program = rng.randbytes(rng.randrange(2, 41) if version else rng.choice((20, 32)))
        text = bech32.encode("bcrt", version, program)
        assert text == SegwitBech32Encoder.Encode("bcrt", version, program)
        assert bech32.decode("bcrt", text) == (version, program)


def test_up_to_four_wrong_characters_are_always_seen() -> None:
    rng = random.Random(173)
    for text, _ in VALID:
        for _ in range(200):
            signs = list(text.lower())
            for at in rng.sample(range(3, len(signs)), rng.randrange(1, 5)):
                signs[at] = rng.choice([sign for sign in bech32.ALPHABET if sign != signs[at]])
            with pytest.raises(ValueError, match="checksum"):
                bech32.decode(text[:2].lower(), "".join(signs))


def test_a_long_text_is_not_looked_at() -> None:
    with pytest.raises(ValueError, match="at most 90"):
        bech32.decode("bc", "bc1" + "q" * 88)


@pytest.mark.parametrize(("version", "size"), [(0, 19), (0, 33), (1, 1), (1, 41), (17, 32), (-1, 20)])
def test_what_is_no_witness_program(version: int, size: int) -> None:
    with pytest.raises(ValueError, match="witness"):
        bech32.encode("bc", version, bytes(size))
