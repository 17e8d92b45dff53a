from __future__ import annotations

import importlib

import pytest

from strongroom.storage import direct


def test_asyncpg_still_has_the_names_by_which_it_is_spared_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads them from its module when it encodes: `tests/integration/test_one_statement.py` sends such arrays."""
    source = importlib.import_module("asyncpg.protocol.protocol")
    for name in ("IterableABC", "SizedABC"):
        monkeypatch.delattr(source, name)
    direct._spare_checks()
    assert (source.IterableABC, source.SizedABC) == ((list, tuple),) * 2
