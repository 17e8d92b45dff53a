"""The next index of an account, on every storage."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from strongroom.cache.memory import MemoryCache
from strongroom.cache.tiered import TieredCache
from strongroom.chains.registry import CHAINS
from strongroom.domain.wallet import Account
from strongroom.errors import DeadlineExceeded, InvalidField
from strongroom.journal.base import Lost
from strongroom.operations.fields import KeySelector
from strongroom.operations.keyring import Keyring
from strongroom.operations.networks import Networks
from strongroom.operations.places import Place, account_id
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit
from strongroom.storage.database import Database
from strongroom.storage.sql import SqlStorage
from tests.contract.test_storage import database, storage
from tests.support import rows
from tests.support.rows import TENANT

__all__ = ["database", "storage"]

EVM = CHAINS["evm"]
NETWORKS = Networks(CHAINS, EVM.networks, limits={}, any_network=False)
WALLET = rows.wallet()


class Process:
    """A storage that takes indexes. The time of each call is over after ``reads`` reads."""

    def __init__(self, database: Database, reads: int = 1_000) -> None:
        self._database = database
        self._storage = SqlStorage(self, Authenticity(b"s" * 32))
        self._keyring = Keyring(NETWORKS, TieredCache(MemoryCache(1 << 20), None, {}))
        self._reads = self._left = reads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, work: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise DeadlineExceeded("the call took too long")
        return await self._database.read(work)

    async def commit(self, unit: Unit) -> None:
        applied = await self._storage.apply([unit])
        if applied.conflicts:
            raise Lost(applied.conflicts[0])

    async def take(self) -> int:
        self._left = self._reads
        call: Any = SimpleNamespace(storage=self._storage, tenant_id=TENANT, journal=self)
        return (await self._keyring.reserve(call, place(self._keyring))).at.index


def place(keyring: Keyring) -> Place:
    return keyring.place(WALLET, EVM.networks[0], KeySelector())


async def opened(storage: SqlStorage, next_index: int, given: range) -> Account:
    account = rows.account(WALLET, id=account_id(WALLET.id, "evm", "bip44", 0), next_index=next_index)
    addresses = [rows.address(account, index) for index in given]
    assert not (await storage.apply([Unit(rows=[WALLET, account, *addresses])])).conflicts
    return account


async def test_indexes_that_were_asked_for_hold_up_the_next_one_only_so_long(
    storage: SqlStorage, database: Database
) -> None:
    await opened(storage, 1, range(701))
    process = Process(database, reads=3)
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            await process.take()
    assert [await process.take(), await process.take()] == [701, 702]


async def test_processes_never_take_the_same(storage: SqlStorage, database: Database) -> None:
    await opened(storage, 1, range(201))
    processes = [Process(database), Process(database)]
    taken = await asyncio.gather(*(each.take() for each in processes for _ in range(5)))
    assert sorted(taken) == list(range(201, 211))


@pytest.mark.parametrize("next_index", [2**31 - 1, 2**31, 2**31 + 7])
async def test_an_account_with_no_index_left_says_so(storage: SqlStorage, database: Database, next_index: int) -> None:
    await opened(storage, next_index, range(2**31 - 1, 2**31))
    with pytest.raises(InvalidField) as refusal:
        await Process(database).take()
    assert refusal.value.field == "account"
