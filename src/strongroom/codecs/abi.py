"""The Solidity contract ABI, as far as wallets need it: every type but fixed-point numbers and functions.

Integers may be given as int or decimal string, addresses and bytes as 0x-hex or bytes, tuples and arrays as lists.

There are two ways to decode. `decode` accepts only the bytes that `encode` would write. `read` accepts what a contract
would also accept, and says whether the encoding was canonical. All raise ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from strongroom.codecs import eip55, hexadecimal
from strongroom.codecs.keccak import keccak256

WORD: Final = 32
INTEGERS: Final = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in range(8, 257, 8))
FIXED_BYTES: Final = frozenset(f"bytes{size}" for size in range(1, 33))
ATOMIC: Final = INTEGERS | FIXED_BYTES | {"address", "bool", "bytes", "string"}
MAX_VALUES: Final = 2048
"""That one call of `read` decodes, arrays and tuples included: offsets may point many arrays at the same bytes."""

_SIGNATURE: Final = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]*)\(([a-z0-9,()\[\]]*)\)", re.ASCII)
_ARRAY: Final = re.compile(r"(.+)\[([1-9][0-9]{0,4})?\]", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,77})", re.ASCII)
_MAX_NESTING: Final = 8


@dataclass(frozen=True, slots=True)
class Type:
    """A parsed type: exactly one of ``atom``, ``item`` and ``parts`` says what it is."""

    atom: str = ""
    item: Type | None = None
    """Of an array."""
    size: int | None = None
    """Of an array; None if it may have any length."""
    parts: tuple[Type, ...] | None = None
    """Of a tuple."""
    dynamic: bool = False
    head: int = WORD
    """Bytes that a value takes in the head of what holds it."""


@lru_cache(maxsize=256)
def selector(signature: str) -> bytes:
    """First four bytes of the hash of ``transfer(address,uint256)``, types in canonical form."""
    types(signature)
    return keccak256(signature.encode())[:4]


@lru_cache(maxsize=256)
def types(signature: str) -> tuple[str, ...]:
    """The parameter types of a function signature."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise ValueError("a function signature is a name and types in parentheses")
    names = tuple(split(found[2]))
    for name in names:
        parse_type(name)
    return names


def split(text: str) -> list[str]:
    """The parts between the commas that are outside all parentheses; none of empty text."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]] if text else []


@lru_cache(maxsize=1024)
def parse_type(name: str, nesting: int = 0) -> Type:
    """A type in canonical form, ``(address,uint256[])[2]``."""
    if nesting > _MAX_NESTING:
        raise ValueError("a type is nested too deeply")
    array = _ARRAY.fullmatch(name)
    if array is not None:
        item, size = parse_type(array[1], nesting + 1), None if array[2] is None else int(array[2])
        dynamic = size is None or item.dynamic
        return Type(item=item, size=size, dynamic=dynamic, head=WORD if dynamic else (size or 0) * item.head)
    if name[:1] == "(" and name[-1:] == ")":
        parts = tuple(parse_type(part, nesting + 1) for part in split(name[1:-1]))
        dynamic = any(part.dynamic for part in parts)
        return Type(parts=parts, dynamic=dynamic, head=WORD if dynamic else sum(part.head for part in parts))
    if name not in ATOMIC:
        raise ValueError("a type is not one that is supported here")
    return Type(atom=name, dynamic=name in ("bytes", "string"))


def encode(names: Sequence[str], values: Sequence[Any]) -> bytes:
    return _encode_sequence([parse_type(name) for name in names], values)


def decode(names: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Addresses and bytes come as bytes, tuples as tuples, the rest as int, bool, str, list."""
    values, canonical = read(names, data)
    if not canonical:
        raise ValueError("the ABI encoding is not canonical")
    return values


def read(names: Sequence[str], data: bytes) -> tuple[tuple[Any, ...], bool]:
    """Values as `decode` gives them, and whether ``data`` is their canonical encoding.

    Reads as contracts do: bytes after the arguments, gaps between them and unusual offsets are passed over, and the
    unused bytes of a word are ignored. What is cut short, or points anything twice at the same bytes of a long
    ``bytes``, raises ValueError.
    """
    return Reader(data).read(names)


def integer(value: object) -> int:
    """An integer, or the one that decimal text states. Raises ValueError."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    if type(value) is not int:
        raise ValueError("an integer is an integer or its decimal digits")
    return value


def encode_integer(name: str, value: int) -> bytes:
    """The word of an integer in the range of ``uintN`` or ``intN``. Raises ValueError."""
    low, high = _range(name)
    if not low <= value < high:
        raise ValueError("an integer is out of the range of its type")
    return value.to_bytes(WORD, "big", signed=low < 0)


@lru_cache(maxsize=64)
def _range(name: str) -> tuple[int, int]:
    bits = _bits(name)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1)) if name[0] == "i" else (0, 2**bits)


@lru_cache(maxsize=64)
def _bits(name: str) -> int:
    return int(name.removeprefix("u").removeprefix("int"))


def _encode_sequence(kinds: Sequence[Type], values: Sequence[Any]) -> bytes:
    if len(kinds) != len(values):
        raise ValueError("the number of arguments is not that of the types")
    heads, tails = [], []
    offset = sum(kind.head for kind in kinds)
    for kind, value in zip(kinds, values, strict=True):
        encoded = _encode(kind, value)
        if kind.dynamic:
            heads.append(offset.to_bytes(WORD, "big"))
            tails.append(encoded)
            offset += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def _encode(kind: Type, value: Any) -> bytes:
    if kind.atom:
        return _encode_atom(kind.atom, value)
    if not isinstance(value, list | tuple) or (kind.size is not None and kind.size != len(value)):
        raise ValueError("an array is a list of the length of its type")
    if kind.item is None:
        return _encode_sequence(kind.parts or (), value)
    body = _encode_sequence([kind.item] * len(value), value)
    return body if kind.size is not None else len(value).to_bytes(WORD, "big") + body


def _encode_atom(name: str, value: Any) -> bytes:
    if name in INTEGERS:
        return encode_integer(name, integer(value))
    if name == "bool":
        if not isinstance(value, bool):
            raise ValueError("a bool is true or false")
        return value.to_bytes(WORD, "big")
    raw = _raw(name, value)
    if name == "address":
        return raw.rjust(WORD, b"\0")
    padded = raw.ljust(_padded(len(raw)), b"\0")
    return padded if name in FIXED_BYTES else len(raw).to_bytes(WORD, "big") + padded


def _padded(size: int) -> int:
    return -(-size // WORD) * WORD


def _raw(name: str, value: Any) -> bytes:
    if name == "string":
        if not isinstance(value, str):
            raise ValueError("a string is text")
        return value.encode("utf-8")
    if isinstance(value, str):
        value = eip55.parse(value) if name == "address" else hexadecimal.to_bytes(value)
    if not isinstance(value, bytes):
        raise ValueError("an address or bytes are 0x-hex")
    size = eip55.LENGTH if name == "address" else int(name.removeprefix("bytes") or len(value))
    if len(value) != size:
        raise ValueError("an address or bytes have the wrong length")
    return value


class Reader:
    """Decodes once over ``data``, and notes on the way whether `encode` would have written the same."""

    __slots__ = ("bytes_left", "canonical", "data", "values_left")

    def __init__(self, data: bytes, values_left: int = MAX_VALUES) -> None:
        self.data = data
        self.canonical = True
        self.values_left = values_left
        """Falls as values are read, also if reading fails: several readers can share one budget."""
        self.bytes_left = len(data)
        """Of ``bytes`` and ``string`` together: without overlaps there are never more."""

    def read(self, names: Sequence[str]) -> tuple[tuple[Any, ...], bool]:
        """As the function `read`."""
        try:
            values, end = self.sequence([parse_type(name) for name in names], 0)
        except UnicodeDecodeError:
            raise ValueError("a string in the ABI encoding is not UTF-8") from None
        return values, self.canonical and end == len(self.data)

    def sequence(self, kinds: Sequence[Type], base: int) -> tuple[tuple[Any, ...], int]:
        """Values whose head starts at ``base``, and where the last of them ends."""
        self.values_left -= len(kinds)
        if self.values_left < 0:
            raise ValueError("the ABI encoding holds too many values")
        values: list[Any] = []
        at, tail = base, base + sum(kind.head for kind in kinds)
        for kind in kinds:
            if kind.dynamic:
                start = base + self.uint(at)
                self.canonical &= start == tail
                value, tail = self.value(kind, start)
            else:
                value, _ = self.value(kind, at)
            values.append(value)
            at += kind.head
        return tuple(values), tail

    def value(self, kind: Type, at: int) -> tuple[Any, int]:
        if kind.atom in ("bytes", "string"):
            raw, end = self.text(at)
            return (raw if kind.atom == "bytes" else raw.decode("utf-8")), end
        if kind.atom:
            return self.word(kind.atom, at), at + WORD
        if kind.item is None:
            return self.sequence(kind.parts or (), at)
        count = self.uint(at) if kind.size is None else kind.size
        if count > self.values_left:
            raise ValueError("the ABI encoding is cut short or holds too many values")
        values, end = self.sequence([kind.item] * count, at + WORD if kind.size is None else at)
        return list(values), end

    def uint(self, at: int) -> int:
        if at + WORD > len(self.data):
            raise ValueError("the ABI encoding is cut short")
        return int.from_bytes(self.data[at : at + WORD], "big")

    def word(self, name: str, at: int) -> Any:
        """An atom as a contract sees it that masks the word: the bytes outside the type do not count."""
        number = self.uint(at)
        if name in INTEGERS:
            low, high = _range(name)
            value = number % (high - low)
            if value >= high:
                value -= high - low
            self.canonical &= value % 2**256 == number
            return value
        if name == "bool":
            self.canonical &= number <= 1
            return number != 0
        word = self.data[at : at + WORD]
        if name == "address":
            self.canonical &= number < 2**160
            return word[-eip55.LENGTH :]
        size = int(name.removeprefix("bytes"))
        self.canonical &= not any(word[size:])
        return word[:size]

    def text(self, at: int) -> tuple[bytes, int]:
        """The bytes of a ``bytes`` or ``string``, and where they end with their padding."""
        size = self.uint(at)
        start, end = at + WORD, at + WORD + size
        self.bytes_left -= size
        if end > len(self.data) or self.bytes_left < 0:
            raise ValueError("the ABI encoding is cut short or overlaps itself")
        padded = start + _padded(size)
        self.canonical &= padded <= len(self.data) and not any(self.data[end:padded])
        return self.data[start:end], padded
