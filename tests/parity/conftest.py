"""What holds for both faces holds on whatever the service runs on."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["embedded", pytest.param("production", marks=pytest.mark.needs("postgresql", "openbao"))])
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)
