"""Any input is either signed as it is or refused with an error of the service. `make campaign` runs this longer."""

from __future__ import annotations

from tests.fuzz import trons
from tests.support.service import NewService


async def test_changed_transactions(new_service: NewService) -> None:
    async with new_service(**trons.RULES_OFF, RATES__SIGN="off", RATES__READ="off", RATES__CREATE="off") as service:
        report = await trons.run(service, 300, seed=1)
    assert report.faults == []
    assert report.codes["sign ok"] > 3
    assert report.codes["sign invalid_transaction"] > 100
