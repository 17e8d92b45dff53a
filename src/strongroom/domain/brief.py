"""Bounds the size of what is stored permanently, so that no caller decides how large a row becomes."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

MOST_BYTES: Final = 4096
_STRING: Final = 1024
_SMALL: Final = 160
_DIGEST: Final = 96
"""Bytes for `…sha256:` and a digest, with some to spare."""
_NOTE: Final = 160
"""Bytes for the ``cut`` note."""
_TO_JSON: Final = msgspec.json.Encoder()
"""Keeps the order of keys."""


def brief(tree: Any) -> bytes:
    """JSON of an object, at most `MOST_BYTES` long.

    If the object is longer, its small values are kept first, then as much of the rest as fits, in the original order.
    A string that is cut ends in the SHA-256 of what was left out. The added key ``cut`` has the size and the SHA-256
    of the whole.
    """
    whole = _TO_JSON.encode(tree)
    if len(whole) <= MOST_BYTES:
        return whole
    note = {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
    kept, _ = _object(msgspec.to_builtins(tree), MOST_BYTES - _NOTE)
    return _TO_JSON.encode({**kept, "cut": note})


def _fitted(value: Any, room: int) -> tuple[Any, int] | None:
    """The part of a value that fits and its encoded size, or None if nothing fits."""
    if isinstance(value, dict) and room > _SMALL:
        return _object(value, room)
    if isinstance(value, list) and room > _SMALL:
        return _array(value, room)
    if isinstance(value, str) and len(value) + 2 > min(room, _STRING):
        return _string(value, min(room, _STRING))
    size = len(_TO_JSON.encode(value))
    return (value, size) if size <= room else None


def _object(value: dict[str, Any], room: int) -> tuple[dict[str, Any], int]:
    kept: dict[str, Any] = {}
    room -= 2
    for small in (True, False):
        for name, inner in value.items():
            if _is_small(inner) is not small:
                continue
            label = len(_TO_JSON.encode(name)) + 2
            fitted = _fitted(inner, room - label)
            if fitted is not None:
                kept[name] = fitted[0]
                room -= label + fitted[1]
    ordered = {name: kept[name] for name in value if name in kept}
    return ordered, len(_TO_JSON.encode(ordered))


def _array(value: list[Any], room: int) -> tuple[list[Any], int]:
    kept: list[Any] = []
    room -= 2
    for inner in value:
        fitted = _fitted(inner, room - 1)
        if fitted is None:
            break
        kept.append(fitted[0])
        room -= fitted[1] + 1
    return kept, len(_TO_JSON.encode(kept))


def _string(value: str, room: int) -> tuple[str, int] | None:
    most = (room - _DIGEST) // 6  # a control character is six bytes of JSON
    if most <= 0:
        return None
    cut = f"{value[:most]}…sha256:{hashlib.sha256(value[most:].encode()).hexdigest()}"
    return cut, len(_TO_JSON.encode(cut))


def _is_small(value: Any) -> bool:
    """An estimate that does not encode the value."""
    return not isinstance(value, dict | list) and len(str(value)) <= _SMALL
