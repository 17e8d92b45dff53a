"""Problems of people with other Tron wallets, over REST and gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.conftest import ServiceWith
from tests.cases.runner import Case, play, read

CASES = read(Path(__file__).with_name("tron.json"))
EXPIRY_OFF = {f"CHAINS__TRON__{limit}": "off" for limit in ("MAX_EXPIRATION", "MIN_EXPIRATION")}
"""For all cases except those about expiry. Their dates are fixed, and none may be refused for its date alone."""
CAPS_OFF = {f"CHAINS__TRON__{limit}": "off" for limit in ("MAX_FEE_LIMIT", "MIN_FEE_LIMIT")}
READERS = {
    "digest": lambda result: result["digest"].removeprefix("0x"),
    "hash": lambda result: result["digest"].removeprefix("0x"),
    "broadcasthex": lambda result: result["details"]["broadcast_hex"],
    "from": lambda result: result["summary"]["from_address"],
    "actions.0.recipient": lambda result: result["summary"]["actions"][0]["to"],
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("face", ["http", "grpc"])
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(service_with: ServiceWith, case: Case, face: str) -> None:
    service = await service_with(**_settings(case))
    outcome = await play(service, getattr(service, face), case, READERS)
    assert outcome.code == "ok" or "tx_id" not in case.expect


def test_the_file_is_whole() -> None:
    assert len(CASES) == 37


def _settings(case: Case) -> dict[str, str]:
    settings = EXPIRY_OFF if case.kind not in ("expiry", "decode") else {}
    return settings if case.expect.get("status") == 422 else settings | CAPS_OFF
