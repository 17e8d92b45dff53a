from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from Crypto.Hash import keccak
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from strongroom.codecs import eip55, eip191, hexadecimal
from strongroom.codecs.keccak import keccak256

# The test cases of EIP-55.
PUBLISHED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
GOOD = PUBLISHED[4]


@pytest.mark.parametrize("text", PUBLISHED)
def test_published(text: str) -> None:
    raw = bytes.fromhex(text[2:])
    assert eip55.checksum(raw) == text
    assert eip55.parse(text) == eip55.parse(text.lower()) == eip55.parse("0x" + text[2:].upper()) == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        GOOD[2:],
        GOOD[:-1],
        GOOD + "0",
        "0X" + GOOD[2:],
        GOOD[:-1] + GOOD[-1].upper(),
        GOOD[:-1] + "g",
        GOOD[:-2] + " d",
        GOOD[:-1] + "\uff11",
        f" {GOOD}"[:42],
        "0x" + "٣" * 40,
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|hex"):
        eip55.parse(text)


@given(st.binary(min_size=20, max_size=20))
def test_agrees_with_eth_utils(raw: bytes) -> None:
    assert eip55.checksum(raw) == to_checksum_address(raw)


def test_keccak_is_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


def test_eip191_counts_bytes_not_characters() -> None:
    # The example of eth_account.messages.encode_defunct.
    assert eip191.digest("I♥SF".encode()).hex() == "1476abb745d423bf09273f1afd887d951181d25adc66c4834a70491911b7f750"


@pytest.mark.parametrize("text", ["", "00", "0X00", "0x0", "0x0g", "0x 0", "0x00 ", "0x00\n", "0x٠٠"])
def test_hex_is_strict(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        hexadecimal.to_bytes(text)


def test_keccak_in_many_threads_and_of_every_length() -> None:
    def agree(size: int) -> bool:
        data = bytes(range(256)) * (size // 256 + 1)
        return all(keccak256(data[:size]) == keccak.new(digest_bits=256, data=data[:size]).digest() for _ in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(agree, range(300)))
