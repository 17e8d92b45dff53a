"""Small changes to a tree of JSON, most of which make it wrong."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]

TEXTS = (
    "", " ", "\0", "\x7f", "null", "0", "-1", "0x", "0x0", "0xg", "0x" + "f" * 64, "0x" + "f" * 65, "9" * 400,
    "e\u0301", "a\u202eb", "\u0130\u0131", "\U0001f512" * 64, "x" * 5000, "m/0'", "m/44'/60'/0'/0/2147483648",
    "eip155:1", "00000000-0000-4000-8000-000000000000", "2026-02-30T25:61:61Z", "../..", "%00", "$", "{}",
)  # fmt: skip
NUMBERS = (0, 1, -1, 7, 255, 256, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 2**256, 10**400)
TREES: tuple[Any, ...] = ([], {}, [[]], [None], [""], {"": None}, {"a": {"a": []}})
ODD: tuple[Any, ...] = (*TEXTS, *NUMBERS, 1.0, 0.1, 1e308, True, False, None, *TREES)


def mutated(tree: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A copy with one value, however deep, taken out, exchanged or cut, or with one more."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    if not places or rng.random() < 0.1:
        tree[rng.choice(("unknown", "id", "", "\0", "__proto__"))] = rng.choice(ODD)
        return tree
    *above, last = rng.choice(places)
    node: Any = tree
    for step in above:
        node = node[step]
    how = rng.randrange(4)
    if how == 0:
        del node[last]
    elif how == 1:
        node[last] = _cut(node[last], rng)
    else:
        node[last] = rng.choice(ODD)
    return tree


def _cut(value: Any, rng: random.Random) -> Any:
    """Something of the same type that is near to it."""
    if isinstance(value, str) and value:
        at = rng.randrange(len(value))
        return rng.choice((value[:at], value[:at] + "\u00e9" + value[at:], value.upper(), value + value[-1], value * 2))
    if isinstance(value, list):
        return value + value
    if isinstance(value, dict):
        return {"": value} | value
    return not value if isinstance(value, bool) else rng.choice(NUMBERS)


def _places(tree: Any, above: Place = ()) -> Iterator[Place]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in items:
        yield (*above, name)
        yield from _places(value, (*above, name))
