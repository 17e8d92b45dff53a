"""A database of 1.0.8: its rows are put under their MACs once, in a step that can be stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from strongroom.domain.record import OperationRecord, OperationState, ServiceSecret
from strongroom.domain.wallet import Wallet, WalletState
from strongroom.errors import IntegrityError
from strongroom.journal import phase
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.journal.reconcile import Reconciler
from strongroom.storage import migrate as migrating
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Change, Row, Unit
from strongroom.storage.database import Database, Limits
from strongroom.storage.mapping import KINDS
from strongroom.storage.migrate import migrate, version
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.postgres import Postgres
from tests.support.rows import TENANT

KEY = b"s" * 32
AUTHENTICATED = tuple(kind.table.name for kind in KINDS if kind.mac == "mac")
"""Tables whose rows of 1.0.8 have no MAC yet."""
SERVICE_SECRET = ServiceSecret(1, "kek", 1, b"wrapped")
MAC_TABLES = ("wallets", "secrets", "accounts", "operations", "guards", "signatures", "service_secrets")


def _back_to_1_0_8(connection: Connection) -> None:
    """The schema as `0001` makes it: what the later ones add is taken away, and nothing else."""
    connection.execute(text("DROP INDEX uq_addresses_external_id"))
    connection.execute(text("DROP INDEX ix_addresses_external_id"))
    connection.execute(text("ALTER TABLE addresses DROP COLUMN networks"))
    connection.execute(text("DROP INDEX ix_wallets_rates"))
    connection.execute(text("ALTER TABLE wallets DROP COLUMN rates"))
    connection.execute(text("ALTER TABLE api_keys DROP COLUMN restriction"))
    connection.execute(text("DROP INDEX ix_audit_tenant_id"))
    connection.execute(text("DROP INDEX ix_api_keys_made_by"))
    connection.execute(text("ALTER TABLE api_keys DROP COLUMN made_by"))
    for table in ("notifications", "silences", "alerts", "sightings", "client_networks", "revocations", "discoveries"):
        connection.execute(text(f"DROP TABLE {table}"))
    connection.execute(text("DROP TABLE broadcasts"))
    connection.execute(text("DROP TABLE progress"))
    connection.execute(text("DROP TABLE tasks"))
    for table in MAC_TABLES:
        connection.execute(text(f"ALTER TABLE {table} DROP COLUMN mac"))
    connection.execute(text("DROP TABLE floors"))
    connection.execute(text("DROP INDEX ix_audit_marks"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        made = open_database(f"sqlite:///{tmp_path}/test.db")
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        made = open_database(server.url(server.create_database()), Limits(timeout=None, statement_timeout=0))
    yield made
    await made.close()


@pytest.fixture
async def legacy(database: Database) -> tuple[SqlStorage, Wallet, list[OperationRecord]]:
    """1,200 operations, more than two pages, and one of everything else, without a MAC."""
    await migrate(database)
    storage = SqlStorage(database, Authenticity(KEY))
    await register(storage, storage._authenticity.audit_key, "1.0.8")
    wallet = rows.wallet(external_id="till")
    account = rows.account(wallet)
    operations = [rows.operation(state=OperationState.DONE, result=b"{}") for _ in range(1_200)]
    held, signature = rows.held(operations[0]), rows.signature(operations[0])
    key = rows.api_key()
    whole: list[Row] = [
        wallet,
        rows.secret(wallet),
        account,
        rows.address(account),
        *operations,
        held,
        signature,
        key,
        SERVICE_SECRET,
    ]
    assert not (await storage.apply([Unit(rows=whole)])).conflicts
    await database.write(_back_to_1_0_8)
    assert await version(database) == "0001"
    assert await migrate(database)
    assert await version(database) == migrating.HEAD
    storage._authenticity.strict = False
    return storage, wallet, operations


async def bare(database: Database, table: str) -> int:
    query = text(f"SELECT count(*) FROM {table} WHERE mac IS NULL")
    return int(await database.read(lambda connection: connection.execute(query).scalar_one()))


async def committer_of(storage: SqlStorage) -> Committer:
    made = Committer(storage, await register(storage, storage._authenticity.audit_key, "now"), timeout=60)
    made.start()
    return made


Legacy = tuple[SqlStorage, Wallet, list[OperationRecord]]


async def test_rows_of_1_0_8_are_read_and_changed_until_they_are_authenticated(legacy: Legacy) -> None:
    storage, wallet, operations = legacy
    key = storage._authenticity.audit_key
    assert not await phase.is_new(storage)
    assert not await phase.is_authenticated(storage, key)
    assert await phase.may_be_believed(storage, key, None)
    assert await storage.wallet(TENANT, wallet.id) == wallet
    assert await storage.operation(TENANT, operations[7].id) == operations[7]
    change = Change(Wallet, wallet.id, {}, {"state": WalletState.ARCHIVED})
    assert not (await storage.apply([Unit(changes=[change])])).conflicts
    found = await storage.wallet(TENANT, wallet.id)
    assert found is not None
    assert found.state is WalletState.ARCHIVED


async def test_the_step_can_be_stopped_and_afterwards_a_missing_mac_is_tampering(
    legacy: Legacy, database: Database
) -> None:
    storage, wallet, operations = legacy
    committer = await committer_of(storage)

    class Stopped(Exception):
        pass

    def stop(table: str, count: int) -> None:
        if table == "operations" and count >= 1_000:
            raise Stopped

    with pytest.raises(Stopped):
        await phase.authenticate(storage, committer, stop)
    assert await bare(database, "operations") == 200
    assert not await phase.is_authenticated(storage, storage._authenticity.audit_key)
    # What 1.0.8 still writes leaves a MAC of an earlier version behind: the second pass mends that too.
    await database.write(lambda connection: connection.execute(text("UPDATE operations SET epoch = 2 WHERE epoch = 1")))

    assert await phase.authenticate(storage, committer) == 1_200 + 3
    assert {table: await bare(database, table) for table in AUTHENTICATED} == dict.fromkeys(AUTHENTICATED, 0)
    assert await phase.is_authenticated(storage, storage._authenticity.audit_key)
    await committer.close()

    storage._authenticity.strict = True
    assert await storage.wallet(TENANT, wallet.id) == wallet
    cursor: str | None = None
    reconciler = Reconciler(storage, storage._authenticity.audit_key)
    while True:
        step = await reconciler.slice(cursor, 500)
        assert step.findings == ()
        cursor = step.cursor
        if cursor is None:
            break

    await database.write(lambda connection: connection.execute(text("UPDATE wallets SET mac = NULL")))
    with pytest.raises(IntegrityError):
        await storage.wallet(TENANT, wallet.id)
    await database.write(lambda connection: connection.execute(text("UPDATE operations SET mac = NULL")))
    with pytest.raises(IntegrityError):
        await storage.operation(TENANT, operations[3].id)


async def test_a_mark_that_was_taken_away_leaves_a_database_that_is_not_believed(
    legacy: Legacy, database: Database, tmp_path: Path
) -> None:
    storage, _, _ = legacy
    key = storage._authenticity.audit_key
    committer = await committer_of(storage)
    await phase.authenticate(storage, committer)
    await committer.commit(Unit(), [rows.entry()])
    head = committer.head()
    await committer.close()

    def take_away(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER audit_no_{verb}"))
        else:
            connection.execute(text("DROP TRIGGER audit_append_only ON audit"))
        connection.execute(text("DELETE FROM audit WHERE operation = 'state.authenticated'"))

    await database.write(take_away)
    assert not await phase.is_authenticated(storage, key)
    assert not await phase.may_be_believed(storage, key, None)
    await database.write(lambda connection: connection.execute(text("DELETE FROM audit")))
    assert not await phase.may_be_believed(storage, key, [head])
    assert await phase.may_be_believed(storage, key, None)  # the end of a chain: heads alone can tell


async def test_a_forged_mark_is_none(legacy: Legacy, database: Database) -> None:
    storage, _, _ = legacy
    committer = await committer_of(storage)
    await committer.commit(Unit(), [rows.entry()])
    await committer.close()

    def forge(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_no_update"))
        else:
            connection.execute(text("DROP TRIGGER audit_append_only ON audit"))
        connection.execute(text("UPDATE audit SET operation = 'state.authenticated', outcome = 'succeeded'"))

    await database.write(forge)
    assert not await phase.is_authenticated(storage, storage._authenticity.audit_key)
