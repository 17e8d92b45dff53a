from __future__ import annotations

import random

import pytest
from bip_utils import Base58Decoder, Base58Encoder

from strongroom.codecs import base58
from strongroom.codecs.hash160 import hash160

# Bitcoin Core, src/test/data/base58_encode_decode.json
PUBLISHED = [
    ("", ""),
    ("61", "2g"),
    ("626262", "a3gV"),
    ("73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"),
    ("00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"),
    ("10c8511e", "Rt5zm"),
    ("00000000000000000000", "1111111111"),
]


@pytest.mark.parametrize(("data", "text"), PUBLISHED)
def test_published(data: str, text: str) -> None:
    assert base58.encode(bytes.fromhex(data)) == text
    assert base58.decode(text).hex() == data


def test_against_a_second_implementation() -> None:
    rng = random.Random(58)
    for _ in range(100):
        data = bytes(rng.randrange(4)) + rng.randbytes(rng.randrange(90))
        text = base58.encode(data)
        assert text == Base58Encoder.Encode(data)
        assert base58.decode(text) == Base58Decoder.Decode(text) == data
        checked = base58.encode_check(data)
        assert checked == Base58Encoder.CheckEncode(data)
        assert base58.decode_check(checked) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", " 2g", "2g\n", "2g ", "é", "２g", "2\0g"])
def test_a_sign_outside_the_alphabet(text: str) -> None:
    with pytest.raises(ValueError, match="alphabet"):
        base58.decode(text)


def test_too_long() -> None:
    with pytest.raises(ValueError, match="long"):
        base58.decode("2" * (base58.MAX_LENGTH + 1))


@pytest.mark.parametrize("text", ["", "1", "111", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9M", "11111"])
def test_a_wrong_checksum(text: str) -> None:
    with pytest.raises(ValueError, match="checksum"):
        base58.decode_check(text)


def test_hash160() -> None:
    # BIP-173: the public key of its P2WPKH examples
    key = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    assert hash160(key).hex() == "751e76e8199196d454941c45d1b3a323f1433bd6"
