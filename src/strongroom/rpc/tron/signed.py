"""A signed transaction as nodes accept it: the hex of the whole message, even if it was given as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from strongroom.rpc.base import NodeError, Verdict

_RAW_DATA = b"\x0a"
_SIGNATURE = b"\x12"


class _Form(msgspec.Struct, frozen=True):
    raw_data_hex: str
    signature: list[str]
    raw_data: Any = None


def as_hex(signed: str) -> str:
    """``signed`` comes from `Signed.raw`, or was read by ``Chain.identify``.

    The signature covers ``raw_data_hex``. From ``raw_data`` a node would make bytes of its own.
    """
    if not signed.lstrip().startswith("{"):
        return signed
    try:
        form = msgspec.json.decode(signed, type=_Form)
        whole = _field(_RAW_DATA, bytes.fromhex(form.raw_data_hex))
        return (whole + b"".join(_field(_SIGNATURE, bytes.fromhex(each)) for each in form.signature)).hex()
    except (ValueError, RecursionError):
        raise NodeError(Verdict.OURS, "bad_transaction") from None


def _field(key: bytes, content: bytes) -> bytes:
    """A field of Protocol Buffers: key, length, content."""
    size, length = bytearray(), len(content)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return key + bytes([*size, length]) + content
