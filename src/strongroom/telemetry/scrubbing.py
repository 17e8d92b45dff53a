"""Removes secrets from text and values before they are logged. The last safety net, below types that do not print.

It knows secrets by their form: four consecutive words of one BIP-39 list, 16 or more bytes in hex, 32 or more in
base58, base64 or digits, printed bytes, API keys, and bearer tokens. Of a URL it keeps only scheme and host.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import Enum
from functools import cache, reduce
from importlib import resources
from itertools import islice, repeat
from operator import or_
from pathlib import PurePath
from typing import Final
from uuid import UUID

REDACTED: Final = "[redacted]"
PUBLIC: Final = frozenset(
    {"address", "contract", "mac", "payload_hash", "public_key", "request_id", "trace_id", "tx_id"}
)
"""Keys whose values may be long and random."""

_MAX_TEXT: Final = 4096
_MAX_ITEMS: Final = 100
_MAX_DEPTH: Final = 6
_RUN: Final = 4
"""So many consecutive words of a mnemonic give it away."""
_SHORTEST_MNEMONIC: Final = 12
_LONGEST_WORD: Final = 64
"""How much of each list item is checked for a mnemonic with one word per item."""
_NOWHERE: Final = "\0"
"""The sign of a word that is in no list."""

_URL: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{1,20}://)(?:[^/\s@]*@)?([^/\s@:?#'\"]*)[^\s'\"]*")
_TOKEN: Final = re.compile(r"\bsr_[0-9a-f_]{8,}|\b(?:bearer|basic)\s+[^\s'\",]+", re.IGNORECASE)
_BYTES: Final = re.compile(
    r"\bb'[^']{8,}'|\bb\"[^\"]{8,}\"|(?:\d{1,3}, ?){15,}\d{1,3}|(?:[0-9a-fA-F]{2}[: ]){15,}[0-9a-fA-F]{2}"
    r"|(?:\\[uxU][0-9a-fA-F]{2,8} ?){8,}"
)
_BLOB: Final = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9a-fA-F]{32,39}|[0-9a-fA-F]{41,})(?![0-9A-Za-z])")
_KEY: Final = re.compile(
    r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})(?![0-9a-fA-F])|sr_[0-9a-f]{32}_[0-9a-f]{16}"
    r"|[a-zA-Z]prv[1-9A-HJ-NP-Za-km-z]{100}|(?<![0-9A-Za-z])[5KL][1-9A-HJ-NP-Za-km-z]{50,51}(?![0-9A-Za-z])"
)
"""A private key or a seed in hex, an API key, an extended private key, or a WIF."""
_HARMLESS: Final = re.compile(
    r"[a-z]+(?:[._-][a-z]+){0,2}|[0-9.:]{1,21}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII
)
"""Our own names, IPv4 addresses and UUIDs. Most of what is logged needs no closer look."""
_PLAIN: Final = re.compile(r"[A-Z]?[a-z]*[0-9]{0,3}|[A-Z]*|[0-9]{1,20}")
_TOKEN_OF_TEXT: Final = re.compile(r"[^\W\d_]+|[\W\d_]{7,}")
"""A word, or a gap that is too long to separate two words of one mnemonic. `", "` is shorter, as is a line feed with a
number."""
_MAY_BE_WORD: Final = re.compile(r"[A-Za-z]{3,}")
"""No list has a shorter ASCII word."""
_ESCAPED_BLANK: Final = re.compile(r"\\[nrt]")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LETTERS_BETWEEN: Final = re.compile(r"[a-z/_=-]*")


def looks_like_secret(text: str) -> bool:
    """Whether the text holds a whole mnemonic or key, and so must not be stored in the clear.

    It matches less than the log's net, since a refusal must not hit a sentence with four common words.
    """
    return _KEY.search(text) is not None or holds_mnemonic(text)


def holds_mnemonic(text: str) -> bool:
    """Whether the text holds a whole mnemonic. In published text, 64 hex digits may be any hash."""
    return _has_words(text, _SHORTEST_MNEMONIC)


def scrub(value: object, key: str = "", depth: int = 0) -> object:
    """Make a value loggable under ``key``. Of a value whose type is not plain, only the type's name is left."""
    if isinstance(value, str):
        return scrub_text(value, random=key in PUBLIC)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else REDACTED
    if isinstance(value, UUID | PurePath):
        return scrub_text(str(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return scrub(value.value, key, depth)
    if depth < _MAX_DEPTH and isinstance(value, Mapping):
        return {
            scrub_text(str(name)): scrub(item, str(name), depth + 1) for name, item in islice(value.items(), _MAX_ITEMS)
        }
    if depth < _MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
        shown = list(islice(value, _MAX_ITEMS))
        if _has_words(" ".join(item[:_LONGEST_WORD] for item in shown if isinstance(item, str)), _RUN):
            return REDACTED
        return [scrub(item, key, depth + 1) for item in shown]
    return f"<{type(value).__name__}>"


def scrub_text(text: str, *, random: bool = False) -> str:
    """``random`` means that long random text is expected here."""
    if len(text) > _MAX_TEXT:
        text = text[: text.rfind(" ", 0, _MAX_TEXT) + 1] + "…"  # not within a word: half a secret has no form
    if len(text) < 2 * _RUN - 1 or (len(text) <= 36 and _HARMLESS.fullmatch(text)):
        return text
    if "://" in text:
        text = _URL.sub(r"\1\2/…", text)
    if _TOKEN.search(text):
        text = _TOKEN.sub(REDACTED, text)
    if len(text) > 8 and _BYTES.search(text):
        text = _BYTES.sub(REDACTED, text)
    if not random and len(text) >= 32:
        text = _BLOB.sub(_blob, text)
    return _scrub_words(text)


def _blob(found: re.Match[str]) -> str:
    text = found[0]
    if len(text) >= 43 and not all(_PLAIN.fullmatch(part) for part in re.split(r"[/_=+-]", text)):
        return text if _is_uuids(text) else REDACTED
    return _HEX.sub(REDACTED, text)


def _is_uuids(text: str) -> bool:
    without, uuids = _UUID.subn("", text)
    return uuids > 0 and _LETTERS_BETWEEN.fullmatch(without) is not None


def _scrub_words(text: str) -> str:
    if text.isascii() and len(_MAY_BE_WORD.findall(text)) < _RUN:
        return text
    spans = [found.span() for found in _TOKEN_OF_TEXT.finditer(_ESCAPED_BLANK.sub("  ", text))]
    if len(spans) < _RUN:
        return text
    for start, end in reversed(_runs([text[start:end] for start, end in spans], _RUN)):
        text = f"{text[: spans[start][0]]}{REDACTED}{text[spans[end - 1][1] :]}"
    return text


def _has_words(text: str, least: int) -> bool:
    return bool(_runs(_TOKEN_OF_TEXT.findall(_ESCAPED_BLANK.sub("  ", text)), least))


def _runs(words: list[str], least: int) -> list[tuple[int, int]]:
    """Positions of ``least`` or more consecutive words of one list, as (from, to). Linear, and mostly in C.

    Each word becomes one character that encodes its lists, so that a run is a match of a short expression.
    """
    if len(words) < least:
        return []
    signs = "".join(map(_lists().get, map(_normal, words), repeat(_NOWHERE)))
    found = sorted(match.span() for expression in _run_expressions(least) for match in expression.finditer(signs))
    runs: list[tuple[int, int]] = []
    for start, end in found:
        if runs and runs[-1][1] >= start:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


@cache
def _run_expressions(least: int) -> tuple[re.Pattern[str], ...]:
    signs = set(_lists().values())
    bits = reduce(or_, map(ord, signs)).bit_length()
    members = ("".join(sorted(sign for sign in signs if ord(sign) >> bit & 1)) for bit in range(bits))
    return tuple(re.compile(f"[{re.escape(each)}]{{{least},}}") for each in members)


def _normal(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).lower()


@cache
def _lists() -> Mapping[str, str]:
    """Every word of every list, with a character whose bits encode its lists. Loaded for the first long text."""
    found: dict[str, int] = {}
    folder = resources.files("strongroom") / "keys" / "wordlists"
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".txt"))
    for bit, name in enumerate(files):
        for word in (folder / name).read_text(encoding="utf-8").split():
            for form in {_normal(word), _without_accents(word)}:
                found[form] = found.get(form, 0) | 1 << bit
    return {word: chr(mask) for word, mask in found.items()}


def _without_accents(word: str) -> str:
    letters = (letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFKC", "".join(letters)).lower()
