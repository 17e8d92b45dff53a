"""No intent is paid twice, whatever happens between the first signature and the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.journal.intents import Guards, History, Signature, Transaction, World

SETTINGS = settings(
    max_examples=300, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_no_two_transactions_pay_one_intent_twice(world: World) -> None:
    machine = type("Guards", (Guards,), {"world": world})
    run_state_machine_as_test(machine, settings=SETTINGS)


def test_the_search_finds_what_pays_twice() -> None:
    first, second, third = [Transaction(0, "bitcoin", frozenset(uses), 0, 0) for uses in ({0, 1}, {0}, {1})]
    history = History([Signature(first, None, False), Signature(second, first.tx_id, False)])
    assert history.paying_twice() is None
    history.signatures.append(Signature(third, first.tx_id, False))
    assert {*(history.paying_twice() or ())} == {second, third}
    history.signatures[-1] = Signature(third, first.tx_id, True)
    assert history.paying_twice() is None
