"""Problems of people with other Bitcoin and Ethereum wallets, over REST and gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.conftest import ServiceWith
from tests.cases.runner import Case, play, read

CASES = read(Path(__file__).with_name("signing.json"))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("face", ["http", "grpc"])
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(service_with: ServiceWith, case: Case, face: str) -> None:
    service = await service_with()
    await play(service, getattr(service, face), case)
