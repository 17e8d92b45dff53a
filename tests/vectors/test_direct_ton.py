"""Every published vector of the TON chain that we hold, and that a wrong answer is noticed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.direct_ton import RUNNERS

VECTORS = [
    vector
    for file in sorted((Path(__file__).parent / "data").glob("ton.*.json"))
    for vector in json.loads(file.read_text())["vectors"]
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]) -> None:
    RUNNERS[vector["group"]](vector)


def test_every_group_has_a_runner_and_vectors() -> None:
    assert {vector["group"] for vector in VECTORS} == RUNNERS.keys()


def planted() -> list[dict[str, Any]]:
    """For each group its first vector once per expected field, with that field changed."""
    wrong = []
    for group in RUNNERS:
        vector = next(vector for vector in VECTORS if vector["group"] == group)
        for field in vector["expected"].keys() - {"reason", "kind"}:
            changed = copy.deepcopy(vector)
            changed["expected"][field] = _other(changed["expected"][field])
            wrong.append(changed | {"id": f"{group}:{field}"})
        wrong.append(vector | {"expected": vector["expected"] | {"unheard_of": 1}, "id": f"{group}:unknown"})
    return wrong


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    return not value


@pytest.mark.parametrize("vector", planted(), ids=lambda vector: vector["id"])
def test_a_planted_wrong_answer_is_noticed(vector: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        RUNNERS[vector["group"]](vector)
