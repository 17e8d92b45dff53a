"""A row that cannot be read is an integrity error wherever it is met, and holds nothing else up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strongroom.domain.record import OperationRecord, OperationState
from strongroom.domain.wallet import Wallet
from strongroom.errors import IntegrityError
from strongroom.storage.base import Change, Unit, WalletFilter
from strongroom.storage.sql import SqlStorage
from tests.support import rows
from tests.support.groups import t1
from tests.support.rows import TENANT
from tests.unit.storage.conftest import Tamper


async def test_what_is_put_right_is_seen_while_the_error_is_still_held(storage: SqlStorage, tamper: Tamper) -> None:
    """SQLite's connection would see the database as it was for as long as a statement is open."""
    wallets = [rows.wallet() for _ in range(3)]
    await storage.apply([Unit(rows=wallets)])
    tamper("UPDATE wallets SET state = 'odd'")
    held: list[IntegrityError] = []
    for read in (
        lambda: storage.wallet(TENANT, wallets[0].id),
        lambda: storage.wallets(TENANT, WalletFilter(), None, 10),
    ):
        with pytest.raises(IntegrityError) as refused:
            await read()
        held.append(refused.value)
    tamper("UPDATE wallets SET state = 'active'")
    assert await storage.wallet(TENANT, wallets[0].id) == wallets[0]
    assert await storage.wallets(TENANT, WalletFilter(), None, 10) == sorted(wallets, key=lambda each: each.id)
    assert len(held) == 2


@pytest.mark.parametrize("column", ["state", "created_at", "tenant_id"])
async def test_a_change_of_such_a_row_is_refused(storage: SqlStorage, tamper: Tamper, column: str) -> None:
    operation = rows.operation()
    await storage.apply([t1(operation, 1)])
    tamper(f'UPDATE operations SET "{column}" = ?', "odd")
    done = {"state": OperationState.DONE}
    for change in (
        Change(OperationRecord, operation.id, expect={"epoch": operation.epoch}, set=done),
        Change(OperationRecord, operation.id, expect={"epoch": operation.epoch + 1}, set=done, was=operation),
    ):
        with pytest.raises(IntegrityError):
            await storage.apply([Unit(changes=[change])])


async def test_a_row_that_is_there_already_and_cannot_be_read(storage: SqlStorage, tamper: Tamper) -> None:
    wallet = rows.wallet()
    await storage.apply([Unit(rows=[wallet])])
    tamper("UPDATE wallets SET state = 'odd'")
    with pytest.raises(IntegrityError):
        await storage.apply([Unit(rows=[replace(wallet, label="other")])])
    assert await storage.find(Wallet, ("id",), [(wallet.id,)]) == []
