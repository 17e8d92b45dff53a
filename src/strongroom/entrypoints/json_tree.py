"""JSON, read strictly and in bounded time, for both faces.

The standard library's parser reads it because it alone shows duplicate keys and keeps integers beyond 64 bits exact.
What that parser and msgspec take per value is bounded first, by counting the values: a megabyte of `{},` would hold
the event loop for a quarter of a second.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from strongroom.errors import MalformedRequest

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 50_000
"""Strings, numbers, lists and objects in one document, keys counted too."""

MAX_DIGITS: Final = 100
"""More than any 256-bit integer has."""

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or what is left of one that does not end: it always matches at a quotation mark, so a scan is linear."""
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_ONE_BRACKET: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


def read_json(raw: bytes, *, max_values: int = MAX_VALUES) -> Any:
    """JSON as RFC 8259 has it, and stricter: UTF-8, no duplicate keys, at most 32 deep. Raises MalformedRequest."""
    _check_size(raw, max_values)
    try:
        tree = json.loads(raw.decode(), object_pairs_hook=_unique, parse_int=_integer, parse_constant=_no_constant)
        if _SURROGATE.search(raw):
            json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise MalformedRequest("the body is not UTF-8") from None
    except UnicodeEncodeError:
        raise MalformedRequest("a string of the JSON holds half a surrogate pair") from None
    except (ValueError, RecursionError):
        raise MalformedRequest("the body is not JSON") from None
    return tree


def _check_size(raw: bytes, max_values: int) -> None:
    """Raises MalformedRequest for what is nested too deep or has too many values. Looks closer only if it may be so."""
    brackets = raw.count(b"{") + raw.count(b"[")
    marks = brackets + raw.count(b",") + raw.count(b":")
    if brackets <= MAX_DEPTH and marks < max_values:
        return
    bare, strings = _STRING.subn(b"", raw, count=max_values + 1)
    values = 1 + bare.count(b"{") + bare.count(b"[") + bare.count(b",") + bare.count(b":")
    if strings > max_values or values > max_values:
        raise MalformedRequest(f"the JSON has more than {max_values} values")
    if _is_too_deep(bare.translate(_ONE_BRACKET, delete=_NOT_BRACKETS)):
        raise MalformedRequest(f"the JSON is nested more than {MAX_DEPTH} deep")


def _is_too_deep(brackets: bytes) -> bool:
    """Each round takes away the innermost pairs, and with them one level."""
    for _ in range(MAX_DEPTH):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequest("an object of the JSON has the same key twice")
    return found


def _integer(digits: str) -> int:
    """To read an integer takes time that grows with the square of its length."""
    if len(digits) > MAX_DIGITS:
        raise MalformedRequest(f"an integer of the JSON has more than {MAX_DIGITS} digits")
    return int(digits)


def _no_constant(_: str) -> None:
    raise MalformedRequest("NaN and Infinity are not JSON")
