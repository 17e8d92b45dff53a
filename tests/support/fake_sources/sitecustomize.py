"""On the path of a server under test, this makes each of its processes read Ethereum from a fake reader."""

from __future__ import annotations

from typing import Any

from strongroom import bootstrap
from strongroom.bootstrap.sources import open_reading
from tests.parity.story import reader


def with_a_fake(*arguments: Any) -> Any:
    reading, states = open_reading(*arguments)
    readers = reading._readers
    assert isinstance(readers, dict)
    readers["eip155:1"] = reader()
    return reading, states


bootstrap.open_reading = with_a_fake  # type: ignore[attr-defined, assignment]
