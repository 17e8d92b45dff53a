"""TON's own words. Which are valid with which password, and that no message shows them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from strongroom.errors import InvalidMnemonic
from strongroom.keys import bip39, ton_mnemonic

VECTORS = Path(__file__).parents[2] / "vectors" / "data" / "ton.derivation.json"
NATIVE = [
    vector["input"]["mnemonic"]
    for vector in json.loads(VECTORS.read_text())["vectors"]
    if vector["group"] == "ton.derive.native24"
]


@pytest.mark.parametrize("words", NATIVE)
def test_space_and_case_are_forgiven(words: str) -> None:
    expected = ton_mnemonic.parse(words)
    assert ton_mnemonic.parse("  " + words.upper().replace(" ", "  \n") + "\t") == expected
    with pytest.raises(InvalidMnemonic):
        bip39.parse(words)


@pytest.mark.parametrize("place", [1, 7, 24])
def test_a_misspelt_word_is_named_by_its_place_and_never_repeated(place: int) -> None:
    words = NATIVE[0].split()
    words[place - 1] = "canarry"
    with pytest.raises(InvalidMnemonic) as refusal:
        ton_mnemonic.parse(" ".join(words))
    assert f"word {place} " in refusal.value.message
    assert "canarry" not in str(refusal.value)


@pytest.mark.parametrize("count", [0, 1, 12, 23, 25])
def test_other_numbers_of_words_are_refused(count: int) -> None:
    with pytest.raises(InvalidMnemonic, match="24 words"):
        ton_mnemonic.parse(" ".join((NATIVE[0].split() * 2)[:count]))


def test_words_and_their_password_belong_together() -> None:
    rng = random.Random(1)
    plain, locked = ton_mnemonic.generate("", rng.randbytes), ton_mnemonic.generate("a", rng.randbytes)
    assert ton_mnemonic.parse(plain.words) == plain
    assert ton_mnemonic.parse(locked.words, "a") == locked
    with pytest.raises(InvalidMnemonic, match="has no password"):
        ton_mnemonic.parse(plain.words, "a")
    with pytest.raises(InvalidMnemonic, match="needs a password"):
        ton_mnemonic.parse(locked.words)
    refused = 0
    for number in range(20):  # one of 256 wrong passwords is valid and gives another key
        try:
            assert ton_mnemonic.parse(locked.words, f"wrong {number}").key != locked.key
        except InvalidMnemonic:
            refused += 1
    assert refused > 15


@pytest.mark.parametrize("password", ["\ud800", "x" * 1025])
def test_a_password_that_is_none(password: str) -> None:
    for call in (
        lambda: ton_mnemonic.parse(NATIVE[0], password),
        lambda: ton_mnemonic.generate(password, random.randbytes),
    ):
        with pytest.raises(InvalidMnemonic) as refusal:
            call()
        assert refusal.value.field == "passphrase"


def test_words_are_drawn_evenly_from_the_whole_list() -> None:
    words = " ".join(ton_mnemonic.generate("", random.Random(seed).randbytes).words for seed in range(8)).split()
    places = [bip39.english()[word] for word in words]
    assert len(set(places)) > 150
    assert max(places) > 1900 > 150 > min(places)


def test_nothing_secret_is_shown() -> None:
    found = ton_mnemonic.parse(NATIVE[0])
    assert all(word not in repr(found) for word in NATIVE[0].split() if len(word) > 5)
    assert found.key.hex() not in repr(found)
