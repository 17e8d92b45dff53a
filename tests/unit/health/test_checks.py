"""What the checks of the components make of what they find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from strongroom.errors import StorageUnavailable
from strongroom.health import checks
from strongroom.health.base import ComponentStatus
from strongroom.health.checks import nodes_note
from strongroom.keywrap.base import KeyWrapStatus

LEVELS = {"closed": 0.0, "half_open": 1.0, "open": 2.0}


class Parts:
    """A storage and a key wrap."""

    connections = 5
    is_away = False
    found = KeyWrapStatus(ok=True, state="ok", latency_ms=1.0, circuit_state="closed")

    async def ping(self) -> float:
        if self.is_away:
            raise StorageUnavailable("x", retry_after=1)
        return 1.0

    async def check(self) -> KeyWrapStatus:
        return self.found


@pytest.mark.parametrize(("is_away", "status"), [(False, "ok"), (True, "error")])
async def test_database_shows_its_connections_whatever_it_is(is_away: bool, status: Any) -> None:
    parts = Parts()
    parts.is_away = is_away
    assert await checks.database_check(parts)() == ComponentStatus(status, {"connections": 5})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("own", "others", "shown", "status"),
    [
        ("closed", "closed", "closed", "ok"),
        ("open", "closed", "open", "degraded"),
        ("half_open", "closed", "half_open", "degraded"),
        ("closed", "open", "open", "degraded"),
        ("half_open", "open", "open", "degraded"),
    ],
)
async def test_vault_shows_the_worst_circuit_of_all_workers(
    own: str, others: str, shown: str, status: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "greatest_of_others", lambda *_: LEVELS[others])
    parts = Parts()
    parts.found = KeyWrapStatus(ok=True, state="ok", latency_ms=1.0, circuit_state=own)
    assert await checks.vault_check(parts)() == ComponentStatus(status, {"circuit_state": shown})  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["sealed", "slow", "denied", "bad_answer", "unreachable"])
async def test_vault_says_what_is_wrong(state: str) -> None:
    parts = Parts()
    parts.found = KeyWrapStatus(ok=False, state=state, latency_ms=1.0, circuit_state="open")
    found = await checks.vault_check(parts)()  # type: ignore[arg-type]
    assert found == ComponentStatus("error", {"circuit_state": "open", "state": state})


@dataclass
class SourceSeen:
    name: str
    state: str
    cause: str | None = None


def test_nodes_are_degraded_where_no_source_of_a_network_can_be_asked() -> None:
    own, other = SourceSeen("own", "ok"), SourceSeen("other", "unused")
    note = nodes_note({"bitcoin": lambda: [own, other]})
    assert note is not None
    assert note() == ComponentStatus("ok", {"bitcoin/own": "ok", "bitcoin/other": "unused"})

    own.state, own.cause = "open", "unreachable"
    assert note() == ComponentStatus("ok", {"bitcoin/own": "open: unreachable", "bitcoin/other": "unused"})

    other.state, other.cause = "cooling", "rate_limited"
    found = note()
    assert found is not None
    assert found.status == "degraded"

    assert nodes_note({}) is None


async def test_a_database_without_room_can_still_be_read() -> None:
    found = await checks.database_check(Parts(), lambda: True)()  # type: ignore[arg-type]
    assert found == ComponentStatus("degraded", {"connections": 5, "state": "disk_full"})
