from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.support import logs

if TYPE_CHECKING:
    from tests.support.openbao import OpenBao
    from tests.support.postgres import Postgres
    from tests.support.redis import RedisServer
    from tests.support.service import NewService, RunningService

pytest_plugins = ("tests.support.components",)

settings.register_profile("any speed", deadline=None)  # a busy machine is no reason to fail
settings.load_profile("any speed")

_RESOLVING = ("socket.getaddrinfo", "socket.gethostbyname")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")


def _refuse_foreign_hosts(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): no test of this process talks to another machine, whichever library it asks."""
    if event in _RESOLVING:
        host = args[0]
    elif event in _SENDING and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if not _is_here(host):
        raise RuntimeError("a test reached for another machine")


def _is_here(host: object) -> bool:
    if host in (None, "", b"", "localhost"):
        return True
    try:
        return ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


sys.addaudithook(_refuse_foreign_hosts)


_LONGEST = (Path(__file__).with_name("integration"), Path(__file__).with_name("vectors"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes begin before the many that take a second: no worker is left alone with one."""
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in _LONGEST))


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    with logs.as_they_were():
        yield


@pytest.fixture(scope="session")
def openbao() -> Iterator[OpenBao]:
    """One for all, that nobody stops or seals. Who asks for it needs("openbao")."""
    from tests.support.openbao import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Only where a test is marked as one that needs postgresql. Each takes a database of its own."""
    from tests.support import postgres

    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One for all, that nobody stops. Who asks for it needs("redis")."""
    from tests.support.redis import running

    with running() as server:
        yield server


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """Empty."""
    redis_server.reset()
    return redis_server


@pytest.fixture
def patient_redis(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """Which a service in this process does not take for lost on a busy machine, as it may after a second at most."""
    from strongroom.alerts import shared
    from strongroom.cache import client
    from strongroom.redis_link import RedisLink

    monkeypatch.setattr(client, "_PATIENCE", 60.0)
    monkeypatch.setattr(shared, "_SECONDS", 60.0)
    monkeypatch.setattr(RedisLink, "_timeout", property(lambda _: 60.0, lambda *_: None), raising=False)
    return redis


@pytest.fixture(scope="session")
def prepared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with its schema and keys, to be copied."""
    from tests.support.service import prepared

    return prepared(tmp_path_factory.mktemp("prepared") / "data")


@pytest.fixture
def stack() -> str:
    """What a service runs on: embedded is SQLite and the local key wrap, production is PostgreSQL and OpenBao."""
    return "embedded"


@pytest.fixture
def new_data(request: pytest.FixtureRequest, stack: str) -> Callable[[Path], dict[str, str]]:
    """Makes the data of a fresh service, in part in the folder, and returns the settings that lead to the rest."""
    if stack == "embedded":
        prepared: Path = request.getfixturevalue("prepared_data")

        def embedded(folder: Path) -> dict[str, str]:
            shutil.copytree(prepared, folder)
            return {}

        return embedded

    from tests.support.stack import PATIENT, settings

    database: Postgres = request.getfixturevalue("postgres_server")
    vault: OpenBao = request.getfixturevalue("openbao")

    def production(_: Path) -> dict[str, str]:
        stack = settings(database, database.create_database(migrated=True), vault)
        return {"PROFILE": "production", **PATIENT, **stack}

    return production


@pytest.fixture
def new_service(new_data: Callable[[Path], dict[str, str]], tmp_path: Path) -> NewService:
    """Starts a fresh service: ``async with new_service(RATES__CREATE="2/minute") as service``."""
    from tests.support.service import running

    started = 0

    @asynccontextmanager
    async def start(**settings: str) -> AsyncIterator[RunningService]:
        nonlocal started
        started += 1
        data = tmp_path / f"service-{started}"
        async with running(data, {**new_data(data), **settings}) as service:
            yield service

    return start


@pytest.fixture
async def service(new_service: NewService) -> AsyncIterator[RunningService]:
    async with new_service() as service:
        yield service
