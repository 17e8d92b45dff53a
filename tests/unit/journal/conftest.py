from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from strongroom.domain.principal import Principal
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries, Entry
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Applied, Unit
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from tests.support.rows import NOW, PRINCIPAL, TENANT

AUTHENTICITY = Authenticity(b"s" * 32)
PATIENCE = 60.0
"""Seconds that a commit may take on a machine that has other things to do."""


class Answer(msgspec.Struct):
    value: str


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class WatchedStorage(SqlStorage):
    """Counts batches, and does what ``before`` says first."""

    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None

    async def apply(self, units: Sequence[Unit]) -> Applied:
        self.batches.append(len(units))
        if self.before is not None:
            self.before()
        applied = await super().apply(units)
        if self.after is not None:
            self.after()
        return applied

    @property
    def batches(self) -> list[int]:
        return self.__dict__.setdefault("_batches", [])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[WatchedStorage]:
    database = open_database(f"sqlite:///{tmp_path}/test.db")
    await migrate(database)
    yield WatchedStorage(database, AUTHENTICITY)
    await database.close()


@pytest.fixture
async def committer(storage: WatchedStorage) -> AsyncIterator[Committer]:
    made = Committer(storage, await register(storage, AUTHENTICITY.audit_key, "test"), timeout=PATIENCE)
    made.start()
    yield made
    await made.close()


@pytest.fixture
def entries(committer: Committer, storage: WatchedStorage, clock: Clock) -> Entries:
    return Entries(committer, storage, AUTHENTICITY.fingerprint_key, clock=clock)


NewEntry = Callable[..., Entry]


@pytest.fixture
def new_entry(entries: Entries, clock: Clock) -> NewEntry:
    def make(key: str | None = None, command: bytes = b"{}", operation: str = "transactions.sign") -> Entry:
        return entries(
            principal=Principal(PRINCIPAL, TENANT, "till", frozenset()),
            request_id="request",
            client="127.0.0.1",
            operation=operation,
            idempotency_key=key,
            command=command,
            now=clock(),
        )

    return make
