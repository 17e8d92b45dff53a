"""A tenth of the campaign. Anything sent as a PSBT is either accepted or refused."""

from __future__ import annotations

from tests.fuzz import psbts
from tests.support.service import RunningService


async def test_a_thousand_changed_psbts(service: RunningService) -> None:
    report = await psbts.run(service, 1_000, seed=1)
    assert report.faults == []
    assert report.codes["sign ok"] > 20
    assert report.codes["sign invalid_transaction"] > 200
