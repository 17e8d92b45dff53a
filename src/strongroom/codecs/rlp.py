"""RLP (Ethereum Yellow Paper, appendix B). Decoding takes the one canonical encoding and refuses every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

Item: TypeAlias = "bytes | Sequence[Item]"

MAX_DEPTH: Final = 8
MAX_ITEMS: Final = 2**14
"""What a transaction of half a megabyte with the longest access list has. Each costs microseconds."""
_SHORT: Final = 55
_STRING_HEADERS: Final = tuple(bytes((0x80 + size,)) for size in range(_SHORT + 1))


class RlpError(ValueError):
    """Not the canonical RLP of anything, or of the wrong shape."""


def encode(item: Item) -> bytes:
    if isinstance(item, bytes):
        size = len(item)
        if size == 1 and item[0] < 0x80:
            return item
        return (_STRING_HEADERS[size] if size <= _SHORT else _header(size, 0x80)) + item
    body = b"".join([encode(part) for part in item])
    return _header(len(body), 0xC0) + body


def uint(value: int) -> bytes:
    """An integer as RLP wants it: big-endian, no leading zeros, zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode(data: bytes) -> Item:
    """Raises RlpError on trailing bytes, a length that is not minimal, and what is too deep or has too many items."""
    items = _Reader(data).items(0, len(data), 0)
    if len(items) != 1:
        raise RlpError("one RLP item belongs here")
    return items[0]


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
                    raise RlpError("a single byte below 0x80 is its own RLP")
            at = stop
        return found

    def _list(self, at: int, stop: int, depth: int) -> list[Item]:
        if depth > MAX_DEPTH:
            raise RlpError("the RLP is too deep")
        return self.items(at, stop, depth)

    def _span(self, at: int, end: int, tag: int) -> tuple[int, int]:
        """Where the content of the item at ``at`` starts and stops."""
        size = tag - (0x80 if tag < 0xC0 else 0xC0)
        at += 1
        if size > _SHORT:
            width = size - _SHORT
            length = self.data[at : min(at + width, end)]
            size = int.from_bytes(length, "big")
            if len(length) != width or length[0] == 0 or size <= _SHORT:
                raise RlpError("a length is cut short or not minimal")
            at += width
        if at + size > end:
            raise RlpError("the RLP is cut short")
        return at, at + size
