from __future__ import annotations

import contextlib
import random
import unicodedata
from hashlib import sha256

import pytest
from mnemonic import Mnemonic as Oracle

from strongroom.errors import InvalidField, InvalidMnemonic
from strongroom.keys import bip39

LEGAL = "legal winner thank year wave sausage worth useful legal winner thank yellow"
ZERO = "abandon " * 11 + "about"


@pytest.mark.parametrize("language", bip39.LANGUAGES)
def test_a_word_list(language: str) -> None:
    words = bip39._words(language)
    assert len(words) == len(set(words)) == len(bip39._indexes(language)) == 2048
    assert all(word == unicodedata.normalize("NFKD", word).lower() for word in words)


def test_the_english_list_is_that_of_the_bip() -> None:
    text = "".join(f"{word}\n" for word in bip39._words("english"))
    assert sha256(text.encode()).hexdigest() == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


@pytest.mark.parametrize("language", bip39.LANGUAGES)
def test_against_a_second_implementation(language: str) -> None:
    rng, oracle = random.Random(language), Oracle(language)
    for _ in range(10):
        entropy = rng.randbytes(rng.choice([16, 20, 24, 28, 32]))
        passphrase = rng.choice(["", "TREZOR", "Å ﬁ パスワード"])
        phrase = bip39.from_entropy(entropy, language)
        assert phrase.text == oracle.to_mnemonic(entropy)
        assert bip39.parse(phrase.text, language) == phrase
        assert bip39.seed(phrase, passphrase) == Oracle.to_seed(phrase.text, passphrase)


def test_the_language_is_found() -> None:
    rng = random.Random(39)
    for language in bip39.LANGUAGES:
        phrase = bip39.from_entropy(rng.randbytes(32), language)
        found = bip39.parse(phrase.text)
        assert (found.entropy, found.normalised) == (phrase.entropy, phrase.normalised)


def test_words_that_mean_different_entropy_in_two_languages() -> None:
    shared = sorted(bip39._indexes("english").keys() & bip39._indexes("french").keys())
    rng = random.Random(2)
    for _ in range(10_000):
        words = " ".join(rng.choices(shared, k=12))
        found = set()
        for language in ("english", "french"):
            with contextlib.suppress(InvalidMnemonic):
                found.add(bip39.parse(words, language).entropy)
        if len(found) == 2:
            break
    assert len(found) == 2
    with pytest.raises(InvalidMnemonic, match="name the language"):
        bip39.parse(words)


def test_words_that_mean_the_same_in_both_chinese_lists() -> None:
    words = bip39.from_entropy(bytes(16), "chinese_simplified").text
    assert words == bip39.from_entropy(bytes(16), "chinese_traditional").text
    assert bip39.parse(words).entropy == bytes(16)


@pytest.mark.parametrize(
    "text",
    [
        f"  {LEGAL.upper()} \n",
        LEGAL.replace(" ", "   "),
        LEGAL.replace(" ", "\u3000"),
        LEGAL.replace(" ", "\n"),
        LEGAL.replace(" ", "\r\n") + "\r\n",
        LEGAL.replace(" ", "\t"),
        LEGAL.replace(" ", " \n\t "),
        LEGAL.replace(" ", "\u00a0"),
        LEGAL.replace("legal", "ｌｅｇａｌ"),
    ],
)
def test_benign_input_is_normalised(text: str) -> None:
    assert bip39.parse(text) == bip39.parse(LEGAL)
    assert bip39.parse(text).normalised == LEGAL


def test_japanese_takes_both_spaces() -> None:
    phrase = bip39.from_entropy(bytes(16), "japanese")
    assert "\u3000" in phrase.text
    assert bip39.parse(unicodedata.normalize("NFC", phrase.text)) == bip39.parse(phrase.normalised) == phrase


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "12, 15"),
        ("abandon " * 11, "12, 15"),
        (LEGAL + " legal", "12, 15"),
        ("abandon " * 12, "checksum"),
        (ZERO.replace("about", "aboot"), "word 12 "),
        (LEGAL.replace("winner", "winnner", 1), "word 2 "),
        (LEGAL.replace("thank", "tha\nnk", 1), "12, 15"),
        (LEGAL.replace(" ", ""), "12, 15"),
        (LEGAL.replace("year", "year,"), "word 4 "),
    ],
)
def test_a_bad_mnemonic_is_told_apart_and_not_echoed(text: str, says: str) -> None:
    for language in (None, "english"):
        with pytest.raises(InvalidMnemonic, match=says) as refusal:
            bip39.parse(text, language)
        assert not set(text.split()) - {"word"} & set(str(refusal.value).split())


@pytest.mark.parametrize("size", [0, 4, 15, 17, 33, 64])
def test_a_bad_entropy(size: int) -> None:
    with pytest.raises(InvalidMnemonic):
        bip39.from_entropy(bytes(size))


@pytest.mark.parametrize("language", ["klingon", "", "../wordlists/english", "russian"])
def test_an_unknown_language(language: str) -> None:
    with pytest.raises(InvalidField):
        bip39.parse(LEGAL, language)
    with pytest.raises(InvalidField):
        bip39.from_entropy(bytes(16), language)


def test_a_passphrase_that_is_not_unicode() -> None:
    with pytest.raises(InvalidMnemonic) as refusal:
        bip39.seed(bip39.parse(LEGAL), "canary\ud800")
    assert refusal.value.__context__ is None


def test_a_phrase_does_not_print() -> None:
    shown = repr(bip39.parse(LEGAL))
    assert "legal" not in shown
    assert "7f" not in shown
