from __future__ import annotations

import pytest

from tests.fuzz import trons
from tests.support.service import NewService

pytestmark = pytest.mark.campaign

TRANSACTIONS = 10_000
SLOWEST = 0.05
"""Seconds on the event loop for one whole call, from the request's bytes to the response's."""


async def test_ten_thousand_changed_transactions(new_service: NewService, capsys: pytest.CaptureFixture[str]) -> None:
    async with new_service(**trons.RULES_OFF, RATES__SIGN="off", RATES__READ="off", RATES__CREATE="off") as service:
        await trons.run(service, 100, seed=0)  # load and cache everything first
        report = await trons.run(service, TRANSACTIONS, seed=195)
    with capsys.disabled():
        print(f"\n{report}")
    assert report.faults == []
    assert report.slowest < SLOWEST
    assert report.codes["sign ok"] > TRANSACTIONS / 100
