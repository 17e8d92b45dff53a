"""0x-hex, read strictly: lower-case prefix, whole bytes, hex digits and nothing else."""

from __future__ import annotations

from binascii import a2b_hex


def to_bytes(text: str) -> bytes:
    """``"0x00ff"`` is two bytes. Raises ValueError; `bytes.fromhex` would let white space through."""
    if not text.startswith("0x"):
        raise ValueError("hex starts with 0x")
    try:
        return a2b_hex(text[2:])
    except ValueError:
        raise ValueError("hex is an even number of the digits 0-9, a-f after 0x") from None


def to_text(data: bytes) -> str:
    return f"0x{data.hex()}"
