"""The error says what is wrong with a database URL, one sentence per cause, without a value from the URL."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from strongroom import bootstrap
from strongroom.config.settings import load
from strongroom.errors import ConfigurationError, StorageUnavailable
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from strongroom.storage.pg_causes import no_connection
from strongroom.storage.pg_url import Target, read_url
from tests.support import postgres
from tests.support.authority import Authority
from tests.support.postgres import OWNER, SERVICE, Postgres
from tests.support.server import free_port

pytestmark = pytest.mark.needs("postgresql")

PATIENT = Limits(timeout=30, connect_timeout=10, pool_timeout=30)
BRIEF = Limits(timeout=8, connect_timeout=10, pool_timeout=30)
"""For what is tried again until the time is over, because it may heal."""
CANARY = "k3epThisOut"
TARGET = Target("", None, {}, requires_tls=False, tls=None)


@pytest.fixture(scope="module")
def strict() -> Iterator[Postgres]:
    """A server that asks for passwords, and admits one role only over TLS."""
    with postgres.running() as server:
        server.run(f"CREATE ROLE guarded LOGIN PASSWORD '{CANARY}'")
        server.run("CREATE ROLE over_tls LOGIN")
        server.run("CREATE ROLE no_login")
        server.run("CREATE ROLE few LOGIN CONNECTION LIMIT 0")
        rules = [
            f"host all {OWNER} 127.0.0.1/32 trust", "host all few 127.0.0.1/32 trust",
            "host all no_login 127.0.0.1/32 trust", "host all guarded 127.0.0.1/32 scram-sha-256",
            "host all nobody 127.0.0.1/32 scram-sha-256", "hostssl all over_tls 127.0.0.1/32 trust",
        ]  # fmt: skip
        (Path(server.folder) / "data" / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        server.run("SELECT pg_reload_conf()")
        yield server


async def cause(url: str, limits: Limits = PATIENT) -> str:
    database = open_database(url, limits)
    try:
        with pytest.raises(StorageUnavailable) as caught:
            await database.read(lambda _: None)
    finally:
        await database.close()
    assert caught.value.message == "the database does not respond"
    assert caught.value.cause is not None
    assert CANARY not in caught.value.cause
    return caught.value.cause


@pytest.mark.parametrize(
    ("user", "database", "query", "words"),
    [
        ("guarded:wrong", "postgres", "", "refuses the role or its password"),
        ("nobody:x", "postgres", "", "refuses the role or its password"),
        ("no_login", "postgres", "", "may not log in"),
        ("stranger", "postgres", "", "does not allow the role without TLS"),
        ("over_tls", "postgres", "", "does not allow the role without TLS"),
        (OWNER, CANARY, "", "the database in database.url does not exist"),
        (OWNER, "postgres", "?sslmode=require", "does not offer TLS"),
        (OWNER, "postgres", f"?no_such_setting={CANARY}", "check the spelling of the parameters (no_such_setting)"),
        (OWNER, "postgres", f"?work_mem={CANARY}", "the value of a parameter in database.url (work_mem)"),
    ],
)
async def test_the_server_refuses(strict: Postgres, user: str, database: str, query: str, words: str) -> None:
    assert words in await cause(f"postgresql://{user}@127.0.0.1:{strict.port}/{database}{query}")


async def test_no_connection_is_left(strict: Postgres) -> None:
    assert "no connections left" in await cause(f"postgresql://few@127.0.0.1:{strict.port}/postgres", BRIEF)


async def test_there_is_no_server() -> None:
    assert "nothing listens" in await cause(f"postgresql://x@127.0.0.1:{free_port()}/x", BRIEF)
    assert "the resolver (DNS) does not know" in no_connection(socket.gaierror(-2, CANARY), TARGET).cause


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.example ESMTP\r\n", b"\0"])
async def test_what_listens_is_not_postgresql(said: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "is not PostgreSQL" in await cause(f"postgresql://x@127.0.0.1:{port}/x", BRIEF)


@pytest.mark.parametrize(
    "query",
    [
        "connect_timeout=10", "keepalives=1&keepalives_idle=30&tcp_user_timeout=1000", "channel_binding=prefer",
        "gssencmode=disable", "client_encoding=utf8", "sslcompression=0", "application_name=wallets",
        "target_session_attrs=read-write", "fallback_application_name=x", "options=-c%20work_mem%3D1MB",
        "search_path=a,public",
    ],
)  # fmt: skip
async def test_what_libpq_knows_is_taken(strict: Postgres, query: str) -> None:
    database = open_database(f"{strict.url()}?{query}", PATIENT)
    assert await database.read(lambda _: 1) == 1
    await database.close()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("channel_binding=require", "channel_binding must be disable or prefer"),
        ("gssencmode=require", "gssencmode must be"),
        ("client_encoding=latin1", "client_encoding must be"),
        ("service=x", "the parameter service is not supported"),
        ("hostaddr=127.0.0.1", "the parameter hostaddr is not supported"),
        ("sslrootcert=/nowhere", "the file in sslrootcert of database.url does not exist"),
        ("connect_timeout=soon", "connect_timeout must be a whole number"),
        ("sslmode", "name=value pairs"),
        ("sslmode=verify", "sslmode must be allow or disable or prefer or require or verify-ca or verify-full"),
        ("sslmode=require&sslrootcert=system", "sslrootcert=system needs sslmode=verify-full"),
        ("sslrootcert=system&sslcert=/nowhere", "the file in sslcert of database.url does not exist"),
    ],
)
def test_what_cannot_be_had_is_named(query: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_url(f"postgresql://x@h/x?{query}")
    assert "/nowhere" not in caught.value.message


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_without_an_authority(mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # libpq's default is a file there
    database = open_database(f"postgresql://x@127.0.0.1/x?sslmode={mode}", PATIENT)
    with pytest.raises(ConfigurationError, match="needs sslrootcert"):
        await database.read(lambda _: None)
    await database.close()


def test_the_time_to_connect_is_that_of_the_url() -> None:
    assert read_url("postgresql://x@h/x?connect_timeout=10").connect_timeout == 10
    assert read_url("postgresql://x@h/x?connect_timeout=1").connect_timeout == 2
    assert read_url("postgresql://x@h/x?connect_timeout=0").connect_timeout is None


@pytest.mark.needs("postgresql-tls")
async def test_the_authorities_of_the_operating_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    issued = authority.server()
    with postgres.running(found=postgres.programs_with_tls()) as server:
        postgres.give_certificate(server, issued.certificate, issued.key)
        server.run("ALTER SYSTEM SET ssl = on")
        server.run("SELECT pg_reload_conf()")
        url = f"{server.url()}?sslrootcert=system"
        in_use = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        assert "is signed by an authority that is not trusted" in await cause(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
        for given in (url, f"{url}&sslmode=verify-full"):
            database = open_database(given, PATIENT)
            assert await database.read(lambda connection: connection.execute(in_use).scalar()) is True
            await database.close()


async def test_who_may_not_migrate_is_told_what_the_role_needs(postgres_server: Postgres) -> None:
    name = postgres_server.create_database()
    postgres_server.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)
    url = postgres_server.url(name, SERVICE)
    settings = load({"STRONGROOM_DATABASE__URL": url, "STRONGROOM_DATABASE__MIGRATE_URL": url}, dotenv=None)
    with pytest.raises(ConfigurationError, match=r"the role in database\.migrate_url may not migrate"):
        await bootstrap.migrate_database(settings)
