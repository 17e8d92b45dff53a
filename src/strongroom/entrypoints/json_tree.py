"""Reads JSON strictly and in bounded time, for REST and gRPC.

The standard library's parser is used because only it reveals duplicate keys and keeps integers beyond 64 bits exact.
The number of values is limited first, because the parser and msgspec take time for each: a megabyte of `{},` would
block the event loop for a quarter of a second.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from strongroom.errors import MalformedRequest

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 50_000
"""Strings, numbers, lists and objects in one document, including keys."""

BATCH_VALUES: Final = 4
"""A batch may have this many times as many values as another document."""

MAX_DIGITS: Final = 100
"""More than any 256-bit integer has."""

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or the rest of one that does not end. It matches at every quotation mark, so a scan is linear."""
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_ONE_BRACKET: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


def read_json(raw: bytes, *, max_values: int = MAX_VALUES) -> Any:
    """Read JSON of RFC 8259 that is UTF-8, without duplicate keys, and at most 32 deep. Raises MalformedRequest."""
    _check_size(raw, max_values)
    try:
        tree = json.loads(raw.decode(), object_pairs_hook=_unique, parse_int=_integer, parse_constant=_no_constant)
        if _SURROGATE.search(raw):
            json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise MalformedRequest("the body is not UTF-8") from None
    except UnicodeEncodeError:
        raise MalformedRequest("a string in the JSON contains half a surrogate pair") from None
    except (ValueError, RecursionError):
        raise MalformedRequest("the body is not JSON") from None
    return tree


def _check_size(raw: bytes, max_values: int) -> None:
    """Raises MalformedRequest for too many levels or values. Looks closely only if a first count allows for that."""
    brackets = raw.count(b"{") + raw.count(b"[")
    marks = brackets + raw.count(b",") + raw.count(b":")
    if brackets <= MAX_DEPTH and marks < max_values:
        return
    bare, strings = _STRING.subn(b"", raw, count=max_values + 1)
    values = 1 + bare.count(b"{") + bare.count(b"[") + bare.count(b",") + bare.count(b":")
    if strings > max_values or values > max_values:
        raise MalformedRequest(
            f"the JSON has more than {max_values} values",
            limit=str(max_values), setting="STRONGROOM_BOUNDS__JSON_VALUES",
        )  # fmt: skip
    if _is_too_deep(bare.translate(_ONE_BRACKET, delete=_NOT_BRACKETS)):
        raise MalformedRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels")


def _is_too_deep(brackets: bytes) -> bool:
    """Each round removes the innermost pairs, and so one level."""
    for _ in range(MAX_DEPTH):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    return b"[]" in brackets or brackets.count(b"[") > MAX_DEPTH


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequest("an object in the JSON has the same key twice")
    return found


def _integer(digits: str) -> int:
    """Limits the length, because parsing an integer takes quadratic time."""
    if len(digits) > MAX_DIGITS:
        raise MalformedRequest(f"an integer in the JSON has more than {MAX_DIGITS} digits")
    return int(digits)


def _no_constant(_: str) -> None:
    raise MalformedRequest("NaN and Infinity are not JSON")
