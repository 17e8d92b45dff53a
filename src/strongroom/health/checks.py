"""What each component is asked, and what its answer means."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import msgspec

from strongroom.cache.base import CacheKey, Kind
from strongroom.errors import StorageUnavailable
from strongroom.health.base import Check, ComponentStatus, Note, Status
from strongroom.keywrap.base import KeyWrap
from strongroom.storage.base import Storage
from strongroom.telemetry.logging import lines_lost
from strongroom.telemetry.multiprocess import greatest_of_others

if TYPE_CHECKING:
    from strongroom.cache.redis import RedisCache
    from strongroom.cache.tiered import TieredCache

_CAN_BE_ASKED: Final = {"ok", "unused", "behind"}
_CIRCUIT_STATES: Final = ("closed", "half_open", "open")
"""As their metric counts them."""


def database_check(storage: Storage) -> Check:
    async def check() -> ComponentStatus:
        status: Status = "ok"
        try:
            await storage.ping()
        except StorageUnavailable:
            status = "error"
        return ComponentStatus(status, {"connections": storage.connections})

    return check


class Anchors(Protocol):
    """What `journal.restored.Gate` knows."""

    restored: bool
    unanchored_before: bool

    @property
    def anchor_failing(self) -> bool: ...


def audit_check(look: Callable[[], Awaitable[Anchors]], *, findings: int, required: bool) -> Check:
    """Says the worst that is known.

    ``findings``: how many the verification at start had. ``required``: that heads cannot be kept is an error.
    """

    async def check() -> ComponentStatus:
        found = await look()
        if found.restored:
            return ComponentStatus("error", {"state": "restored_database"})
        if found.anchor_failing:
            return ComponentStatus("error" if required else "degraded", {"state": "not_anchored"})
        if findings:
            return ComponentStatus("degraded", {"state": "rows_differ"})
        return (
            ComponentStatus("degraded", {"state": "heads_missing"})
            if found.unanchored_before
            else ComponentStatus("ok")
        )

    return check


def vault_check(keywrap: KeyWrap) -> Check:
    """Says what is wrong where something is; of the circuit breakers of all workers it shows the worst."""

    async def check() -> ComponentStatus:
        found = await keywrap.check()
        assert found.circuit_state is not None
        others = _CIRCUIT_STATES[int(greatest_of_others("strongroom_circuit_state", {"component": "vault"}))]
        circuit = max(found.circuit_state, others, key=_CIRCUIT_STATES.index)
        if not found.ok:
            return ComponentStatus("error", {"circuit_state": circuit, "state": found.state})
        return ComponentStatus("ok" if circuit == "closed" else "degraded", {"circuit_state": circuit})

    return check


def redis_check(redis: RedisCache, cache: TieredCache, report: Callable[[], Mapping[str, Any]]) -> Check:
    """Leaves there what the last look found, for whoever wants to see it; readiness never comes from there."""
    key = CacheKey(Kind.HEALTH, UUID(int=0), "")

    async def check() -> ComponentStatus:
        entry = cache.entry(Kind.HEALTH, msgspec.json.encode(report()))
        return ComponentStatus("ok" if await redis.check(key, entry) else "degraded")

    return check


class SourceState(Protocol):
    """What a pool of sources knows of one of them."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str:
        """ok, unused, behind, cooling, open or out."""

    @property
    def cause(self) -> str | None: ...


def nodes_note(pools: Mapping[str, Callable[[], Sequence[SourceState]]]) -> Note | None:
    """What the last answers said of each source, by network; asks none. None where no source is configured.

    Degraded where no source of a network can be asked: one of several that fails is what they are several for.
    """

    def note() -> ComponentStatus:
        states = {network: describe() for network, describe in pools.items()}
        served = all(any(each.state in _CAN_BE_ASKED for each in found) for found in states.values())
        details = {
            f"{network}/{each.name}": each.state if each.cause is None else f"{each.state}: {each.cause}"
            for network, found in states.items()
            for each in found
        }
        return ComponentStatus("ok" if served else "degraded", details)

    return note if pools else None


def log_note(lost: Callable[[], int] = lines_lost, *, seconds: float = 300.0) -> Note:
    """Says that log lines were lost, until none was lost for so many ``seconds``."""
    last, known = 0.0, 0

    def note() -> ComponentStatus | None:
        nonlocal last, known
        if (now := lost()) != known:
            last, known = time.monotonic(), now
        if not known or time.monotonic() - last > seconds:
            return None
        return ComponentStatus("degraded", {"state": "lines_lost", "lines_lost": known})

    return note
