"""Every published vector of Bitcoin that we hold, and that a wrong answer is noticed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors import direct_bitcoin, direct_bitcoin_messages, direct_bitcoin_signing

RUNNERS = {**direct_bitcoin.RUNNERS, **direct_bitcoin_signing.RUNNERS, **direct_bitcoin_messages.RUNNERS}
VECTORS = [
    vector
    for file in sorted((Path(__file__).parent / "data").glob("bitcoin.*.json"))
    for vector in json.loads(file.read_text())["vectors"]
]
LABELS = {"reason", "kind", "stage", "description"}


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
        for field in vector["expected"].keys() - LABELS:
            changed = copy.deepcopy(vector)
            changed["expected"][field] = _other(changed["expected"][field])
            wrong.append(changed | {"id": f"{group}:{field}"})
        wrong.append(vector | {"expected": vector["expected"] | {"unheard_of": 1}, "id": f"{group}:unknown"})
    return wrong


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return [_other(one) for one in value] if isinstance(value, list) else {k: _other(one) for k, one in value.items()}


@pytest.mark.parametrize("vector", planted(), ids=lambda vector: vector["id"])
def test_a_planted_wrong_answer_is_noticed(vector: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        RUNNERS[vector["group"]](vector)
