"""A part of the campaign. Anything sent as a bag of cells is either accepted or refused."""

from __future__ import annotations

from tests.fuzz import bocs
from tests.support.service import RunningService


async def test_changed_bags_of_cells(service: RunningService) -> None:
    report = await bocs.run(service, 500, seed=1)
    assert report.faults == []
    assert report.codes["transactions.sign ok"] > 20
    assert report.codes["transactions.sign invalid_transaction"] > 100
    assert report.codes["messages.sign ok"] > 20
