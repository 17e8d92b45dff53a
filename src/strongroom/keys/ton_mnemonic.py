"""TON's own mnemonics, 24 words of the English BIP-39 list that give one ed25519 key, with or without a password.

A phrase is valid if a hash of it starts with a zero byte, as it does for one phrase in 256. This is not the BIP-39
checksum, and some phrases are valid in both systems. So nothing here guesses which system is meant. Sources:
``tonlib/keys/Mnemonic.cpp`` of the TON node and ton-org/ton-crypto.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from strongroom.errors import InvalidMnemonic
from strongroom.keys import bip39

WORDS: Final = 24
_ROUNDS: Final = 100_000
_CHECK_ROUNDS: Final = _ROUNDS // 256
_WORD_BITS: Final = 11
_MAX_PASSWORD: Final = 1_024


@dataclass(frozen=True, slots=True)
class TonKey:
    words: str = field(repr=False)
    """In lower case, separated by single spaces."""
    password: str = field(repr=False)
    key: bytes = field(repr=False)
    """The 32-byte seed of the ed25519 key."""


def parse(text: str, password: str = "") -> TonKey:
    """Read words in any case, with any white space. About 40 ms of work. Raises InvalidMnemonic."""
    words = text.lower().split()
    if len(words) != WORDS:
        raise InvalidMnemonic("a TON mnemonic must have 24 words", field="mnemonic")
    known = bip39.english()
    for place, word in enumerate(words, 1):
        if word not in known:
            raise InvalidMnemonic(f"word {place} of the mnemonic is not in the word list", field="mnemonic")
    phrase, secret = " ".join(words), _password(password)
    if secret and not _needs_password(phrase):
        raise InvalidMnemonic("the mnemonic has no password", field="passphrase")
    if not _is_valid(_entropy(phrase, secret)):
        wrong = "or the password is wrong" if secret else "or it needs a password"
        raise InvalidMnemonic(
            "the words are not a TON mnemonic: a word is wrong or out of place, they belong to another system, "
            f"{wrong}",
            field="mnemonic",
        )
    return TonKey(phrase, password, _key(phrase, secret))


def generate(password: str, rng: Callable[[int], bytes]) -> TonKey:
    """Draw phrases until one is valid, about 0.1 s, or 1 s with a password.

    Raises InvalidMnemonic if the password is too long or not Unicode text.
    """
    secret, words = _password(password), tuple(bip39.english())
    while True:
        drawn = int.from_bytes(rng(WORDS * _WORD_BITS // 8), "big")
        phrase = " ".join(words[drawn >> _WORD_BITS * place & 0x7FF] for place in range(WORDS))
        if secret and not _needs_password(phrase):
            continue
        if _is_valid(_entropy(phrase, secret)):
            return TonKey(phrase, password, _key(phrase, secret))


def _password(password: str) -> bytes:
    try:
        secret = password.encode()
    except UnicodeEncodeError:
        raise InvalidMnemonic("the password is not valid Unicode text", field="passphrase") from None
    if len(secret) > _MAX_PASSWORD:
        raise InvalidMnemonic(f"the password must have at most {_MAX_PASSWORD} bytes", field="passphrase")
    return secret


def _entropy(phrase: str, secret: bytes) -> bytes:
    return hmac.digest(phrase.encode(), secret, "sha512")


def _is_valid(entropy: bytes) -> bool:
    return hashlib.pbkdf2_hmac("sha512", entropy, b"TON seed version", _CHECK_ROUNDS, 64)[0] == 0


def _needs_password(phrase: str) -> bool:
    entropy = _entropy(phrase, b"")
    marked = hashlib.pbkdf2_hmac("sha512", entropy, b"TON fast seed version", 1, 64)[0] == 1
    return marked and not _is_valid(entropy)


def _key(phrase: str, secret: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", _entropy(phrase, secret), b"TON default seed", _ROUNDS, 64)[:32]
