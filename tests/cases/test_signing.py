"""What people met with other Bitcoin and Ethereum wallets, over either face."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.runner import Case, play, read
from tests.support.service import RunningService

CASES = read(Path(__file__).with_name("signing.json"))


@pytest.mark.parametrize("face", ["http", "grpc"])
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(service: RunningService, case: Case, face: str) -> None:
    await play(service, {"http": service.http, "grpc": service.grpc}[face], case)
