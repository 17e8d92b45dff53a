"""Strict reading and writing of the primitives in transactions and PSBTs (Bitcoin Core, src/serialize.h)."""

from __future__ import annotations

from typing import Final

_SIZES: Final = {0xFD: 2, 0xFE: 4, 0xFF: 8}
"""The first byte of a longer compact size, and the number of bytes that follow it."""


class Reader:
    """Reads ``data`` from its start. Every method raises ValueError if too little is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ValueError("the data ends too early")
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def u8(self) -> int:
        return self.take(1)[0]

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def compact_size(self) -> int:
        """Raises ValueError if the number is not in its shortest form."""
        first = self.u8()
        size = _SIZES.get(first)
        if size is None:
            return first
        number = int.from_bytes(self.take(size), "little")
        if number < (0xFD if size == 2 else 1 << 4 * size):
            raise ValueError("a compact size is not in its shortest form")
        return number

    def count(self, least: int) -> int:
        """A compact size that counts items of at least ``least`` bytes. Raises ValueError if they cannot all follow."""
        number = self.compact_size()
        if number * least > self.left:
            raise ValueError("the data ends too early")
        return number

    def var_bytes(self) -> bytes:
        return self.take(self.compact_size())

    def end(self) -> None:
        if self.left:
            raise ValueError("bytes follow the end")


def compact_size(number: int) -> bytes:
    if number < 0xFD:
        return bytes((number,))
    first, size = next((first, size) for first, size in _SIZES.items() if number < 1 << 8 * size)
    return bytes((first,)) + number.to_bytes(size, "little")


def var_bytes(data: bytes) -> bytes:
    return compact_size(len(data)) + data
