"""Problems of people with other TON wallets, over REST and gRPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.runner import Case, play, read
from tests.support.service import NewService

CHOICES = {
    "TON-S24": 200,  # a reference to a library is hashed as what it is
    "TON-S11": 200,  # an empty comment is a comment: 32 zero bits
    "TON-S3": 200,  # a raw address bounces, as TON Connect reads it
    "TON-M6": 422,  # the key is not that of a wallet at the address
}
CASES = read(Path(__file__).with_name("ton.json"), CHOICES)
NO_DATES = {"CHAINS__TON__MIN_VALIDITY": "off", "CHAINS__TON__MAX_VALIDITY": "off"}
"""For cases that are signed, whose dates are fixed, and cases that are refused for another reason than the date."""


@pytest.mark.parametrize("face", ["http", "grpc"])
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(new_service: NewService, case: Case, face: str) -> None:
    about_dates = case.kind == "expiry" and not case.settings
    async with new_service(**({} if about_dates else NO_DATES)) as service:
        await play(service, getattr(service, face), case)


def test_the_file_is_whole() -> None:
    assert len(CASES) == 49
