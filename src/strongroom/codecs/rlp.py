"""RLP (Ethereum Yellow Paper, appendix B). Decoding takes the one canonical encoding and refuses every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

Item: TypeAlias = "bytes | Sequence[Item]"

MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 2**16
_SHORT: Final = 55


class RlpError(ValueError):
    """Not the canonical RLP of anything, or of the wrong shape."""


def encode(item: Item) -> bytes:
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _header(len(item), 0x80) + item
    body = b"".join(map(encode, item))
    return _header(len(body), 0xC0) + body


def uint(value: int) -> bytes:
    """An integer as RLP wants it: big-endian, no leading zeros, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Item:
    """Raises RlpError on trailing bytes, a length that is not minimal, and what is too deep or has too many items."""
    item, end = _Reader(data).item(0, len(data), 0)
    if end != len(data):
        raise RlpError("bytes follow the RLP item")
    return item


def to_uint(item: Item) -> int:
    """The inverse of `uint`. Raises RlpError on a list and on leading zeros."""
    if not isinstance(item, bytes):
        raise RlpError("a list stands where an integer belongs")
    if item[:1] == b"\0":
        raise RlpError("an integer has leading zeros")
    return int.from_bytes(item, "big")


def to_string(item: Item) -> bytes:
    if not isinstance(item, bytes):
        raise RlpError("a list stands where bytes belong")
    return item


def to_list(item: Item) -> Sequence[Item]:
    if isinstance(item, bytes):
        raise RlpError("bytes stand where a list belongs")
    return item


def _header(size: int, offset: int) -> bytes:
    if size <= _SHORT:
        return bytes((offset + size,))
    length = uint(size)
    return bytes((offset + _SHORT + len(length),)) + length


class _Reader:
    """Walks an encoding; ``left`` is how many items may still come."""

    __slots__ = ("data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = MAX_ITEMS

    def item(self, at: int, end: int, depth: int) -> tuple[Item, int]:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise RlpError("the RLP has too many items or is too deep")
        if at >= end:
            raise RlpError("the RLP is cut short")
        tag = self.data[at]
        if tag < 0x80:
            return self.data[at : at + 1], at + 1
        start, stop = self._span(at, end, tag)
        if tag < 0xC0:
            if stop - start == 1 and self.data[start] < 0x80:
                raise RlpError("a single byte below 0x80 is its own RLP")
            return self.data[start:stop], stop
        items: list[Item] = []
        while start < stop:
            item, start = self.item(start, stop, depth + 1)
            items.append(item)
        return items, stop

    def _span(self, at: int, end: int, tag: int) -> tuple[int, int]:
        """Where the content of the item at ``at`` starts and stops."""
        size = tag - (0x80 if tag < 0xC0 else 0xC0)
        start = at + 1
        if size > _SHORT:
            width = size - _SHORT
            length = self.data[start : min(start + width, end)]
            size = int.from_bytes(length, "big")
            if len(length) != width or length[0] == 0 or size <= _SHORT:
                raise RlpError("a length is cut short or not minimal")
            start += width
        if start + size > end:
            raise RlpError("the RLP is cut short")
        return start, start + size
