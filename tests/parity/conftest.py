"""What holds for REST and gRPC holds on whatever the service runs on."""

from __future__ import annotations

import pytest

from strongroom.keys import bip39


@pytest.fixture(params=["embedded", pytest.param("production", marks=pytest.mark.needs("postgresql", "openbao"))])
def stack(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["process", pytest.param("redis", marks=pytest.mark.needs("redis"))])
def counting(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for counting rates in the process, or in Redis."""
    if request.param == "process":
        return {}
    return {"REDIS__URL": request.getfixturevalue("patient_redis").url}


@pytest.fixture
def known_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    real = bip39.from_entropy
    monkeypatch.setattr(bip39, "from_entropy", lambda entropy, words: real(bytes(range(len(entropy))), words))
