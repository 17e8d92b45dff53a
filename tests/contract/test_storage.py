"""The contract of every storage. A new implementation is one more parameter of `storage`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from strongroom.domain.access import ClientNetworks, Revocation
from strongroom.domain.alert import Alert, AlertState, Severity, alert_id
from strongroom.domain.discovery import Discovery, DiscoveryState
from strongroom.domain.ids import new_id
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import (
    AuditOutcome,
    AuditRecord,
    AuditWriter,
    Broadcast,
    BroadcastState,
    OperationRecord,
    OperationState,
    ServiceSecret,
)
from strongroom.domain.wallet import Account, Wallet, WalletKind, WalletState
from strongroom.errors import StorageUnavailable
from strongroom.storage import sqlite
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import (
    AddressFilter,
    Applied,
    AuditFilter,
    Change,
    Conflict,
    KekCount,
    MoveGuard,
    Opens,
    ReleaseGuards,
    Row,
    Unit,
    WalletFilter,
)
from strongroom.storage.database import Database
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.postgres import SERVICE, Postgres
from tests.support.rows import NOW, OTHER_TENANT, PRINCIPAL, TENANT, done
from tests.support.task_workers import PATIENT

needs_postgresql = pytest.mark.needs("postgresql")


class Audited(SqlStorage):
    """Applies units with an audit record, as the service nearly always does, so they may be written at once."""

    async def apply(self, units: Sequence[Unit]) -> Applied:
        if not any(isinstance(row, AuditRecord) for unit in units for row in unit.rows):
            record = AuditRecord(new_id(), 1, rows.entry(), b"m" * 32)
            units = [replace(units[0], rows=[*units[0].rows, record]), *units[1:]]
        return await super().apply(units)


@pytest.fixture(
    params=[
        "sqlite",
        "sqlite audited",
        pytest.param("postgresql", marks=needs_postgresql),
        pytest.param("postgresql audited", marks=needs_postgresql),
    ]
)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param.startswith("sqlite"):
        made = open_database(f"sqlite:///{tmp_path}/test.db", PATIENT)
        await migrate(made)
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        made = open_database(server.url(server.create_database(migrated=True), SERVICE), PATIENT)
    yield made
    await made.close()


@pytest.fixture
def storage(request: pytest.FixtureRequest, database: Database) -> SqlStorage:
    of = Audited if "audited" in request.node.callspec.id else SqlStorage
    return of(database, Authenticity(b"s" * 32))


async def lost(storage: SqlStorage, *units: Unit) -> list[Conflict]:
    applied = await storage.apply(units)
    assert applied.conflicts
    return list(applied.conflicts)


async def test_a_unit_opens_only_the_newest_secret_of_an_active_wallet(storage: SqlStorage) -> None:
    wallet, other = rows.wallet(), rows.wallet()
    secret, foreign = rows.secret(wallet), rows.secret(other, blob=b"other")
    await done(storage, Unit(rows=[wallet, other, secret, foreign]))
    operations = [rows.operation() for _ in range(3)]
    opens = Opens(secret)
    await done(storage, *(Unit(rows=[operation], opens=[opens]) for operation in operations))

    for stale in (replace(secret, blob=b"x"), replace(secret, wrapped_dek=b"x"), replace(secret, version=2)):
        [good, bad] = rows.operation(), rows.operation()
        [conflict] = await lost(storage, Unit(rows=[good]), Unit(rows=[bad], opens=[Opens(stale)]))
        assert (conflict.unit, conflict.cause) == (1, Opens(stale))
        assert await storage.operation(TENANT, good.id) is None
    assert len(await lost(storage, Unit(opens=[opens, Opens(rows.secret(rows.wallet()))]))) == 1

    newer = replace(secret, version=2)
    await done(storage, Unit(rows=[newer]))
    await lost(storage, Unit(opens=[opens]))
    await done(storage, Unit(opens=[Opens(newer), Opens(foreign)]))
    await done(storage, Unit(changes=[Change(Wallet, wallet.id, {}, {"state": WalletState.ARCHIVED})]))
    await lost(storage, Unit(opens=[Opens(newer)]))
    await done(storage, Unit(opens=[Opens(foreign)]))


async def test_every_row_comes_back_as_it_was_stored(storage: SqlStorage) -> None:
    wallet = rows.wallet(external_id="customer-7", label="Kasse \N{BANK} ✓")
    secret = rows.secret(wallet)
    account, hardened = rows.account(wallet, next_index=3), rows.account(wallet, scheme="ledger-live", node=None)
    address = rows.address(account, 2**31 - 1, label="x", external_id="y")
    operation = rows.operation(idempotency_key="k", wallet_id=wallet.id, state=OperationState.DONE, result=b'{"a":1}')
    held, signature = rows.held(operation), rows.signature(operation)
    key = rows.api_key(expires_at=NOW)
    writer = AuditWriter(new_id(), 1, NOW, "host", b"m" * 32)
    record = AuditRecord(writer.id, 1, rows.entry(wallet_id=None, network=None), b"n" * 32)
    service = ServiceSecret(1, "kek", 2, b"w")
    await done(
        storage,
        Unit(
            rows=[record, writer, service, key, signature, held, operation, address, account, hardened, secret, wallet]
        ),
    )
    assert await storage.wallet(TENANT, wallet.id) == wallet
    assert await storage.secret(TENANT, wallet.id) == secret
    assert await storage.account(TENANT, wallet.id, "evm", "bip44", 0) == account
    assert await storage.account(TENANT, wallet.id, "evm", "ledger-live", 0) == hardened
    assert await storage.account(TENANT, wallet.id, "tron", "bip44", 0) is None
    assert await storage.address(TENANT, account.id, 0, 2**31 - 1) == address
    assert await storage.find_addresses(TENANT, "evm", address.canonical) == [address]
    assert await storage.find_addresses(TENANT, "evm", address.canonical, [new_id()]) == []
    assert await storage.operation(TENANT, operation.id) == operation
    assert await storage.operation_by_key(TENANT, PRINCIPAL, "k") == operation
    assert await storage.guard(held.guard) == held
    assert await storage.signatures(TENANT, operation.id) == [signature]
    assert await storage.api_key(key.id) == key
    assert await storage.service_secret() == service
    assert await storage.audit_writers() == [writer]
    assert await storage.audit_writer_ids() == {writer.id}
    assert await storage.audit_chain(writer.id, 0, 10) == [record]


async def test_another_tenant_sees_nothing(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    operation = rows.operation(idempotency_key="k")
    await done(
        storage,
        Unit(
            rows=[
                wallet, rows.secret(wallet), account, rows.address(account), operation, rows.signature(operation),
                rows.api_key(),
            ]
        ),
    )  # fmt: skip
    assert await storage.wallet(OTHER_TENANT, wallet.id) is None
    assert await storage.wallets(OTHER_TENANT, WalletFilter(), None, 10) == []
    assert await storage.secret(OTHER_TENANT, wallet.id) is None
    assert await storage.account(OTHER_TENANT, wallet.id, "evm", "bip44", 0) is None
    assert await storage.address(OTHER_TENANT, account.id, 0, 0) is None
    assert await storage.addresses(OTHER_TENANT, wallet.id, AddressFilter(), None, 10) == []
    assert await storage.find_addresses(OTHER_TENANT, "evm", bytes(20)) == []
    assert await storage.operation(OTHER_TENANT, operation.id) is None
    assert await storage.operation_by_key(OTHER_TENANT, PRINCIPAL, "k") is None
    assert await storage.signatures(OTHER_TENANT, operation.id) == []
    assert await storage.api_keys(OTHER_TENANT, None, 10) == []


async def test_a_row_of_one_tenant_cannot_hang_on_one_of_another(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    await done(storage, Unit(rows=[wallet]))
    with pytest.raises(Exception, match="rows refer to what is not there"):
        await storage.apply([Unit(rows=[rows.account(wallet, tenant_id=OTHER_TENANT)])])


async def test_times_come_back_in_utc(storage: SqlStorage) -> None:
    east = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=3)))
    wallet = rows.wallet(created_at=east)
    await done(storage, Unit(rows=[wallet]))
    found = await storage.wallet(TENANT, wallet.id)
    assert found is not None
    assert found.created_at == east
    assert found.created_at.tzinfo is UTC


async def test_lists_are_paged_in_a_fixed_order(storage: SqlStorage) -> None:
    wallets = [rows.wallet(id=UUID(int=n), label=f"{n % 2}") for n in range(5)]
    keys = [rows.api_key(id=UUID(int=n)) for n in range(3)]
    account = rows.account(wallets[0])
    addresses = [rows.address(account, n) for n in range(5)]
    await done(storage, Unit(rows=[*wallets, *keys, account, *addresses]))
    first = await storage.wallets(TENANT, WalletFilter(), None, 3)
    rest = await storage.wallets(TENANT, WalletFilter(), first[-1].id, 3)
    assert [*first, *rest] == wallets
    assert await storage.wallets(TENANT, WalletFilter(label="1"), None, 9) == wallets[1::2]
    assert await storage.api_keys(TENANT, keys[0].id, 9) == keys[1:]
    page = await storage.addresses(TENANT, wallets[0].id, AddressFilter(), None, 2)
    last = page[-1]
    after = (last.account_id, last.change, last.index)
    assert page + await storage.addresses(TENANT, wallets[0].id, AddressFilter(keyspace="evm"), after, 9) == addresses


async def test_indexes_that_were_handed_out(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    account, other = rows.account(wallet), rows.account(wallet, number=1)
    given = [rows.address(account, n) for n in (0, 1, 2, 5, 2**31 - 1)]
    elsewhere = [rows.address(account, 3, change=1), rows.address(other, 4)]
    await done(storage, Unit(rows=[wallet, account, other, *given, *elsewhere]))
    assert await storage.given_indexes(TENANT, account.id, 0, 9) == [0, 1, 2, 5, 2**31 - 1]
    assert await storage.given_indexes(TENANT, account.id, 1, 3) == [1, 2, 5]
    assert await storage.given_indexes(TENANT, account.id, 2**31, 9) == []
    assert await storage.given_indexes(OTHER_TENANT, account.id, 0, 9) == []


async def test_audit_records_are_listed_newest_first(storage: SqlStorage) -> None:
    writer = new_id()
    records = [AuditRecord(writer, n + 1, rows.entry(n // 2, tenant_id=UUID(int=n % 2)), b"") for n in range(6)]
    await done(storage, Unit(rows=records))
    newest = await storage.audit_records(AuditFilter(), None, 2)
    before = (newest[-1].entry.at, writer, newest[-1].sequence)
    assert newest + await storage.audit_records(AuditFilter(), before, 9) == records[::-1]
    assert await storage.audit_records(AuditFilter(tenant_id=UUID(int=1)), None, 9) == records[5::-2]
    assert await storage.audit_records(AuditFilter(outcome=AuditOutcome.DENIED), None, 9) == []


async def test_a_row_must_be_new(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    await done(storage, Unit(rows=[wallet]))
    again = replace(wallet, label="other")
    assert await lost(storage, Unit(rows=[rows.api_key()]), Unit(rows=[again])) == [Conflict(1, again, wallet)]
    assert await storage.api_keys(TENANT, None, 9) == []  # nothing of a batch is committed if one unit loses


async def test_every_unique_key_is_a_conflict_with_what_was_found(storage: SqlStorage) -> None:
    wallet, operation = rows.wallet(external_id="e"), rows.operation(idempotency_key="k")
    account = rows.account(wallet)
    writer = AuditWriter(new_id(), 1, NOW, "host", b"m" * 32)
    await done(storage, Unit(rows=[wallet, account, operation, writer]))
    news: list[tuple[Row, Row]] = [
        (rows.wallet(external_id="e"), wallet),
        (rows.account(wallet), account),
        (rows.operation(idempotency_key="k"), operation),
        (replace(writer, id=new_id()), writer),
    ]
    units = [Unit(rows=[new]) for new, _ in news]
    expected = {(n, there) for n, (_, there) in enumerate(news)}
    assert {(each.unit, each.found) for each in await lost(storage, *units)} == expected
    others: list[Row] = [
        rows.wallet(external_id="e", tenant_id=OTHER_TENANT),
        rows.wallet(),
        rows.wallet(),
        rows.operation(),
    ]
    await done(storage, Unit(rows=others))


async def test_of_two_units_that_collide_the_later_one_loses(storage: SqlStorage) -> None:
    first, second, third = (rows.wallet(external_id=name) for name in ("a", "a", "b"))
    assert await lost(storage, *[Unit(rows=[each]) for each in (first, second, third)]) == [Conflict(1, second, first)]
    await done(storage, Unit(rows=[first]), Unit(rows=[third]))


async def test_who_collides_with_a_loser_only_has_not_lost(storage: SqlStorage) -> None:
    there = rows.operation(idempotency_key="k")
    await done(storage, Unit(rows=[there]))
    loser = Unit(rows=[rows.wallet(external_id="e"), rows.operation(idempotency_key="k")])
    other = Unit(rows=[rows.wallet(external_id="e")])
    assert [each.unit for each in await lost(storage, loser, other)] == [0]


async def test_a_same_address_may_be_there(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    address = rows.address(account, label="first")
    await done(storage, Unit(rows=[wallet, account], same=[address]))
    again = replace(address, label="second", external_id="x", created_at=NOW + timedelta(days=1))
    applied = await done(storage, Unit(same=[again]), Unit(same=[rows.address(account, 1)]), Unit(same=[again]))
    assert applied.present == [(0, address), (2, address)]
    assert await storage.address(TENANT, account.id, 0, 0) == address


async def test_an_address_is_handed_out_for_one_network_after_another(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    silent, asked, old = (rows.address(account, n, networks=each) for n, each in enumerate(("", "a:1", None)))
    await done(storage, Unit(rows=[wallet, account, silent, asked, old]))
    for networks in (["b:1", "b:2"], ["b:2"]):  # some at the same time, and known ones add nothing
        wider = [replace(each, networks=name) for each in (silent, asked, old) for name in networks]
        await done(storage, *(Unit(same=[each]) for each in wider))
        stored = [await storage.address(TENANT, account.id, 0, n) for n in range(3)]
        assert [each.networks for each in stored if each] == ["b:1 b:2", "a:1 b:1 b:2", None]

    async def listed(**where: Any) -> list[int]:
        found = await storage.addresses(TENANT, wallet.id, AddressFilter(**where), None, 10)
        return [each.index for each in found]

    await done(storage, Unit(rows=[rows.address(account, 3, networks="")]))
    assert await listed() == [0, 1, 2, 3]
    assert await listed(handed_out=True) == [0, 1, 2]
    assert await listed(handed_out=True, networks=frozenset({"a:1"})) == [1, 2]
    assert await listed(handed_out=True, networks=frozenset({"b:", "_:1", "%"})) == [2]


async def test_an_external_id_of_an_address_is_unique_but_among_old_ones(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    old = [rows.address(account, n, external_id="twice") for n in range(2)]
    await done(storage, Unit(rows=[wallet, account, *old]))
    one = rows.address(account, 2, external_id="once", networks="a:1")
    await done(storage, Unit(rows=[one]))
    again = rows.address(account, 3, external_id="once", networks="a:1")
    [conflict] = await lost(storage, Unit(rows=[again]))
    assert (conflict.cause, conflict.found) == (again, one)
    assert await storage.address_by_external_id(TENANT, "once") == one
    assert await storage.address_by_external_id(TENANT, "twice") in old
    assert await storage.address_by_external_id(OTHER_TENANT, "once") is None


async def test_two_same_rows_of_one_batch_are_one(storage: SqlStorage) -> None:
    one, other = rows.operation(), rows.operation()
    mine, yours = rows.held(one), rows.held(other)
    applied = await done(storage, Unit(rows=[one], same=[mine]), Unit(rows=[other], same=[yours]))
    assert applied.present == [(1, mine)]
    assert await storage.guard(mine.guard) == mine


async def test_an_address_that_differs_is_a_conflict_and_an_alarm(
    storage: SqlStorage, capsys: pytest.CaptureFixture[str]
) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    address = rows.address(account)
    await done(storage, Unit(rows=[wallet, account], same=[address]))
    other = replace(address, canonical=b"\xff" * 20)
    assert await lost(storage, Unit(same=[other])) == [Conflict(0, other, address)]
    assert "integrity.alarm" in capsys.readouterr().out


async def test_a_guard_of_another_payload_is_a_conflict(storage: SqlStorage) -> None:
    one, other = rows.operation(), rows.operation()
    mine, yours = rows.held(one), rows.held(other, payload=b"q" * 32)
    await done(storage, Unit(rows=[one], same=[mine]))
    assert await lost(storage, Unit(rows=[other], same=[yours])) == [Conflict(0, yours, mine)]
    assert await storage.operation(TENANT, other.id) is None


async def test_a_change_holds_what_it_expects(storage: SqlStorage) -> None:
    operation, other = rows.operation(), rows.operation()
    await done(storage, Unit(rows=[operation, other]))
    settle = Change(
        OperationRecord, operation.id, {"epoch": 1, "state": OperationState.PENDING, "result": None},
        {"state": OperationState.DONE, "result": b"{}"},
    )  # fmt: skip
    stale = Change(OperationRecord, other.id, {"epoch": 2}, {"state": OperationState.DONE})
    missing = Change(OperationRecord, new_id(), {"epoch": 1}, {"state": OperationState.DONE})
    conflicts = await lost(storage, Unit(changes=[settle]), Unit(changes=[stale]), Unit(changes=[missing]))
    assert conflicts == [Conflict(1, stale, other), Conflict(2, missing, None)]
    assert await storage.operation(TENANT, operation.id) == operation
    await done(storage, Unit(changes=[settle]))
    settled = replace(operation, state=OperationState.DONE, result=b"{}")
    assert await storage.operation(TENANT, operation.id) == settled
    assert await lost(storage, Unit(changes=[settle])) == [Conflict(0, settle, settled)]


async def test_two_changes_of_one_row_in_a_batch_are_a_conflict_of_the_later(storage: SqlStorage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    await done(storage, Unit(rows=[wallet, account]))
    take = Change(Account, account.id, {"next_index": 0}, {"next_index": 1})
    assert [each.unit for each in await lost(storage, Unit(changes=[take]), Unit(changes=[take]))] == [1]


async def test_changes_of_many_kinds_and_shapes(storage: SqlStorage) -> None:
    wallet, key = rows.wallet(), rows.api_key()
    account = rows.account(wallet)
    await done(storage, Unit(rows=[wallet, key, account]))
    await done(
        storage,
        Unit(
            changes=[
                Change(Wallet, wallet.id, {"state": WalletState.ACTIVE}, {"state": WalletState.ARCHIVED}),
                Change(Account, account.id, {"next_index": 0}, {"next_index": 7}),
                Change(ApiKey, key.id, {"revoked_at": None}, {"revoked_at": NOW}),
            ]
        ),
    )
    assert await storage.wallet(TENANT, wallet.id) == replace(wallet, state=WalletState.ARCHIVED)
    assert await storage.account(TENANT, wallet.id, "evm", "bip44", 0) == replace(account, next_index=7)
    assert await storage.api_key(key.id) == replace(key, revoked_at=NOW)


async def test_a_guard_moves_if_it_stands_as_held(storage: SqlStorage) -> None:
    one, other = rows.operation(), rows.operation()
    mine = rows.held(one)
    await done(storage, Unit(rows=[one, other], same=[mine]))
    marked = replace(mine, replaced_by=other.id)
    yours = rows.held(other, payload=b"q" * 32)
    await done(storage, Unit(changes=[MoveGuard(mine, marked)]))
    stale = MoveGuard(mine, yours)
    assert await lost(storage, Unit(changes=[stale])) == [Conflict(0, stale, marked)]
    await done(storage, Unit(changes=[MoveGuard(marked, yours)]))
    assert await storage.guard(mine.guard) == yours


async def test_release_gives_up_what_is_held_and_wipes_marks(storage: SqlStorage) -> None:
    one, other = rows.operation(), rows.operation()
    mine, kept = rows.held(one, 1), rows.held(other, 2)
    marked = replace(kept, replaced_by=one.id)
    await done(storage, Unit(rows=[one, other], same=[mine, marked]))
    await done(storage, Unit(releases=[ReleaseGuards(one.id)]))
    assert await storage.guard(mine.guard) is None
    assert await storage.guard(kept.guard) == kept


async def test_what_has_signed_is_not_released(storage: SqlStorage) -> None:
    one = rows.operation()
    mine = rows.held(one, 1)
    await done(storage, Unit(rows=[one, rows.signature(one)], same=[mine]))
    await done(storage, Unit(releases=[ReleaseGuards(one.id)]))
    assert await storage.guard(mine.guard) == mine


async def test_guards_of_an_operation(storage: SqlStorage) -> None:
    one, other = rows.operation(), rows.operation()
    first, second, theirs = rows.held(one, 1), rows.held(one, 2), rows.held(other, 3)
    await done(storage, Unit(rows=[one, other], same=[second, theirs, first]))
    assert await storage.guards_of(TENANT, one.id) == [first, second]
    assert await storage.guards_of(OTHER_TENANT, one.id) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_guard_that_is_released_in_the_same_batch_is_not_relied_on(
    storage: SqlStorage, order: tuple[int, int]
) -> None:
    one, other = rows.operation(), rows.operation()
    mine, yours = rows.held(one), rows.held(other)
    await done(storage, Unit(rows=[one], same=[mine]))
    units = [Unit(releases=[ReleaseGuards(one.id)]), Unit(rows=[other], same=[yours])]
    await done(storage, *[units[n] for n in order])
    assert await storage.guard(mine.guard) == yours


async def test_batches_of_two_processes_collide_row_by_row(database: Database) -> None:
    """Two storages insert the same 40 wallets in different orders, and every external id is taken once."""
    storages = [SqlStorage(database, Authenticity(b"s" * 32)) for _ in range(2)]

    async def create(storage: SqlStorage, names: list[int]) -> int:
        units = [Unit(rows=[rows.wallet(external_id=str(name))]) for name in names]
        created = 0
        while units:
            applied = await storage.apply(units)
            if not applied.conflicts:
                return created + len(units)
            losers = {each.unit for each in applied.conflicts}
            units = [unit for n, unit in enumerate(units) if n not in losers]
        return created

    names = list(range(40))
    counts = await asyncio.gather(create(storages[0], names), create(storages[1], names[::-1]))
    assert sum(counts) == 40
    assert len(await storages[0].wallets(TENANT, WalletFilter(), None, 100)) == 40


@pytest.mark.parametrize("table", ["audit", "audit_writers"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET mac = NULL", "DELETE FROM {}"])
async def test_the_audit_is_append_only(storage: SqlStorage, database: Database, table: str, statement: str) -> None:
    writer = AuditWriter(new_id(), 1, NOW, "host", b"m" * 32)
    await done(storage, Unit(rows=[writer, AuditRecord(writer.id, 1, rows.entry(), b"n" * 32)]))
    with pytest.raises(Exception) as refusal:  # noqa: PT011
        await database.write(lambda connection: connection.execute(text(statement.format(table))))
    said = f"{refusal.value} {refusal.value.__cause__}"
    assert ("lacks a privilege" if database.dialect.name == "postgresql" else "append-only") in said
    assert len(await storage.audit_chain(writer.id, 0, 9)) == 1


async def test_ping(storage: SqlStorage) -> None:
    assert 0 < await storage.ping() < 1000


async def test_a_database_that_is_away_is_unavailable(tmp_path: Path) -> None:
    nothing = SqlStorage(open_database("postgresql://test@127.0.0.1:1/none"), Authenticity(b"s" * 32))
    with pytest.raises(StorageUnavailable):
        await nothing.ping()
    with pytest.raises(StorageUnavailable):
        await nothing.apply([Unit(rows=[rows.wallet(kind=WalletKind.RAW_KEY)])])
    await nothing.close()


async def test_secrets_are_counted_by_the_key_that_wrapped_them(storage: SqlStorage) -> None:
    wallets = [rows.wallet(tenant_id=tenant) for tenant in (TENANT, OTHER_TENANT, TENANT)]
    secrets = [rows.secret(wallet, kek_version=version) for wallet, version in zip(wallets, (1, 2, 2), strict=True)]
    await done(storage, Unit(rows=[*wallets, *secrets]))
    assert await storage.secrets_by_kek() == [KekCount("kek", 1, 1), KekCount("kek", 2, 2)]


async def test_secrets_that_are_under_another_key_are_found_page_by_page(storage: SqlStorage) -> None:
    wallets = [rows.wallet(id=UUID(int=n)) for n in range(1, 6)]
    kek = ["new", "old", "new", "new", "old"]
    version = [2, 2, 1, 2, 1]
    secrets = [rows.secret(w, kek=k, kek_version=v) for w, k, v in zip(wallets, kek, version, strict=True)]
    await done(storage, Unit(rows=[*wallets, *secrets]))
    first = await storage.secrets_not_under("new", 2, None, 2)
    rest = await storage.secrets_not_under("new", 2, (first[-1].wallet_id, first[-1].version), 2)
    assert [*first, *rest] == [secrets[1], secrets[2], secrets[4]]


async def test_a_rewrap_touches_the_wrapped_key_alone_and_only_as_it_was_read(storage: SqlStorage) -> None:
    wallets = [rows.wallet() for _ in range(3)]
    secrets = [rows.secret(wallet) for wallet in wallets]
    await done(storage, Unit(rows=[*wallets, *secrets]))
    new = [replace(each, kek="new", kek_version=7, wrapped_dek=b"again", blob=b"other") for each in secrets]
    assert await storage.rewrap_secrets([]) == 0
    assert await storage.rewrap_secrets([(secrets[0], new[0]), (secrets[1], new[1])]) == 2
    late = [(each, replace(each, wrapped_dek=b"late")) for each in secrets]
    assert await storage.rewrap_secrets(late) == 1
    found = [await storage.secret(TENANT, wallet.id) for wallet in wallets]
    kept = [replace(each, blob=b"blob") for each in new[:2]]
    assert found == [*kept, replace(secrets[2], wrapped_dek=b"late")]


async def test_the_service_secret_is_rewrapped_only_as_it_was_read(storage: SqlStorage) -> None:
    old, new = ServiceSecret(1, "kek", 1, b"old"), ServiceSecret(1, "new", 2, b"new")
    await done(storage, Unit(rows=[old]))
    assert await storage.rewrap_service_secret(old, new)
    assert not await storage.rewrap_service_secret(old, replace(new, wrapped=b"late"))
    assert await storage.service_secret() == new


async def test_a_discovery_is_one_row_and_changes_from_one_epoch_to_the_next(storage: SqlStorage) -> None:
    row = rows.discovery(keys=b"\x02" * 33)
    await done(storage, Unit(rows=[row]))
    assert await storage.discovery(TENANT, row.id) == row
    assert await storage.discovery(OTHER_TENANT, row.id) is None
    [conflict] = (await storage.apply([Unit(rows=[rows.discovery(gap=5)])])).conflicts
    assert conflict.found == row
    new: dict[str, Any] = {"state": DiscoveryState.STOPPED, "reason": "budget", "index": 7, "keys": b"", "epoch": 2}
    change = Change(Discovery, row.id, {"epoch": 1}, new)
    await done(storage, Unit(changes=[change]))
    assert await storage.discovery(TENANT, row.id) == replace(row, **new)
    [conflict] = (await storage.apply([Unit(changes=[change])])).conflicts
    assert conflict.cause == change


async def test_a_broadcast_is_one_row_of_its_tenant(storage: SqlStorage) -> None:
    row = rows.broadcast()
    await done(storage, Unit(rows=[row]))
    assert await storage.broadcast(TENANT, "eip155:1", row.tx_id) == row
    assert await storage.broadcast(OTHER_TENANT, "eip155:1", row.tx_id) is None
    assert await storage.broadcast(TENANT, "eip155:137", row.tx_id) is None
    await done(storage, Unit(rows=[rows.broadcast(tenant_id=OTHER_TENANT)]))  # a transaction may be sent by anyone
    [conflict] = (await storage.apply([Unit(rows=[rows.broadcast(raw="0xother")])])).conflicts
    assert conflict.found == row


async def test_a_broadcast_changes_from_one_epoch_to_the_next(storage: SqlStorage) -> None:
    row = rows.broadcast()
    await done(storage, Unit(rows=[row]))
    new = {"state": "rejected", "rejection": "policy", "epoch": 2}
    change = Change(Broadcast, row.id, {"epoch": 1}, new)
    await done(storage, Unit(changes=[change]))
    changed = replace(row, state=BroadcastState.REJECTED, rejection="policy", epoch=2)
    assert await storage.broadcast(TENANT, "eip155:1", row.tx_id) == changed
    [conflict] = (await storage.apply([Unit(changes=[change])])).conflicts
    assert conflict.found == changed


async def test_recent_broadcasts_of_a_wallet(storage: SqlStorage) -> None:
    wallet = UUID(int=1)
    made = [rows.broadcast(tx_id=f"0x0{n}", created_at=NOW + timedelta(seconds=n)) for n in (2, 3, 1)]
    others = [rows.broadcast(tx_id="0x09", wallet_id=None), rows.broadcast(tx_id="0x08", network="eip155:137")]
    await done(storage, Unit(rows=[*made, *others]))
    since = NOW + timedelta(seconds=2)
    assert await storage.recent_broadcasts(TENANT, wallet, "eip155:1", since, 9) == [made[1], made[0]]
    assert await storage.recent_broadcasts(TENANT, wallet, "eip155:1", NOW, 1) == [made[1]]
    assert await storage.recent_broadcasts(OTHER_TENANT, wallet, "eip155:1", NOW, 9) == []


async def test_revocations_are_found_by_whom_they_name_in_their_tenant_alone(storage: SqlStorage) -> None:
    one, other = rows.revocation(), rows.revocation(target=UUID(int=0xE), shown="sha256:00", reason="left", issuer=None)
    theirs = rows.revocation(tenant_id=OTHER_TENANT)
    assert not (await storage.apply([Unit(rows=[one, other, theirs])])).conflicts
    targets = [one.target, other.target, UUID(int=0xF)]
    assert {row.id: row for row in await storage.revocations_of(TENANT, targets)} == {one.id: one, other.id: other}
    assert await storage.revocations_of(OTHER_TENANT, targets) == [theirs]
    assert await storage.revocation(TENANT, theirs.id) is None
    first, second = sorted((one, other), key=lambda row: row.id)
    assert await storage.revocations(TENANT, None, 1) == [first]
    assert await storage.revocations(TENANT, first.id, 5) == [second]
    new: dict[str, Any] = {"reason": "back", "revoked_by": UUID(int=7), "epoch": 2, "lifted_at": NOW}
    assert not (await storage.apply([Unit(changes=[Change(Revocation, one.id, {"epoch": 1}, new)])])).conflicts
    assert await storage.revocation(TENANT, one.id) == replace(one, **new)
    assert (await storage.apply([Unit(changes=[Change(Revocation, one.id, {"epoch": 1}, new)])])).conflicts


async def test_client_networks_are_one_row_of_a_tenant(storage: SqlStorage) -> None:
    row = rows.client_networks()
    assert await storage.client_networks(TENANT) is None
    assert not (await storage.apply([Unit(rows=[row])])).conflicts
    assert (await storage.apply([Unit(rows=[rows.client_networks(networks="")])])).conflicts
    new: dict[str, Any] = {"networks": "", "changed_by": UUID(int=7), "epoch": 2, "changed_at": NOW}
    assert not (await storage.apply([Unit(changes=[Change(ClientNetworks, row.id, {"epoch": 1}, new)])])).conflicts
    found = await storage.client_networks(TENANT)
    assert found == replace(row, **new)
    assert found.listed == []
    assert await storage.client_networks(OTHER_TENANT) is None


async def test_alerts_that_fire_are_counted_by_rule(storage: SqlStorage) -> None:
    assert await storage.alerts_firing() == {}
    at = datetime.now(UTC)
    for rule, subject, state in (
        ("circuit", "vault", AlertState.FIRING),
        ("circuit", "redis", AlertState.FIRING),
        ("circuit", "rpc:x", AlertState.ENDED),
        ("balance", "x", AlertState.FIRING),
        ("queue", "x", AlertState.ENDED),
    ):
        key = alert_id(rule, subject, None)
        alert = Alert(key, rule, subject, None, Severity.WARNING, state, at, at, None, None, None, "{}")
        await done(storage, Unit(puts=[alert]))
    assert await storage.alerts_firing() == {"circuit": 2, "balance": 1}


async def test_a_storage_that_may_write_says_so(storage: SqlStorage) -> None:
    assert await storage.is_writable()
    await done(storage, Unit(rows=[rows.wallet()]))
    assert await storage.is_writable()


async def test_sqlite_whose_file_somebody_else_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_SECONDS", 0.2)
    made = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(made)
    storage = SqlStorage(made, Authenticity(b"s" * 32))
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not await storage.is_writable()
    other.execute("ROLLBACK")
    assert await storage.is_writable()
    other.close()
    await made.close()


@needs_postgresql
async def test_postgresql_that_can_only_be_read_and_then_not_at_all(postgres_server: Postgres) -> None:
    name = postgres_server.create_database(migrated=True)
    postgres_server.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    made = open_database(postgres_server.url(name, SERVICE), PATIENT)
    storage = SqlStorage(made, Authenticity(b"s" * 32))
    assert not await storage.is_writable()
    assert await storage.ping() >= 0, "it can be read"
    postgres_server.run(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await made.close()
    made = open_database(postgres_server.url(name, SERVICE), PATIENT)
    assert await SqlStorage(made, Authenticity(b"s" * 32)).is_writable()
    await made.close()
    nobody = open_database("postgresql://service@127.0.0.1:1/none")
    with pytest.raises(StorageUnavailable):
        await SqlStorage(nobody, Authenticity(b"s" * 32)).is_writable()
    await nobody.close()
