"""Groups that are written at once: which they are, and what they check."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditRecord, OperationState
from strongroom.domain.wallet import Wallet, WalletState
from strongroom.errors import IntegrityError
from strongroom.journal import idempotency
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Change, Conflict, Opens, Unit
from strongroom.storage.database import Database, T, Work
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.contract.conftest import Place
from tests.support import rows
from tests.support.groups import made, t1, t2, taken
from tests.support.rows import TENANT
from tests.support.task_workers import PATIENT

AUTHENTICITY = Authenticity(b"s" * 32)
APPLIED = Applied(present=[])


class Storage(SqlStorage):
    """Its units have an audit record, without which nothing is written at once. Counts what is not."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, AUTHENTICITY)
        self.transactions = 0
        """That took statements of SQLAlchemy's."""
        written = database.write

        async def write(work: Work[T]) -> T:
            self.transactions += 1
            return await written(work)

        database.write = write  # type: ignore[method-assign]

    async def apply(self, units: Sequence[Unit]) -> Applied:
        record = AuditRecord(new_id(), 1, rows.entry(), b"m" * 32)
        return await super().apply([replace(units[0], rows=[*units[0].rows, record]), *units[1:]])


def opened(place: Place) -> Storage:
    return Storage(open_database(place.url, PATIENT))


@pytest.fixture
async def storage(place: Place) -> AsyncIterator[Storage]:
    made = opened(place)
    yield made
    await made.close()


async def test_a_signature_is_two_statements(storage: Storage) -> None:
    secret = await made(storage)
    one, other, third = (rows.operation() for _ in range(3))
    assert await storage.apply([t1(one, 1, secret), t1(other, 2, secret)]) == APPLIED
    assert await storage.apply([t2(one), t2(other), t1(third, 3, secret)]) == APPLIED
    assert storage.transactions == 0
    stored = await storage.operation(TENANT, one.id)
    assert stored == replace(one, state=OperationState.DONE, result=b"{}")
    assert await storage.guards_of(TENANT, third.id) == [rows.held(third, 3)]


async def test_a_repetition_is_not_looked_into(storage: Storage, place: Place) -> None:
    """Neither in the process that signed first nor in another, and nor do its neighbours pay for it."""
    second = opened(place)
    secret = await made(storage)
    first = rows.operation()
    await storage.apply([t1(first, 1, secret)])
    await storage.apply([t2(first)])
    holder = first
    for each in (storage, second, second, storage):
        again, neighbour = rows.operation(), rows.operation()
        held = rows.held(holder, 1)
        applied = await each.apply([t1(neighbour, new_id().int % 2**32, secret), t1(again, 1, secret)])
        assert applied == Applied(present=[(1, held)])
        assert await each.apply([t2(again, taken(held, again)), t2(neighbour)]) == APPLIED
        assert each.transactions == 0
        holder = again
    assert await storage.guards_of(TENANT, holder.id) == [rows.held(holder, 1)]
    await second.close()


async def test_an_address_that_is_there_is_not_looked_into(storage: Storage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    there = rows.address(account, 0, label="there")
    await storage.apply([Unit(rows=[wallet, account], same=[there])])
    for _ in range(2):
        assert await storage.apply([Unit(same=[replace(there, label="new")])]) == Applied(present=[(0, there)])
    assert storage.transactions == 0


async def test_what_would_be_too_many_parameters_is_written_in_several_statements(storage: Storage) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    await storage.apply([Unit(rows=[wallet, account])])
    assert storage.transactions == 0
    many = [rows.address(account, n) for n in range(1025)]
    assert await storage.apply([Unit(same=many)]) == APPLIED
    assert storage.transactions == 1
    assert await storage.address(TENANT, account.id, 0, 1024) == many[-1]


async def test_a_secret_that_is_not_as_it_was_is_not_opened(storage: Storage, place: Place) -> None:
    secret = await made(storage)
    assert await storage.apply([t1(rows.operation(), 1, secret)]) == APPLIED
    for n, (edit, undo) in enumerate(
        (
            ("UPDATE wallets SET kind = 'x' || kind", "UPDATE wallets SET kind = substr(kind, 2)"),
            ("UPDATE secrets SET kek_version = kek_version + 1", "UPDATE secrets SET kek_version = kek_version - 1"),
        ),
        2,
    ):
        place.edit(edit)
        with pytest.raises(IntegrityError):
            await storage.apply([t1(rows.operation(), n, secret)])
        place.edit(undo)
        assert await storage.apply([t1(rows.operation(), n, secret)]) == APPLIED


async def test_an_archived_wallet_opens_nothing(storage: Storage) -> None:
    secret = await made(storage)
    assert await storage.apply([t1(rows.operation(), 1, secret)]) == APPLIED
    change = Change(Wallet, secret.wallet_id, {"state": WalletState.ACTIVE}, {"state": WalletState.ARCHIVED})
    assert await storage.apply([Unit(changes=[change])]) == APPLIED
    applied = await storage.apply([t1(rows.operation(), 2, secret)])
    assert applied.conflicts == [Conflict(0, Opens(secret))]


async def test_a_newer_secret_is_the_one_to_open(storage: Storage) -> None:
    secret = await made(storage)
    newer = replace(secret, version=secret.version + 1)
    assert await storage.apply([t1(rows.operation(), 1, secret)]) == APPLIED
    assert await storage.apply([Unit(rows=[newer])]) == APPLIED
    applied = await storage.apply([t1(rows.operation(), 2, secret)])
    assert applied.conflicts == [Conflict(0, Opens(secret))]
    assert await storage.apply([t1(rows.operation(), 2, newer)]) == APPLIED


async def test_a_guard_that_somebody_edited_is_not_relied_on(storage: Storage, place: Place) -> None:
    one, again = rows.operation(), rows.operation()
    await storage.apply([t1(one, 1)])
    place.edit(f"UPDATE guards SET operation_id = '{one.id}', mac = 'x'")
    with pytest.raises(IntegrityError):
        await storage.apply([t1(again, 1)])
    assert await storage.operation(TENANT, again.id) is None


async def test_a_result_counts_in_its_epoch_only(storage: Storage) -> None:
    one, other = rows.operation(), rows.operation()
    await storage.apply([t1(one, 1), t1(other, 2)])
    taken_over, change = idempotency.taken_over(one, one.lease_until)
    assert await storage.apply([Unit(changes=[change])]) == APPLIED
    applied = await storage.apply([t2(one), t2(other)])
    assert [each.unit for each in applied.conflicts] == [0]
    assert applied.conflicts[0].found == taken_over
    assert await storage.signatures(TENANT, one.id) == []


async def test_any_number_of_rows_is_written_and_changed(storage: Storage) -> None:
    for size in (1, 2, 3, 5, 64, 65, 256):
        operations = [rows.operation() for _ in range(size)]
        assert await storage.apply([t1(each, new_id().int) for each in operations]) == APPLIED
        assert await storage.apply([t2(each) for each in operations]) == APPLIED
        for each in operations:
            assert await storage.operation(TENANT, each.id) == replace(each, state=OperationState.DONE, result=b"{}")
            assert await storage.signatures(TENANT, each.id) == [rows.signature(each)]
    assert storage.transactions == 0
