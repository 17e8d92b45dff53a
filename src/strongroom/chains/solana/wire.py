"""Strict reading of bytes as the Solana SDK writes them. A length has one valid encoding, and others are refused."""

from __future__ import annotations

from typing import Final

_CONTINUES: Final = 0x80
_MAX_U16: Final = 0xFFFF


class Reader:
    """Reads ``data`` from its start. Raises ValueError if the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        found = self.data[self.position : self.position + size]
        if len(found) != size:
            raise ValueError("the bytes end too early")
        self.position += size
        return found

    def uint(self, size: int) -> int:
        """A little-endian integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little")

    def compact_u16(self) -> int:
        """A length in one to three bytes, in the shortest form (short_vec of the Solana SDK)."""
        value = 0
        for shift in (0, 7, 14):
            byte = self.uint(1)
            value |= (byte & 0x7F) << shift
            if not byte & _CONTINUES:
                if (shift and not byte) or value > _MAX_U16:
                    break
                return value
        raise ValueError("a compact-u16 length is not in its shortest form")

    @property
    def rest(self) -> int:
        return len(self.data) - self.position

    def end(self) -> None:
        if self.rest:
            raise ValueError(f"{self.rest} bytes follow its end")


def compact_u16(value: int) -> bytes:
    found = bytearray()
    while value >= _CONTINUES:
        found.append(value & 0x7F | _CONTINUES)
        value >>= 7
    return bytes((*found, value))
