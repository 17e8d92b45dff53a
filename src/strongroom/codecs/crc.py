"""The checksums of TON, which are CRC-16/XMODEM in addresses and CRC-32C (Castagnoli) at the end of a bag of cells."""

from __future__ import annotations

from typing import Final


def _crc16_entry(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = crc << 1 ^ (0x1021 if crc & 0x8000 else 0)
    return crc & 0xFFFF


def _crc32c_entry(byte: int) -> int:
    crc = byte
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


_CRC16: Final = tuple(map(_crc16_entry, range(256)))
_CRC32C: Final = tuple(map(_crc32c_entry, range(256)))


def crc16(data: bytes) -> bytes:
    """CRC-16/XMODEM as 2 bytes, big-endian."""
    crc = 0
    for byte in data:
        crc = crc << 8 & 0xFFFF ^ _CRC16[crc >> 8 ^ byte]
    return crc.to_bytes(2, "big")


def crc32c(data: bytes) -> bytes:
    """CRC-32C as 4 bytes, little-endian, the order in a bag of cells."""
    crc, table = 0xFFFFFFFF, _CRC32C
    for byte in data:
        crc = crc >> 8 ^ table[crc & 0xFF ^ byte]
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "little")
