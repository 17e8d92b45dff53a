"""What PostgreSQL does to a transaction at the wrong moment, and what becomes of it, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text

from strongroom.domain.record import HeldGuard
from strongroom.domain.wallet import Address
from strongroom.errors import ConfigurationError, StorageUnavailable
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import AuditFilter, Conflict, Unit, Wake, WalletFilter
from strongroom.storage.database import Limits, OutcomeUnknown, T, Work
from strongroom.storage.direct import DirectConnection
from strongroom.storage.opening import open_database
from strongroom.storage.postgres import PostgresDatabase
from strongroom.storage.sql import SqlStorage
from tests.support import postgres, rows
from tests.support.postgres import SERVICE, Postgres
from tests.support.proxy import Cut, Proxy, proxy_to
from tests.support.rows import TENANT

pytestmark = pytest.mark.needs("postgresql")

AUTHENTICITY = Authenticity(b"s" * 32)
ONE = Limits(pool_size=1)
PATIENCE = 60.0
ONE_STATEMENT: tuple[bytes, list[Wake]] = (b"request-0", [])
SEVERAL = (b"COMMIT;", [Wake("test", "key")])
"""What is sent when a group is committed, and what makes it a group of this kind."""


@pytest.fixture
def name(postgres_server: Postgres) -> str:
    """The URL of a migrated database."""
    return postgres_server.create_database(migrated=True)


@pytest.fixture
async def proxy(postgres_server: Postgres) -> AsyncIterator[Proxy]:
    async with proxy_to(postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
async def through(proxy: Proxy, name: str) -> AsyncIterator[SqlStorage]:
    """A storage whose connections go through the proxy."""
    storage = SqlStorage(open_database(f"postgresql://test@127.0.0.1:{proxy.local_port}/{name}"), AUTHENTICITY)
    yield storage
    proxy.blackhole = False
    await storage.close()


@pytest.fixture
async def straight(postgres_server: Postgres, name: str) -> AsyncIterator[SqlStorage]:
    storage = SqlStorage(open_database(postgres_server.url(name)), AUTHENTICITY)
    yield storage
    await storage.close()


@pytest.fixture
async def committer(through: SqlStorage) -> AsyncIterator[Committer]:
    committer = Committer(through, await register(through, AUTHENTICITY.audit_key, "test"), timeout=PATIENCE)
    committer.start()
    yield committer
    await committer.close()


async def audited(storage: SqlStorage) -> list[str]:
    return [each.entry.request_id for each in reversed(await storage.audit_records(AuditFilter(), None, 100))]


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize(("sent", "wakes"), [ONE_STATEMENT, SEVERAL])
async def test_a_commit_whose_answer_is_lost_is_looked_into_and_done_once(
    proxy: Proxy, committer: Committer, straight: SqlStorage, cut: Cut, sent: bytes, wakes: list[Wake]
) -> None:
    proxy.cut(sent, cut)
    wallets = [rows.wallet() for _ in range(8)]
    units = [Unit(rows=[each], wakes=wakes) for each in wallets]
    await asyncio.gather(*[committer.commit(unit, [rows.entry(n)]) for n, unit in enumerate(units)])
    assert proxy.cuts == 1
    assert await audited(straight) == [f"request-{n}" for n in range(8)]
    assert len(await straight.wallets(TENANT, WalletFilter(), None, 100)) == 8
    await committer.commit(Unit(), [rows.entry(8)])
    assert len(await audited(straight)) == 9


@pytest.mark.parametrize(("sent", "wakes"), [ONE_STATEMENT, SEVERAL])
async def test_what_was_there_before_is_told_after_a_lost_answer_too(
    proxy: Proxy, committer: Committer, straight: SqlStorage, sent: bytes, wakes: list[Wake]
) -> None:
    one, other, wallet = rows.operation(), rows.operation(), rows.wallet()
    account = rows.account(wallet)
    there, new = rows.address(account, 0, label="there"), rows.address(account, 1)
    await committer.commit(Unit(rows=[one, wallet, account], same=[rows.held(one), there]))
    proxy.cut(sent, Cut.AFTER)
    same: list[Address | HeldGuard] = [rows.held(other), rows.held(other, 2), replace(there, label="new"), new]
    present = await committer.commit(
        Unit(rows=[other], same=same, wakes=wakes),
        [rows.entry(0)],
    )
    assert proxy.cuts == 1
    assert sorted(present, key=repr) == [there, rows.held(one)]
    assert await straight.operation(TENANT, other.id) == other


@pytest.mark.parametrize("wakes", [[], [Wake("test", "key")]])
async def test_who_lost_while_nobody_knew_is_told_of_it(
    postgres_server: Postgres, name: str, straight: SqlStorage, wakes: list[Wake]
) -> None:
    taken, late = (rows.wallet(external_id="taken") for _ in range(2))

    async def sever() -> None:
        """The first COMMIT, or statement, never arrives. Meanwhile another takes the external id."""
        if not await straight.wallets(TENANT, WalletFilter(), None, 1):
            await straight.apply([Unit(rows=[taken])])
            raise OutcomeUnknown("severed")

    class SeveredStatement(DirectConnection):
        async def fetch(self, statement: str, arguments: Sequence[object]) -> Sequence[Any]:
            await sever()
            return await super().fetch(statement, arguments)

    class Severed(PostgresDatabase):
        def __init__(self, url: Callable[[], str], limits: Limits) -> None:
            super().__init__(url, limits)
            self._own = SeveredStatement(self._own._connect, self._close_idle, limits.timeout)

        async def write(self, work: Work[T]) -> T:
            await sever()
            return await super().write(work)

    chain = await register(straight, AUTHENTICITY.audit_key, "test")
    storage = SqlStorage(Severed(lambda: postgres_server.url(name), Limits()), AUTHENTICITY)
    applied = await storage.apply([Unit(rows=[late, *chain.extend([rows.entry(0)])], wakes=wakes)])
    assert applied.conflicts == [Conflict(0, late, taken)]
    assert await audited(straight) == []
    await storage.close()


async def test_a_lost_answer_without_an_audit_record_stays_unknown(proxy: Proxy, through: SqlStorage) -> None:
    proxy.cut(b"COMMIT;", Cut.AFTER)
    with pytest.raises(OutcomeUnknown):
        await through.apply([Unit(rows=[rows.wallet()])])
    assert proxy.cuts == 1


async def test_a_server_that_is_silent_is_given_up_in_time(proxy: Proxy, through: SqlStorage) -> None:
    await through.ping()
    proxy.blackhole = True
    for ask in (through.ping, lambda: through.apply([Unit(rows=[rows.wallet()])])):
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(StorageUnavailable):
                await ask()
    proxy.blackhole = False
    await through.ping()


async def test_commits_get_a_connection_although_idle_ones_hold_all_that_the_server_grants(
    postgres_server: Postgres, name: str
) -> None:
    role = f"few_{name}"
    postgres_server.run(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT 4 IN ROLE {SERVICE}')
    database = open_database(postgres_server.url(name, role), Limits(pool_size=8, timeout=PATIENCE))
    storage = SqlStorage(database, AUTHENTICITY)

    async def read_at_once() -> None:
        sleep = text("SELECT pg_sleep(0.1)")
        await asyncio.gather(*[database.read(lambda connection: connection.execute(sleep)) for _ in range(8)])

    await read_at_once()
    assert database.connections == 4
    chain = await register(storage, AUTHENTICITY.audit_key, "test")
    for n in range(3):
        [record] = chain.extend([rows.entry(n)])
        applied = await storage.apply([Unit(rows=[rows.wallet(), record])])
        assert not applied.conflicts
        chain.advance(record)
        await read_at_once()
        assert database.connections <= 4
    await storage.ping()
    await storage.close()


async def test_connections_that_died_cost_no_request(postgres_server: Postgres, name: str) -> None:
    database = open_database(postgres_server.url(name), Limits(pool_size=8))
    storage = SqlStorage(database, AUTHENTICITY)

    async def use_all() -> None:
        await asyncio.gather(
            *[database.read(lambda connection: connection.execute(text("SELECT pg_sleep(0.02)"))) for _ in range(8)]
        )

    await use_all()
    assert storage.connections == 8
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'strongroom' AND datname ="
    ended = postgres_server.run(f"{end} '{name}'")
    assert len(ended) == 8
    await use_all()
    postgres_server.run(f"{end} '{name}'")
    await asyncio.gather(*[storage.apply([Unit(rows=[rows.wallet()])]) for _ in range(16)])
    assert len(await storage.wallets(TENANT, WalletFilter(), None, 100)) == 16
    assert storage.connections <= 8
    await storage.close()


async def test_a_transaction_that_is_ended_while_it_works_runs_again(postgres_server: Postgres, name: str) -> None:
    database = open_database(postgres_server.url(name))
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await database.write(work)
    assert runs == 2
    await database.close()


async def test_a_migration_meanwhile_costs_no_request(postgres_server: Postgres, name: str) -> None:
    storage = SqlStorage(open_database(postgres_server.url(name), ONE), AUTHENTICITY)
    wallet, other = rows.wallet(), rows.wallet()
    await storage.apply([Unit(rows=[wallet])])
    assert await storage.wallet(TENANT, wallet.id) == wallet
    postgres_server.run("ALTER TABLE wallets ALTER label TYPE varchar(1000), ADD COLUMN more integer", name)
    assert await storage.wallet(TENANT, wallet.id) == wallet
    await storage.apply([Unit(rows=[other])])
    await storage.close()


async def test_who_waits_for_a_connection_is_told_in_time(postgres_server: Postgres, name: str) -> None:
    database = open_database(postgres_server.url(name), replace(ONE, pool_timeout=0.2))
    hold = asyncio.create_task(database.read(lambda connection: connection.execute(text("SELECT pg_sleep(30)"))))
    async with asyncio.timeout(300):
        while not database.connections:  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.01)
    with pytest.raises(StorageUnavailable) as caught:
        await database.read(lambda connection: connection.execute(text("SELECT 1")))
    assert not hold.done()
    assert caught.value.retry_after == 1
    hold.cancel()
    await asyncio.gather(hold, return_exceptions=True)
    await database.close()


async def test_the_server_keeps_the_limits(postgres_server: Postgres, name: str) -> None:
    limits = Limits(statement_timeout=2.0, lock_timeout=3.0, idle_in_transaction_timeout=4.0)
    database = open_database(postgres_server.url(name), limits)

    def shown(connection: Connection) -> list[object]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
        return [connection.execute(text(f"SHOW {each}")).scalar() for each in names]

    assert await database.read(shown) == ["2s", "3s", "4s", "strongroom"]
    with pytest.raises(StorageUnavailable):
        await database.read(lambda connection: connection.execute(text("SELECT pg_sleep(60)")))
    await database.close()


async def test_a_table_that_is_locked_is_waited_for_and_then_given_up(postgres_server: Postgres, name: str) -> None:
    url = postgres_server.url(name)
    hasty = SqlStorage(open_database(url, Limits(lock_timeout=0.1, timeout=0.4)), AUTHENTICITY)
    patient = SqlStorage(
        open_database(url, Limits(lock_timeout=PATIENCE, statement_timeout=PATIENCE, timeout=PATIENCE)), AUTHENTICITY
    )
    other = await asyncpg.connect(url, timeout=PATIENCE)
    async with other.transaction():
        await other.execute("LOCK TABLE wallets")
        with pytest.raises(StorageUnavailable):
            await hasty.wallet(TENANT, rows.wallet().id)
        waiting = asyncio.create_task(patient.wallet(TENANT, rows.wallet().id))
        async with asyncio.timeout(PATIENCE):
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert await waiting is None
    await other.close()
    for each in (hasty, patient):
        await each.close()


async def test_a_primary_that_only_reads_is_left(postgres_server: Postgres, name: str) -> None:
    """As after a failover: the former primary refuses to write, and its connections are useless."""
    storage = SqlStorage(open_database(postgres_server.url(name), ONE), AUTHENTICITY)
    await storage.apply([Unit(rows=[rows.wallet()])])
    postgres_server.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    ask = "SELECT pid FROM pg_stat_activity WHERE application_name = 'strongroom' AND datname ="
    [(before,)] = postgres_server.run(f"{ask} '{name}'")
    database = storage._database
    assert isinstance(database, PostgresDatabase)
    await database.read(lambda connection: connection.exec_driver_sql("SET default_transaction_read_only = on"))
    with pytest.raises(StorageUnavailable):
        await storage.apply([Unit(rows=[rows.wallet()])])
    postgres_server.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
    await storage.apply([Unit(rows=[rows.wallet()])])
    [(after,)] = postgres_server.run(f"{ask} '{name}'")
    assert after != before
    await storage.close()


async def test_a_standby_is_never_asked(postgres_server: Postgres) -> None:
    with postgres.running() as standby:
        standby.stop()
        (standby.folder / "data" / "standby.signal").touch()
        standby.start()
        assert standby.run("SELECT pg_is_in_recovery()") == [(True,)]
        alone = SqlStorage(open_database(standby.url(), Limits(timeout=0.5)), AUTHENTICITY)
        with pytest.raises(StorageUnavailable):
            await alone.ping()
        hosts = f"127.0.0.1:1,127.0.0.1:{standby.port},127.0.0.1:{postgres_server.port}"
        both = open_database(f"postgresql://test@{hosts}/postgres")
        ask = text("SELECT pg_is_in_recovery()")
        assert await both.read(lambda connection: connection.execute(ask).scalar()) is False
        await both.close()


@pytest.mark.parametrize("query", ["sslmode=sometimes", "sslmode=verify-full&sslrootcert=/nowhere/ca.pem"])
async def test_a_url_that_cannot_be_used_is_said_so(postgres_server: Postgres, query: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await SqlStorage(open_database(f"{postgres_server.url()}?{query}"), AUTHENTICITY).ping()
    assert "/nowhere" not in caught.value.message
