"""Whatever comes in is signed as it stands or refused by an error of ours; `make campaign` tries it at length."""

from __future__ import annotations

from tests.fuzz import trons
from tests.support.service import NewService


async def test_changed_transactions(new_service: NewService) -> None:
    async with new_service(**trons.RULES_OFF, RATES__SIGN="off", RATES__READ="off", RATES__CREATE="off") as service:
        report = await trons.run(service, 300, seed=1)
    assert report.faults == []
    assert report.codes["sign ok"] > 3
    assert report.codes["sign invalid_transaction"] > 100
