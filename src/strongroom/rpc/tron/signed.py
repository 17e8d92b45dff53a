"""A signed transaction as nodes take it: the hex of the whole message, also where it was given as JSON."""

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
    """``signed`` is of `Signed.raw` or was read by ``Chain.identify``. What is signed is ``raw_data_hex``: a node would
    make its own bytes of ``raw_data``.
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
    """Protocol Buffers: key, length, content."""
    size, length = bytearray(), len(content)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return key + bytes([*size, length]) + content
