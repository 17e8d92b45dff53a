"""What happens before a connection to PostgreSQL is made."""

from __future__ import annotations

import threading

import pytest

from strongroom.errors import StorageUnavailable
from strongroom.storage import postgres
from strongroom.storage.database import Limits
from strongroom.storage.pg_url import Target, read_url

URL = "postgresql://user@127.0.0.1:1/nowhere?sslmode=verify-full&sslrootcert=system"


async def test_the_authorities_of_the_system_are_read_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes tens of milliseconds, and happens for each connection, because they may have changed."""
    readers: list[threading.Thread] = []

    def noting(url: str) -> Target:
        readers.append(threading.current_thread())
        return read_url(url)

    database = postgres.PostgresDatabase(lambda: URL, Limits())
    monkeypatch.setattr(postgres, "read_url", noting)
    with pytest.raises(StorageUnavailable):
        await database.read(lambda _: None)
    await database.close()
    assert readers != []
    assert threading.current_thread() not in readers
