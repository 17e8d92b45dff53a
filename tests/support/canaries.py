"""Secrets that exist to be looked for. They are sent through the service, and must not appear anywhere.

`find` recognises each in every form in which it might leak: whole or in part, as bytes, hex, base64 at every alignment,
base58, decimal or a list of numbers, escaped for JSON, Python or a URL, and as four consecutive words of the mnemonic.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

WORDS: Final = "indicate science business suspect rubber hockey peasant exercise exhaust bunker witness casual"
"""Words that nothing else here uses. test_canaries checks what is derived from them with other libraries."""
PASSPHRASE: Final = 'Xyloid#plinth "quaver" 7'
ENTROPY: Final = "72f81c7c6d6bccd8e88a7a4f63cff291"
SEED: Final = (
    "19b70fff5aaa2b20c42af3f09e5a92b1c24fc173b7b5688b38e92570e814ba1b"
    "a522fdec348b4c4b1b207ed9593526c26be8ed6bded33db612d3c5494b8e1f3c"
)
DERIVED_KEYS: Final = (
    "48732c82e13851f156685fc131bb6e97c50081f39b7a530001e2b7add9bfbcd6",
    "2f434c0c62000a627dd16af22c95057154fd8c8a05a960a81542ad751b1127a2",
)
"""For m/44'/60'/0'/0/0 and /1."""
RAW_KEY: Final = "c3a61f0b7d5e42988e15fd7704ab96d23b8810c7e95f4d62a1340dbe792c6f85"
KEYWRAP_PASSPHRASE: Final = "Jocund~vexillum+brisket/93"

_FRAGMENT: Final = 12
"""Bytes at the beginning and at the end of a secret that must not be seen either."""
_FOUR: Final = 4


def api_key(secret: str, number: int) -> str:
    """In the form of the service's own keys, with a valid checksum."""
    body = f"sr_{number:032x}_{secret}"
    return f"{body}_{binascii.crc32(body.encode()):08x}"


API_KEYS: Final = {
    "API key": api_key("5d0f93ce7214b8a6e85d31fc09a7426bd1f85e3c9024b76afe138d50c29b647e", 0xA1),
    "revoked API key": api_key("b7e25940d1fc386ae904d27b853f16cc40a97de2165b80f39c742ea8d0136b5f", 0xA2),
    "unknown API key": api_key("e19c470b5fd2863a47c0f95d183e62bbd4760ae59f21c83706ed94b15ca8f32d", 0xA3),
}


@dataclass(frozen=True)
class Canary:
    name: str
    text: str
    """As a caller would send it."""
    secret: bytes
    """The part that must not be seen."""
    words: tuple[str, ...] = ()

    @cached_property
    def encodings(self) -> dict[str, bytes]:
        """One example of each encoding of the whole secret."""
        found = {name: encode(self.secret) for name, encode in _ENCODINGS.items()}
        for shift in range(3):
            found[f"base64 after {shift} bytes"] = base64.b64encode(b"\xff" * shift + self.secret)
        if self.words:
            for name, joint in {
                "blanks": " ",
                "commas": ",",
                "lines": "\n",
                "a JSON list": '", "',
                "a URL": "%20",
            }.items():
                found[f"words in {name}"] = joint.join(self.words).encode()
            found["words in capitals"] = self.text.upper().encode()
            for at in range(len(self.words) - _FOUR + 1):
                found[f"words {at + 1} to {at + _FOUR}"] = " ".join(self.words[at : at + _FOUR]).encode()
        return found

    @cached_property
    def needles(self) -> dict[str, bytes]:
        """The patterns that give it away, with hex in lower case and nothing escaped."""
        parts = dict.fromkeys((self.secret, self.secret[:_FRAGMENT], self.secret[-_FRAGMENT:]))
        found = {f"{name} of {len(part)}": needle for part in parts for name, needle in _needles(part)}
        return found | {f"{name}, bare": _bare(needle) for name, needle in found.items() if b"\\" in needle}

    @cached_property
    def runs(self) -> list[re.Pattern[bytes]]:
        rows = (self.words[at : at + _FOUR] for at in range(len(self.words) - _FOUR + 1))
        return [re.compile(rb"[^a-z]{1,12}(?:[nrt][^a-z]{0,11})?".join(word.encode() for word in row)) for row in rows]


@dataclass(frozen=True)
class Hit:
    canary: str
    how: str
    at: int

    def __str__(self) -> str:
        return f"{self.canary} as {self.how} at byte {self.at}"


def _bare(text: bytes) -> bytes:
    """Without backslashes, however often it was escaped."""
    return text.replace(b"\\", b"")


def _base58(value: bytes) -> bytes:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(value), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return text.encode()


def _listed(value: bytes) -> bytes:
    return ", ".join(map(str, value)).encode()


def _text(value: bytes, escape: Callable[[str], str]) -> bytes:
    try:
        return escape(value.decode()).encode()
    except UnicodeDecodeError:
        return value


_ENCODINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "bytes": bytes,
    "hex": lambda value: value.hex().encode(),
    "hex in capitals": lambda value: value.hex().upper().encode(),
    "hex with colons": lambda value: value.hex(":").encode(),
    "base64": base64.b64encode,
    "base64url": lambda value: base64.urlsafe_b64encode(value).rstrip(b"="),
    "base58": _base58,
    "decimal": lambda value: str(int.from_bytes(value)).encode(),
    "numbers": _listed,
    "numbers of JSON": lambda value: _listed(value).replace(b" ", b""),
    "repr": lambda value: repr(value).encode(),
    "JSON": lambda value: _text(value, json.dumps),
    "URL": lambda value: _text(value, lambda text: quote(text, safe="")),
    "form": lambda value: _text(value, quote_plus),
}


def _needles(part: bytes) -> Iterator[tuple[str, bytes]]:
    yield "bytes", part
    yield "hex", part.hex().encode()
    yield "hex with colons", part.hex(":").encode()
    yield "base58", _base58(part)
    yield "decimal", str(int.from_bytes(part)).encode()
    yield "numbers", _listed(part)
    yield "numbers of JSON", _listed(part).replace(b" ", b"")
    yield "repr", repr(part)[2:-1].encode()
    yield "text with escapes", part.decode("utf-8", "backslashreplace").encode()
    yield "text with escapes in JSON", json.dumps(part.decode("utf-8", "backslashreplace"))[1:-1].encode()
    yield "latin-1", part.decode("latin-1").encode()
    yield "latin-1 in JSON", json.dumps(part.decode("latin-1"))[1:-1].encode()
    for name, escape in (("JSON", lambda text: json.dumps(text)[1:-1]), ("URL", quote), ("form", quote_plus)):
        yield name, _text(part, escape)
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            begin, whole = -(-shift * 8 // 6), (shift + len(part)) * 8 // 6
            yield f"{name} after {shift} bytes", encode(bytes(shift) + part)[begin:whole]


def _canaries() -> Iterator[Canary]:
    yield Canary("mnemonic", WORDS, WORDS.encode(), tuple(WORDS.split()))
    yield Canary("entropy", ENTROPY, bytes.fromhex(ENTROPY))
    yield Canary("seed", SEED, bytes.fromhex(SEED))
    yield Canary("passphrase", PASSPHRASE, PASSPHRASE.encode())
    for number, key in enumerate(DERIVED_KEYS):
        yield Canary(f"derived key {number}", f"0x{key}", bytes.fromhex(key))
    yield Canary("raw key", RAW_KEY, bytes.fromhex(RAW_KEY))
    for name, text in API_KEYS.items():
        yield Canary(name, text, text.encode())
        yield Canary(f"secret of {name}", text, bytes.fromhex(text.split("_")[2]))
    yield Canary("key wrap passphrase", KEYWRAP_PASSPHRASE, KEYWRAP_PASSPHRASE.encode())


CANARIES: Final = tuple(_canaries())


def find(data: bytes | str, canaries: Iterable[Canary] = CANARIES) -> list[Hit]:
    """Every canary in the data, once for each form in which it appears."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    low, bare = raw.lower(), _bare(raw)
    hits = []
    for canary in canaries:
        for how, needle in canary.needles.items():
            at = (low if how.startswith("hex") else bare if how.endswith("bare") else raw).find(needle)
            if at >= 0:
                hits.append(Hit(canary.name, how, at))
        hits += [Hit(canary.name, "words", found.start()) for run in canary.runs if (found := run.search(low))]
    return hits


def found_in(sinks: Mapping[str, bytes | str], canaries: Iterable[Canary] = CANARIES) -> list[str]:
    """By sink, for the message of a failed test: where it was found, but not what."""
    return [f"{sink}: {hit}" for sink, data in sinks.items() for hit in find(data, canaries)]


def columns(database: Path) -> dict[str, bytes]:
    """Every stored value, text and bytes alike, by table and column."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        tables = [
            name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        found = {}
        for table in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [description[0] for description in cursor.description]
            for name, values in zip(names, zip(*cursor.fetchall(), strict=True), strict=False):
                found[f"{table}.{name}"] = b"\n".join(
                    value if isinstance(value, bytes) else str(value).encode() for value in values
                )
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
