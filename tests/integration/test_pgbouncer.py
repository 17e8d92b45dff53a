"""A real PgBouncer. With session pooling it serves as PostgreSQL does, with transaction pooling it is refused."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from strongroom.errors import ConfigurationError
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.database import Limits
from strongroom.storage.migrate import HEAD, migrate_url, version
from strongroom.storage.opening import open_database, require_own_connections
from strongroom.storage.sql import SqlStorage
from tests.support import pgbouncer, rows
from tests.support.postgres import OWNER, Postgres

pytestmark = pytest.mark.needs("postgresql", "pgbouncer")

PATIENT = Limits(timeout=30, connect_timeout=30, pool_timeout=30, statement_timeout=7, lock_timeout=3)


async def test_sessions_keep_their_limits(postgres_server: Postgres) -> None:
    name = postgres_server.create_database()
    with pgbouncer.running(postgres_server, "session") as pooler:
        assert await migrate_url(pooler.url(name, OWNER), service_url=pooler.url(name))
        database = open_database(pooler.url(name), PATIENT)
        await require_own_connections(database)
        assert await version(database) == HEAD
        shown = await database.read(lambda connection: connection.execute(text("SHOW statement_timeout")).scalar())
        assert shown == "7s"
        await database.close()


@pytest.mark.parametrize("size", [2, 3, 5])
async def test_a_pool_of_few_sessions_is_enough(postgres_server: Postgres, size: int) -> None:
    name = postgres_server.create_database(migrated=True)
    limits = Limits(timeout=60, connect_timeout=2, pool_timeout=60)
    with pgbouncer.running(postgres_server, "session", f"default_pool_size = {size}") as pooler:
        database = open_database(pooler.url(name), limits)
        await require_own_connections(database)
        storage = SqlStorage(database, Authenticity(b"s" * 32))
        sleep = text("SELECT pg_sleep(0.05)")
        await asyncio.gather(*[database.read(lambda connection: connection.execute(sleep)) for _ in range(10)])
        for _ in range(2):
            assert not (await storage.apply([Unit(rows=[rows.wallet()])])).conflicts
            await storage.ping()
        await storage.close()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("settings", [(), ("server_round_robin = 1",), ("default_pool_size = 1",)])
async def test_pooled_transactions_are_refused_in_words(
    postgres_server: Postgres, mode: str, settings: tuple[str, ...]
) -> None:
    name = postgres_server.create_database(migrated=True)
    with pgbouncer.running(postgres_server, mode, *settings) as pooler:
        database = open_database(pooler.url(name), PATIENT)
        for _ in range(3):  # its connections to the server are not new any more
            with pytest.raises(ConfigurationError, match="pool_mode=session"):
                await require_own_connections(database)
        await database.close()
        with pytest.raises(ConfigurationError, match="pool_mode=session"):
            await migrate_url(pooler.url(name, OWNER), service_url=pooler.url(name))


async def test_postgresql_itself_is_asked_once(postgres_server: Postgres) -> None:
    database = open_database(postgres_server.url(), PATIENT)
    await require_own_connections(database)
    await database.close()
