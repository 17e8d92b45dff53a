"""TLS to PostgreSQL, with libpq's parameters in the URL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from strongroom.errors import StorageUnavailable
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from tests.support import postgres
from tests.support.authority import Authority
from tests.support.postgres import Postgres

pytestmark = pytest.mark.needs("postgresql", "postgresql-tls")


@pytest.fixture(scope="module")
def ours() -> Authority:
    return Authority("an authority of our own")


@pytest.fixture(scope="module")
def server(ours: Authority) -> Iterator[Postgres]:
    """Its certificate is for 127.0.0.1, not for localhost."""
    found = postgres.programs_with_tls()
    assert found is not None
    server = Postgres(found, ("ssl=on",))
    issued = ours.server("127.0.0.1")
    postgres.give_certificate(server, issued.certificate, issued.key)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture
def ca(ours: Authority, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(ours.certificate)
    return str(file)


async def encrypted(url: str) -> bool:
    database = open_database(url, Limits(timeout=0.5))
    try:
        return bool(
            await database.read(
                lambda connection: connection.execute(
                    text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                ).scalar()
            )
        )
    finally:
        await database.close()


async def test_the_server_s_certificate_is_verified(server: Postgres, ca: str) -> None:
    assert await encrypted(server.url(sslmode="verify-full", sslrootcert=ca))


async def test_a_certificate_for_another_name_is_refused(server: Postgres, ca: str) -> None:
    url = server.url(sslmode="verify-full", sslrootcert=ca).replace("127.0.0.1", "localhost")
    with pytest.raises(StorageUnavailable):
        await encrypted(url)
    assert await encrypted(url.replace("verify-full", "verify-ca"))


async def test_a_certificate_by_another_authority_is_refused(server: Postgres, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("another").certificate)
    for mode in ("verify-full", "verify-ca"):
        with pytest.raises(StorageUnavailable):
            await encrypted(server.url(sslmode=mode, sslrootcert=str(other)))


async def test_a_server_without_tls_is_refused(postgres_server: Postgres, ca: str) -> None:
    with pytest.raises(StorageUnavailable):
        await encrypted(postgres_server.url(sslmode="verify-full", sslrootcert=ca))
    assert not await encrypted(postgres_server.url(sslmode="prefer"))
