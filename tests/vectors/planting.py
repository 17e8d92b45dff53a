"""Faults to plant in vectors. The runner of a vector has to notice each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.vectors.folder import Vector

LABELS = {"reason", "kind", "policy", "stage", "description", "note"}
"""Expected fields that are remarks of the vectors' authors and not results."""


def with_one_field_wrong(vector: Vector) -> Iterator[tuple[Vector, str]]:
    """The vector once for each expected field, with another value there; and the name of the field."""
    expected = vector["expected"]
    for field in sorted(expected.keys() - LABELS):
        wrong = _another(expected[field])
        if field == "must_not_equal":  # nearly everything is right there, but not this
            wrong = expected.get("correct_default", wrong)
        yield {**vector, "id": f"{vector['id']}: {field}", "expected": {**expected, field: wrong}}, field


def with_unknown_field(vector: Vector, part: str) -> Vector:
    """``part``: input or expected."""
    return {**vector, "id": f"{vector['id']}: unknown in {part}", part: {**vector[part], "unheard_of": "1"}}


def _another(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    if isinstance(value, list):
        return [_another(one) for one in value] or ["0"]
    if isinstance(value, dict):
        return {key: _another(one) for key, one in value.items()} or {"0": "0"}
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else not value
