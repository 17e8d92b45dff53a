"""Many more sets of requests than the unit tests try, over Bitcoin's own script engine."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.unit.chains.bitcoin.test_bitcoin_pairs import Request, judge, requests

pytestmark = [pytest.mark.campaign, pytest.mark.needs("libbitcoinkernel")]

SETS = 5_000


def test_no_set_of_requests_makes_a_fee_that_was_not_shown_or_spends_an_output_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counted = {"sets": 0, "requests": 0, "refused": 0, "spent": 0}

    @settings(max_examples=SETS, deadline=None, database=None)
    @given(requests())
    def search(asked: list[Request]) -> None:
        signer, spent = judge(asked)
        counted["sets"] += 1
        counted["requests"] += len(asked)
        counted["refused"] += signer.refused
        counted["spent"] += len(spent)

    search()
    with capsys.disabled():
        print(f"\n{counted}")
    assert counted["sets"] >= SETS
    assert counted["spent"] > SETS // 10
