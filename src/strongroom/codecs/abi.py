"""The Solidity contract ABI, with every type except fixed-point numbers and functions.

To encode, integers are int or decimal strings, addresses and bytes are 0x-hex or bytes, tuples and arrays are lists.

There are two ways to decode. `decode` accepts only the bytes that `encode` would write. `read` accepts whatever a
contract would accept, and says whether the encoding is canonical. All functions raise ValueError.

Source: the Contract ABI Specification of the Solidity documentation.
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
"""Values that one call of `read` decodes, arrays and tuples included.

The size of the data is no bound, because offsets may point many arrays at the same bytes.
"""

_SIGNATURE: Final = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]*)\(([a-z0-9,()\[\]]*)\)", re.ASCII)
_ARRAY: Final = re.compile(r"(.+)\[([1-9][0-9]{0,4})?\]", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,77})", re.ASCII)
_MAX_NESTING: Final = 8


@dataclass(frozen=True, slots=True)
class Type:
    """A parsed type. Exactly one of ``atom``, ``item`` and ``parts`` is set."""

    atom: str = ""
    item: Type | None = None
    """The type of an array's items."""
    size: int | None = None
    """The length of an array, or None if it may have any length."""
    parts: tuple[Type, ...] | None = None
    """The types of a tuple's parts."""
    dynamic: bool = False
    head: int = WORD
    """Bytes that a value takes in the head of the enclosing sequence."""


@lru_cache(maxsize=256)
def selector(signature: str) -> bytes:
    """The first four bytes of the Keccak hash of a signature in canonical form, ``transfer(address,uint256)``."""
    types(signature)
    return keccak256(signature.encode())[:4]


@lru_cache(maxsize=256)
def types(signature: str) -> tuple[str, ...]:
    """The parameter types of a function signature."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise ValueError("a function signature must be a name and types in parentheses")
    names = tuple(split(found[2]))
    for name in names:
        parse_type(name)
    return names


def split(text: str) -> list[str]:
    """The parts between commas that are outside all parentheses. Empty text has no parts."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]] if text else []


@lru_cache(maxsize=1024)
def parse_type(name: str, nesting: int = 0) -> Type:
    """Parse a type in canonical form, such as ``(address,uint256[])[2]``."""
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
        raise ValueError("a type is not supported")
    return Type(atom=name, dynamic=name in ("bytes", "string"))


def encode(names: Sequence[str], values: Sequence[Any]) -> bytes:
    return _encode_sequence([parse_type(name) for name in names], values)


def decode(names: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """The values, with addresses and bytes as bytes, tuples as tuples, and the others as int, bool, str and list."""
    values, canonical = read(names, data)
    if not canonical:
        raise ValueError("the ABI encoding is not canonical")
    return values


def read(names: Sequence[str], data: bytes) -> tuple[tuple[Any, ...], bool]:
    """The values as `decode` returns them, and whether ``data`` is their canonical encoding.

    Like a contract, this accepts bytes after the arguments, gaps between them, unusual offsets and set bits in the
    unused part of a word. Raises ValueError if the data is cut short, or if its ``bytes`` and strings together are
    longer than the data, which they can be only if they overlap.
    """
    return Reader(data).read(names)


def integer(value: object) -> int:
    """An int as it is, or decimal text as an int. Raises ValueError on anything else, bool and float included."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    if type(value) is not int:
        raise ValueError("an integer must be a number or its decimal digits")
    return value


def encode_integer(name: str, value: int) -> bytes:
    """The 32-byte word of an integer. Raises ValueError if it is out of the range of ``uintN`` or ``intN``."""
    low, high = _range(name)
    if not low <= value < high:
        raise ValueError("an integer is out of range for its type")
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
        raise ValueError("the number of arguments differs from the number of types")
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
        raise ValueError("an array must be a list with the length of its type")
    if kind.item is None:
        return _encode_sequence(kind.parts or (), value)
    body = _encode_sequence([kind.item] * len(value), value)
    return body if kind.size is not None else len(value).to_bytes(WORD, "big") + body


def _encode_atom(name: str, value: Any) -> bytes:
    if name in INTEGERS:
        return encode_integer(name, integer(value))
    if name == "bool":
        if not isinstance(value, bool):
            raise ValueError("a bool must be true or false")
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
            raise ValueError("a string must be text")
        return value.encode("utf-8")
    if isinstance(value, str):
        value = eip55.parse(value) if name == "address" else hexadecimal.to_bytes(value)
    if not isinstance(value, bytes):
        raise ValueError("an address or bytes must be 0x-hex")
    size = eip55.LENGTH if name == "address" else int(name.removeprefix("bytes") or len(value))
    if len(value) != size:
        raise ValueError("an address or bytes have the wrong length")
    return value


class Reader:
    """Decodes ``data`` in one pass and notes whether `encode` would have written the same bytes."""

    __slots__ = ("bytes_left", "canonical", "data", "values_left")

    def __init__(self, data: bytes, values_left: int = MAX_VALUES) -> None:
        self.data = data
        self.canonical = True
        self.values_left = values_left
        """Decreases as values are read, even if reading fails, so that several readers can share one budget."""
        self.bytes_left = len(data)
        """Bytes that ``bytes`` and strings may still have in total. Without overlaps they never have more."""

    def read(self, names: Sequence[str]) -> tuple[tuple[Any, ...], bool]:
        """Like the function `read`."""
        try:
            values, end = self.sequence([parse_type(name) for name in names], 0)
        except UnicodeDecodeError:
            raise ValueError("a string in the ABI encoding must be UTF-8") from None
        return values, self.canonical and end == len(self.data)

    def sequence(self, kinds: Sequence[Type], base: int) -> tuple[tuple[Any, ...], int]:
        """The values whose head starts at ``base``, and the position where the last of them ends."""
        self.values_left -= len(kinds)
        if self.values_left < 0:
            raise ValueError("the ABI encoding has too many values")
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
            raise ValueError("the ABI encoding ends too early or has too many values")
        values, end = self.sequence([kind.item] * count, at + WORD if kind.size is None else at)
        return list(values), end

    def uint(self, at: int) -> int:
        if at + WORD > len(self.data):
            raise ValueError("the ABI encoding ends too early")
        return int.from_bytes(self.data[at : at + WORD], "big")

    def word(self, name: str, at: int) -> Any:
        """An atom as seen by a contract that masks the word and so ignores the bits outside the type."""
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
        """The content of a ``bytes`` or ``string``, and the position where its padding ends."""
        size = self.uint(at)
        start, end = at + WORD, at + WORD + size
        self.bytes_left -= size
        if end > len(self.data) or self.bytes_left < 0:
            raise ValueError("the ABI encoding ends too early or overlaps itself")
        padded = start + _padded(size)
        self.canonical &= padded <= len(self.data) and not any(self.data[end:padded])
        return self.data[start:end], padded
