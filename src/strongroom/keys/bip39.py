"""BIP-39: mnemonics of 12 to 24 words in its ten languages."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Final

from strongroom.errors import InvalidField, InvalidMnemonic

LANGUAGES: Final = (
    "english",
    "chinese_simplified",
    "chinese_traditional",
    "czech",
    "french",
    "italian",
    "japanese",
    "korean",
    "portuguese",
    "spanish",
)
WORD_COUNTS: Final = (12, 15, 18, 21, 24)
_ROUNDS: Final = 2048
_WORD_BITS: Final = 11


@dataclass(frozen=True, slots=True)
class Phrase:
    """A mnemonic with a correct checksum."""

    entropy: bytes = field(repr=False)
    language: str
    normalised: str = field(repr=False)
    """NFKD, lower case, single spaces. The seed is made from this form."""

    @property
    def text(self) -> str:
        """The form to display. BIP-39 separates Japanese words by an ideographic space."""
        return self.normalised.replace(" ", "\u3000") if self.language == "japanese" else self.normalised


def from_entropy(entropy: bytes, language: str = "english") -> Phrase:
    """Raises InvalidMnemonic if BIP-39 does not define the length, InvalidField if the language is unknown."""
    if len(entropy) not in (16, 20, 24, 28, 32):
        raise InvalidMnemonic("the entropy of a mnemonic must be 16, 20, 24, 28 or 32 bytes")
    words = _words(language)
    checksum_bits = len(entropy) // 4
    number = int.from_bytes(entropy, "big") << checksum_bits | _checksum(entropy)
    count = (len(entropy) * 8 + checksum_bits) // _WORD_BITS
    indexes = [number >> _WORD_BITS * (count - 1 - place) & 0x7FF for place in range(count)]
    return Phrase(entropy, language, " ".join(words[index] for index in indexes))


def parse(text: str, language: str | None = None) -> Phrase:
    """Read words of ``language``, or detect the language if it is None.

    Extra white space, upper case and any Unicode composition are accepted. Raises InvalidMnemonic if the words are
    wrong, or if they are valid in several languages with different entropy. Raises InvalidField if the language is
    unknown.
    """
    words = unicodedata.normalize("NFKD", text).lower().split()
    if len(words) not in WORD_COUNTS:
        raise InvalidMnemonic("a mnemonic must have 12, 15, 18, 21 or 24 words", field="mnemonic")
    names = LANGUAGES if language is None else (language,)
    fitting = _languages_of(words, names)
    found: dict[bytes, Phrase] = {}
    for name in fitting:
        entropy = _entropy([_indexes(name)[word] for word in words])
        if entropy is not None:
            found.setdefault(entropy, Phrase(entropy, name, " ".join(words)))
    if not found:
        reason = "the checksum of the mnemonic is wrong: a word is wrong or out of place"
        raise InvalidMnemonic(reason, field="mnemonic")
    if len(found) > 1:
        raise InvalidMnemonic("the words are valid in several languages: name the language", field="language")
    return next(iter(found.values()))


def seed(phrase: Phrase, passphrase: str = "") -> bytes:
    """The 64-byte seed of BIP-39, about a millisecond of work. Raises InvalidMnemonic if the passphrase is no text."""
    if any("\ud800" <= sign <= "\udfff" for sign in passphrase):
        raise InvalidMnemonic("the passphrase is not valid Unicode text", field="passphrase")
    salt = unicodedata.normalize("NFKD", "mnemonic" + passphrase)
    return hashlib.pbkdf2_hmac("sha512", phrase.normalised.encode(), salt.encode(), _ROUNDS, 64)


def _languages_of(words: list[str], names: tuple[str, ...]) -> list[str]:
    """The languages among ``names`` whose list has every word."""
    first_unknown = {
        name: next((place for place, word in enumerate(words, 1) if word not in _indexes(name)), None) for name in names
    }
    fitting = [name for name, place in first_unknown.items() if place is None]
    if not fitting:
        place = max(place for place in first_unknown.values() if place is not None)
        raise InvalidMnemonic(f"word {place} of the mnemonic is not in the word list", field="mnemonic")
    return fitting


def _entropy(indexes: list[int]) -> bytes | None:
    """None if the checksum is wrong."""
    number = 0
    for index in indexes:
        number = number << _WORD_BITS | index
    checksum_bits = len(indexes) // 3
    entropy = (number >> checksum_bits).to_bytes(checksum_bits * 4, "big")
    return entropy if number & (1 << checksum_bits) - 1 == _checksum(entropy) else None


def _checksum(entropy: bytes) -> int:
    """The first bits of SHA-256, one for every 32 bits of entropy."""
    return hashlib.sha256(entropy).digest()[0] >> 8 - len(entropy) // 4


@lru_cache(maxsize=len(LANGUAGES))
def _words(language: str) -> tuple[str, ...]:
    if language not in LANGUAGES:
        raise InvalidField("there is no BIP-39 word list of this language", field="language")
    text = resources.files("strongroom.keys").joinpath("wordlists", f"{language}.txt").read_text("utf-8")
    return tuple(text.split())


@lru_cache(maxsize=len(LANGUAGES))
def _indexes(language: str) -> Mapping[str, int]:
    return {word: index for index, word in enumerate(_words(language))}


def english() -> Mapping[str, int]:
    """Each English word with its index, in the order of the list."""
    return _indexes("english")
