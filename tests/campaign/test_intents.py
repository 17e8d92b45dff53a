"""Ten thousand histories of guards. In none of them do two transactions pay one intent twice."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.journal import intents
from tests.unit.journal.intents import Guards
from tests.unit.journal.test_intents import SETTINGS
from tests.unit.journal.test_intents import world as world  # noqa: PLC0414

RUNS = 10_000


@pytest.mark.campaign
def test_no_two_transactions_pay_one_intent_twice(world: intents.World, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"runs": 0, "signatures": 0, "replacements": 0}

    class Counted(Guards):
        def teardown(self) -> None:
            counts["runs"] += 1
            counts["signatures"] += len(self.history.signatures)
            counts["replacements"] += sum(each.replaces is not None for each in self.history.signatures)
            super().teardown()

    Counted.world = world
    run_state_machine_as_test(Counted, settings=settings(SETTINGS, max_examples=RUNS))
    with capsys.disabled():
        print("\nguards:", ", ".join(f"{count} {name}" for name, count in counts.items()))
    assert counts["runs"] >= RUNS
    assert counts["replacements"] > RUNS // 10
