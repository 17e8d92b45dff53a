"""A service that was started as a user starts it, called over REST and gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.support import fake_chats
from tests.support.alerting import Place, watched
from tests.support.fake_chats import Chats
from tests.support.server import Server
from tests.support.service import Face, GrpcFace, HttpFace, Outcome

OPEN = {"ANY_NETWORK": "true", "RATES__CREATE": "off", "RATES__SIGN": "off"}
UNLIMITED = {
    f"CHAINS__EVM__{limit}": "off" for limit in ("MAX_FEE", "MAX_FEE_PERCENT", "MAX_GAS", "MIN_GAS", "MAX_INIT_CODE")
}


class Service:
    """REST or gRPC of the service, called with the key of its first start."""

    def __init__(self, face: Face, key: str) -> None:
        self._face = face
        self._key = key

    async def outcome(self, operation: str, **command: Any) -> Outcome:
        return await self._face.call(operation, command, key=self._key)

    async def ask(self, operation: str, **command: Any) -> Any:
        """The result, which must be a success."""
        outcome = await self.outcome(operation, **command)
        assert outcome.code == "ok", (outcome.code, outcome.message)
        return outcome.result

    async def refusal(self, operation: str, **command: Any) -> str:
        """The error code. There must be an error."""
        outcome = await self.outcome(operation, **command)
        assert outcome.code != "ok"
        return outcome.code


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("integration"), OPEN) as server:
        yield server


@pytest.fixture(params=["http", "grpc"])
async def service(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Service]:
    if request.param == "http":
        async with _over_http(server) as service:
            yield service
    else:
        async with grpc.aio.insecure_channel(server.target) as channel:
            yield Service(GrpcFace(channel), server.api_key)


@pytest.fixture
async def permissive(tmp_path: Path) -> AsyncIterator[Service]:
    """REST of a service that signs whatever is well formed."""
    with Server(tmp_path, {**OPEN, **UNLIMITED}) as server:
        async with _over_http(server) as service:
            yield service


@asynccontextmanager
async def _over_http(server: Server) -> AsyncIterator[Service]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60.0, trust_env=False) as client:
        yield Service(HttpFace(client), server.api_key)


@pytest.fixture
def chats(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chats]:
    """The chats that alerts are sent to. Each rule that the test provokes has to reach them, and so does its end."""
    rules = {rule for mark in request.node.iter_markers("provokes") for rule in mark.args}
    with fake_chats.running(tmp_path / "chats") as made, watched(made, rules):
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def place(tmp_path: Path, prepared_data: Path, chats: Chats) -> Place:
    return Place.of(prepared_data, tmp_path, chats)
