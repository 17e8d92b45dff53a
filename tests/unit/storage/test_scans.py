"""Scans of whole tables never block the event loop."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from strongroom.domain.wallet import Wallet
from strongroom.storage import scans
from strongroom.storage.base import Unit
from strongroom.storage.sql import SqlStorage
from tests.support import rows


async def test_pages_are_read_in_another_thread(storage: SqlStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    readable = scans._readable

    def watched(*arguments: Any) -> list[Any]:
        threads.append(threading.get_ident())
        return readable(*arguments)

    monkeypatch.setattr(scans, "_readable", watched)
    wallet = rows.wallet()
    assert not (await storage.apply([Unit(rows=[wallet])])).conflicts
    assert (await storage.scan("wallets", None, 10)).rows == [wallet]
    assert await storage.find(Wallet, ("id",), [(wallet.id,)]) == [wallet]
    assert len(threads) == 2
    assert threading.get_ident() not in threads
