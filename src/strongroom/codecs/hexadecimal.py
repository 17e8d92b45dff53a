"""0x-hex, read strictly. Only a lower-case prefix and an even number of hex digits are accepted."""

from __future__ import annotations

from binascii import a2b_hex


def to_bytes(text: str) -> bytes:
    """``"0x00ff"`` is two bytes. Raises ValueError, even on white space, which `bytes.fromhex` would accept."""
    if not text.startswith("0x"):
        raise ValueError("hex must start with 0x")
    try:
        return a2b_hex(text[2:])
    except ValueError:
        raise ValueError("hex must be an even number of the digits 0-9 and a-f after 0x") from None


def to_text(data: bytes) -> str:
    return f"0x{data.hex()}"
