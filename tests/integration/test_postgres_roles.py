"""The role of the service on PostgreSQL, and who migrates."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditRecord, AuditWriter
from strongroom.errors import ConfigurationError, InternalError
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.database import Limits
from strongroom.storage.grants import GRANTS
from strongroom.storage.migrate import HEAD, migrate, migrate_url, version
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from strongroom.storage.tables import metadata
from tests.support import postgres, rows
from tests.support.postgres import OWNER, SERVICE, Postgres
from tests.support.rows import NOW

pytestmark = pytest.mark.needs("postgresql")

ROLES = Path(__file__).parents[2] / "deploy" / "postgresql" / "roles.sql"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def name(postgres_server: Postgres) -> str:
    """Of a database with one audit record."""
    name = postgres_server.create_database(migrated=True)
    storage = SqlStorage(open_database(postgres_server.url(name, SERVICE)), Authenticity(b"s" * 32))
    writer = AuditWriter(new_id(), 1, NOW, "host", b"m" * 32)
    await storage.apply([Unit(rows=[writer, AuditRecord(writer.id, 1, rows.entry(), b"n" * 32)])])
    await storage.close()
    return name


def test_every_table_is_granted() -> None:
    assert GRANTS.keys() == {*metadata.tables, "alembic_version"}


@pytest.mark.parametrize(
    "statement",
    [
        *[
            form.format(table)
            for table in (
                "audit",
                "audit_writers",
                "addresses",
                "signatures",
                "broadcasts",
                "discoveries",
                "alembic_version",
            )
            for form in ("DELETE FROM {0}", "TRUNCATE {0}", "DROP TABLE {0}")
        ],
        *[f"TRUNCATE {table} CASCADE" for table in sorted(metadata.tables)],
        "UPDATE audit SET mac = '' WHERE sequence = 1",
        "UPDATE audit_writers SET mac = ''",
        "UPDATE addresses SET canonical = ''",
        "UPDATE signatures SET raw = ''",
        "UPDATE broadcasts SET network = ''",
        "UPDATE broadcasts SET tx_id = ''",
        "UPDATE discoveries SET wallet_id = id",
        "UPDATE silences SET until = created_at",
        "UPDATE notifications SET channel = ''",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_append_only ON audit",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "ALTER TABLE audit OWNER TO service",
        "GRANT UPDATE ON audit TO service",
        "SET session_replication_role = replica",
        "CREATE TABLE other (id integer)",
        "DELETE FROM wallets",
        "UPDATE secrets SET blob = ''",
        "UPDATE api_keys SET scopes = '[]'",
        "INSERT INTO alembic_version VALUES ('9999')",
    ],
)
async def test_the_role_of_the_service_may_not(postgres_server: Postgres, name: str, statement: str) -> None:
    def attempt(connection: Connection) -> None:
        connection.execute(text(statement))

    database = open_database(postgres_server.url(name, SERVICE))
    if statement.startswith("GRANT"):  # PostgreSQL only warns, and grants nothing
        await database.write(attempt)
        statement = "UPDATE audit SET mac = ''"
    with pytest.raises(InternalError):
        await database.write(attempt)
    await database.close()
    assert postgres_server.run("SELECT count(*) FROM audit", name) == [(1,)]


@pytest.mark.parametrize("statement", ["UPDATE {} SET mac = ''", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["audit", "audit_writers"])
async def test_a_trigger_stands_in_the_owner_s_way(
    postgres_server: Postgres, name: str, table: str, statement: str
) -> None:
    with pytest.raises(Exception, match="append-only"):
        postgres_server.run(statement.format(table), name)


async def test_migrating_again_takes_away_what_was_granted_since(postgres_server: Postgres, name: str) -> None:
    of = f"has_table_privilege('{SERVICE}', 'audit', 'UPDATE'), has_table_privilege('{SERVICE}', 'audit', 'INSERT')"
    allowed = f"SELECT {of}"
    postgres_server.run(f"GRANT ALL ON audit TO {SERVICE}", name)
    assert postgres_server.run(allowed, name) == [(True, True)]
    assert not await migrate_url(postgres_server.url(name), service_url=postgres_server.url(name, SERVICE))
    assert postgres_server.run(allowed, name) == [(False, True)]


async def test_a_role_that_is_missing_is_said_so(postgres_server: Postgres) -> None:
    name = postgres_server.create_database()
    with pytest.raises(ConfigurationError, match=r"roles\.sql"):
        await migrate_url(postgres_server.url(name), service_url=postgres_server.url(name, "nobody%20here"))
    assert postgres_server.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]


@pytest.fixture(scope="module")
def newest() -> Iterator[Postgres]:
    """PostgreSQL 18, where who makes a role may not act as it. The machine's own is older."""
    with postgres.running(found=postgres.programs_of_wheel()) as server:
        yield server


@pytest.mark.parametrize("admin", ["superuser", "managed"])
@pytest.mark.parametrize("which", ["postgres_server", pytest.param("newest", marks=pytest.mark.needs("postgresql18"))])
async def test_roles_sql_makes_both_roles_and_their_database(
    request: pytest.FixtureRequest, which: str, admin: str
) -> None:
    """psql is not everywhere: its variables are filled in, and its one command is obeyed, here.

    A managed PostgreSQL gives a role that is no superuser.
    """
    server: Postgres = request.getfixturevalue(which)
    if admin == "managed":
        server.run("CREATE ROLE managed LOGIN CREATEROLE CREATEDB NOSUPERUSER")
    user = OWNER if admin == "superuser" else admin
    script = ROLES.read_text().replace(":'owner_password'", "'o'").replace(":'service_password'", "'s'")
    before, after = re.sub(r"^--.*$", "", script, flags=re.MULTILINE).split(r"\connect strongroom")
    for part, database in ((before, "postgres"), (after, "strongroom")):
        for statement in filter(str.strip, part.split(";")):
            postgres.rows(server.url(database, user), statement)
    owner, service = (server.url("strongroom", role) for role in ("strongroom_owner", "strongroom"))
    assert await migrate_url(owner, service_url=service)
    storage = SqlStorage(open_database(service), Authenticity(b"s" * 32))
    await storage.apply([Unit(rows=[rows.wallet()])])
    await storage.close()
    server.run("DROP DATABASE strongroom")
    server.run("DROP ROLE strongroom_owner, strongroom" + (", managed" if admin == "managed" else ""))


@pytest.mark.parametrize("_", range(3))
async def test_of_ten_that_migrate_at_once_one_works(postgres_server: Postgres, _: int) -> None:
    name = postgres_server.create_database()
    urls = postgres_server.url(name), postgres_server.url(name, SERVICE)
    worked = await asyncio.gather(*[migrate_url(urls[0], service_url=urls[1]) for _ in range(10)])
    assert sorted(worked) == [False] * 9 + [True]
    database = open_database(urls[1])
    assert await version(database) == HEAD
    await database.close()


async def test_who_waits_for_another_migration_in_vain_is_told(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("strongroom.storage.migrate._LOCK_TRIES", 3)
    databases = [open_database(postgres_server.url(), Limits(pool_size=1)) for _ in range(2)]
    locked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x5374726F6E67})
        loop.call_soon(locked.set)
        connection.execute(text("SELECT pg_sleep(0.8)"))

    holding = asyncio.create_task(databases[0].write(hold))
    await locked.wait()
    with pytest.raises(Exception, match="another migration"):
        await migrate(databases[1])
    await holding
    for database in databases:
        await database.close()
