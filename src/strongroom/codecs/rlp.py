"""RLP (Ethereum Yellow Paper, appendix B). Decoding accepts only the canonical encoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

Item: TypeAlias = "bytes | Sequence[Item]"

MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 2**14
"""As many items as a transaction of half a megabyte with the longest access list has. Each costs microseconds."""
_SHORT: Final = 55
_STRING_HEADERS: Final = tuple(bytes((0x80 + size,)) for size in range(_SHORT + 1))


class RlpError(ValueError):
    """The bytes are not canonical RLP, or an item has the wrong shape."""


def encode(item: Item) -> bytes:
    if isinstance(item, bytes):
        size = len(item)
        if size == 1 and item[0] < 0x80:
            return item
        return (_STRING_HEADERS[size] if size <= _SHORT else _header(size, 0x80)) + item
    parts: list[bytes] = []
    for part in item:  # most are short strings, and a function call for each would take most of the time
        if isinstance(part, bytes) and (size := len(part)) <= _SHORT:
            if size != 1 or part[0] >= 0x80:
                parts.append(_STRING_HEADERS[size])
            parts.append(part)
        else:
            parts.append(encode(part))
    body = b"".join(parts)
    return _header(len(body), 0xC0) + body


def uint(value: int) -> bytes:
    """The bytes of an integer in RLP, big-endian without leading zeros, so that zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Item:
    """Raises RlpError on trailing bytes, lengths that are not minimal, too deep nesting and too many items."""
    items = _Reader(data).items(0, len(data), 0)
    if len(items) != 1:
        raise RlpError("there must be exactly one RLP item")
    return items[0]


def to_uint(item: Item) -> int:
    """The inverse of `uint`. Raises RlpError on a list or leading zeros."""
    if not isinstance(item, bytes):
        raise RlpError("a list is in the place of an integer")
    if item[:1] == b"\0":
        raise RlpError("an integer has leading zeros")
    return int.from_bytes(item, "big")


def to_string(item: Item) -> bytes:
    if not isinstance(item, bytes):
        raise RlpError("a list is in the place of bytes")
    return item


def to_list(item: Item) -> Sequence[Item]:
    if isinstance(item, bytes):
        raise RlpError("bytes are in the place of a list")
    return item


def _header(size: int, offset: int) -> bytes:
    if size <= _SHORT:
        return bytes((offset + size,))
    length = uint(size)
    return bytes((offset + _SHORT + len(length),)) + length


class _Reader:
    """Walks an encoding. ``left`` is the number of items that may still follow."""

    __slots__ = ("data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_ITEMS

    def items(self, at: int, end: int, depth: int) -> list[Item]:
        """The items that fill the bytes from ``at`` to ``end``."""
        data = self.data
        found: list[Item] = []
        while at < end:
            tag = data[at]
            self.left -= 1
            if self.left < 0:
                raise RlpError("the RLP has too many items")
            if tag < 0x80:
                found.append(data[at : at + 1])
                at += 1
                continue
            at, stop = self._span(at, end, tag)
            if tag >= 0xC0:
                found.append(self._list(at, stop, depth + 1))
            else:
                found.append(data[at:stop])
                if stop - at == 1 and data[at] < 0x80:
                    raise RlpError("a single byte below 0x80 must be its own RLP")
            at = stop
        return found

    def _list(self, at: int, stop: int, depth: int) -> list[Item]:
        if depth > MAX_DEPTH:
            raise RlpError("the RLP is nested too deeply")
        return self.items(at, stop, depth)

    def _span(self, at: int, end: int, tag: int) -> tuple[int, int]:
        """The start and the end of the content of the item at ``at``."""
        size = tag - (0x80 if tag < 0xC0 else 0xC0)
        at += 1
        if size > _SHORT:
            width = size - _SHORT
            length = self.data[at : min(at + width, end)]
            size = int.from_bytes(length, "big")
            if len(length) != width or length[0] == 0 or size <= _SHORT:
                raise RlpError("a length is incomplete or not minimal")
            at += width
        if at + size > end:
            raise RlpError("the RLP ends too early")
        return at, at + size
