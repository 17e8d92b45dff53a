from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.direct_common import RUNNERS

DATA = Path(__file__).parent / "data"
VECTORS: list[dict[str, Any]] = [
    vector for file in sorted(DATA.glob("common.*.json")) for vector in json.loads(file.read_text("utf-8"))["vectors"]
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]) -> None:
    RUNNERS[vector["group"]](vector)


def test_every_group_has_vectors() -> None:
    assert {vector["group"] for vector in VECTORS} == RUNNERS.keys()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_runner_sees_a_wrong_answer(vector: dict[str, Any]) -> None:
    for field in vector["expected"].keys() - {"reason", "policy"}:
        planted = copy.deepcopy(vector)
        value = planted["expected"][field]
        planted["expected"][field] = False if value is True else value[:-1] + ("1" if value[-1] != "1" else "2")
        with pytest.raises(AssertionError):
            RUNNERS[vector["group"]](planted)


@pytest.mark.parametrize("part", ["input", "expected"])
@pytest.mark.parametrize("group", RUNNERS)
def test_the_runner_refuses_what_it_does_not_know(group: str, part: str) -> None:
    planted = copy.deepcopy(next(vector for vector in VECTORS if vector["group"] == group))
    planted[part]["other"] = "1"
    with pytest.raises(AssertionError):
        RUNNERS[group](planted)
