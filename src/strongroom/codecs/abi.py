"""The part of the Solidity contract ABI that tokens need.

address, bool, uintN, intN, bytesN, bytes, string and arrays of them; no tuples. Integers may be given as int or decimal
string, addresses and bytes as 0x-hex or bytes. Decoding takes only what `encode` would give, so that a call cannot
mean one thing here and another to a contract. All raise ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from strongroom.codecs import eip55, hexadecimal
from strongroom.codecs.keccak import keccak256

WORD: Final = 32
INTEGERS: Final = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in range(8, 257, 8))
FIXED_BYTES: Final = frozenset(f"bytes{size}" for size in range(1, 33))
ATOMIC: Final = INTEGERS | FIXED_BYTES | {"address", "bool", "bytes", "string"}

_SIGNATURE: Final = re.compile(r"([A-Za-z_$][A-Za-z0-9_$]*)\(([a-z0-9,\[\]]*)\)", re.ASCII)
_ARRAY: Final = re.compile(r"(.+)\[([1-9][0-9]{0,4})?\]", re.ASCII)
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,77})", re.ASCII)
_MAX_NESTING: Final = 8


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
    names = tuple(found[2].split(",")) if found[2] else ()
    for name in names:
        _check_type(name)
    return names


def encode_call(signature: str, args: Sequence[Any]) -> bytes:
    return selector(signature) + encode(types(signature), args)


def encode(names: Sequence[str], values: Sequence[Any]) -> bytes:
    if len(names) != len(values):
        raise ValueError("the number of arguments is not that of the types")
    heads: list[bytes | None] = []
    tails: list[bytes] = []
    for name, value in zip(names, values, strict=True):
        encoded = _encode(name, value)
        heads.append(None if _dynamic(name) else encoded)
        tails.append(encoded if _dynamic(name) else b"")
    offset = sum(WORD if head is None else len(head) for head in heads)
    out = []
    for head, tail in zip(heads, tails, strict=True):
        out.append(offset.to_bytes(WORD, "big") if head is None else head)
        offset += len(tail)
    return b"".join(out + tails)


def decode(names: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Addresses and bytes come as bytes, the rest as int, bool, str, list."""
    values = _decode_sequence(names, data, 0)
    if encode(names, values) != data:
        raise ValueError("the ABI encoding is not canonical")
    return values


def decode_text(result: bytes) -> str:
    """What ``symbol()`` and ``name()`` return: a string, or bytes32 padded with zeros as older tokens do."""
    raw = result.rstrip(b"\0") if len(result) == WORD else _bytes_at(result, _uint(result, 0))
    return raw.decode("utf-8")


def integer(value: object) -> int:
    """An integer, or the one that decimal text states. Raises ValueError."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    if type(value) is not int:
        raise ValueError("an integer is an integer or its decimal digits")
    return value


def encode_integer(name: str, value: int) -> bytes:
    """The word of an integer in the range of ``uintN`` or ``intN``. Raises ValueError."""
    signed = name[0] == "i"
    bits = int(name.removeprefix("u").removeprefix("int"))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not low <= value < high:
        raise ValueError("an integer is out of the range of its type")
    return value.to_bytes(WORD, "big", signed=signed)


def _check_type(name: str) -> None:
    for _ in range(_MAX_NESTING):
        array = _array(name)
        if array is None:
            break
        name = array[0]
    if name not in ATOMIC:
        raise ValueError("a type is not one that is supported here")


@lru_cache(maxsize=512)
def _array(name: str) -> tuple[str, int | None] | None:
    """Item type and fixed size (None: as many as there are) of an array type, None for any other."""
    found = _ARRAY.fullmatch(name)
    return None if found is None else (found[1], None if found[2] is None else int(found[2]))


@lru_cache(maxsize=512)
def _dynamic(name: str) -> bool:
    array = _array(name)
    if array is None:
        return name in ("bytes", "string")
    return array[1] is None or _dynamic(array[0])


def _encode(name: str, value: Any) -> bytes:
    array = _array(name)
    if array is not None:
        item, size = array
        if not isinstance(value, list | tuple) or size not in (None, len(value)):
            raise ValueError("an array is a list of the length of its type")
        body = encode([item] * len(value), value)
        return body if size is not None else len(value).to_bytes(WORD, "big") + body
    if name in INTEGERS:
        return encode_integer(name, integer(value))
    if name == "bool":
        if not isinstance(value, bool):
            raise ValueError("a bool is true or false")
        return value.to_bytes(WORD, "big")
    raw = _raw(name, value)
    if name == "address":
        return raw.rjust(WORD, b"\0")
    padded = raw.ljust(-(-len(raw) // WORD) * WORD, b"\0")
    return padded if name in FIXED_BYTES else len(raw).to_bytes(WORD, "big") + padded


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


def _decode_sequence(names: Sequence[str], data: bytes, base: int) -> tuple[Any, ...]:
    values, at = [], base
    for name in names:
        if _dynamic(name):
            values.append(_decode(name, data, base + _uint(data, at)))
            at += WORD
        else:
            values.append(_decode(name, data, at))
            at += _static_size(name)
    return tuple(values)


def _decode(name: str, data: bytes, at: int) -> Any:
    array = _array(name)
    if array is not None:
        item, size = array
        count = _uint(data, at) if size is None else size
        if count * WORD > len(data):
            raise ValueError("the ABI encoding is cut short")
        return list(_decode_sequence([item] * count, data, at + WORD if size is None else at))
    if name in ("bytes", "string"):
        raw = _bytes_at(data, at)
        return raw if name == "bytes" else raw.decode("utf-8")
    word = _word(data, at)
    if name in INTEGERS:
        return int.from_bytes(word, "big", signed=name[0] == "i")
    if name == "bool":
        return word[-1] == 1
    return word[-eip55.LENGTH :] if name == "address" else word[: int(name.removeprefix("bytes"))]


def _static_size(name: str) -> int:
    array = _array(name)
    return WORD if array is None else (array[1] or 0) * _static_size(array[0])


def _word(data: bytes, at: int) -> bytes:
    if at + WORD > len(data):
        raise ValueError("the ABI encoding is cut short")
    return data[at : at + WORD]


def _uint(data: bytes, at: int) -> int:
    return int.from_bytes(_word(data, at), "big")


def _bytes_at(data: bytes, at: int) -> bytes:
    size = _uint(data, at)
    if at + WORD + size > len(data):
        raise ValueError("the ABI encoding is cut short")
    return data[at + WORD : at + WORD + size]
