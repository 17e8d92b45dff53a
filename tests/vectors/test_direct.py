"""Runs every published vector against the modules, and proves that each runner notices a wrong one."""

from __future__ import annotations

import pytest

from tests.vectors import direct_common, run
from tests.vectors.folder import Vector, read
from tests.vectors.planting import with_one_field_wrong, with_unknown_field

VECTORS = read(run.OWN).vectors
FIRST = {vector["group"]: vector for vector in reversed(VECTORS)}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector: Vector) -> None:
    run.DIRECT[vector["group"]](vector)


def test_every_group_has_a_runner_and_vectors() -> None:
    assert run.DIRECT.keys() == FIRST.keys()
    assert read(run.OWN).faults == []


def planted() -> list[Vector]:
    """In the first vector of each group, and in each that any chain may meet."""
    chosen = {vector["id"]: vector for vector in FIRST.values()}
    chosen |= {vector["id"]: vector for vector in VECTORS if vector["group"] in direct_common.RUNNERS}
    wrong = [changed for vector in chosen.values() for changed, _ in with_one_field_wrong(vector)]
    return wrong + [with_unknown_field(vector, part) for vector in FIRST.values() for part in ("input", "expected")]


@pytest.mark.parametrize("vector", planted(), ids=lambda vector: vector["id"])
def test_a_planted_fault_is_noticed(vector: Vector) -> None:
    with pytest.raises((AssertionError, ValueError)):
        run.DIRECT[vector["group"]](vector)
