"""What each component is asked, and what its response means."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import msgspec

from strongroom.cache.base import CacheKey, Kind
from strongroom.errors import StorageUnavailable
from strongroom.health.base import Check, ComponentStatus, Detail, Note, Status
from strongroom.keywrap.base import KeyWrap
from strongroom.storage.base import Storage
from strongroom.telemetry.logging import lines_lost
from strongroom.telemetry.multiprocess import greatest_of_others

if TYPE_CHECKING:
    from strongroom.cache.redis import RedisCache
    from strongroom.cache.tiered import TieredCache

_CAN_BE_ASKED: Final = {"ok", "unused", "behind"}
_CIRCUIT_STATES: Final = ("closed", "half_open", "open")
"""In the order of the metric's values."""
_EXPIRES_SOON: Final = timedelta(days=7)


def database_check(storage: Storage, is_full: Callable[[], bool] = lambda: False) -> Check:
    """``is_full`` says whether the database's disk is full."""

    async def check() -> ComponentStatus:
        status: Status = "ok"
        try:
            await storage.ping()
        except StorageUnavailable:
            status = "error"
        if is_full() and status == "ok":  # it can still be read
            return ComponentStatus("degraded", {"connections": storage.connections, "state": "disk_full"})
        return ComponentStatus(status, {"connections": storage.connections})

    return check


class Anchors(Protocol):
    """What `journal.restored.Gate` knows."""

    restored: bool
    unanchored_before: bool

    @property
    def anchor_failing(self) -> bool: ...


def audit_check(look: Callable[[], Awaitable[Anchors]], *, findings: int, required: bool) -> Check:
    """Reports the worst state that is known.

    ``findings`` is the number that the verification at start reported. ``required`` makes it an error if the heads
    cannot be kept.
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
    """Names the fault if there is one, and shows the worst circuit breaker of all workers."""

    async def check() -> ComponentStatus:
        found = await keywrap.check()
        assert found.circuit_state is not None
        others = _CIRCUIT_STATES[int(greatest_of_others("strongroom_circuit_state", {"component": "vault"}))]
        circuit = max(found.circuit_state, others, key=_CIRCUIT_STATES.index)
        if not found.ok:
            return ComponentStatus("error", {"circuit_state": circuit, "state": found.state})
        ends = {} if found.token_ends_in is None else {"token_ends_in": found.token_ends_in}
        return ComponentStatus("ok" if circuit == "closed" else "degraded", {"circuit_state": circuit, **ends})

    return check


def redis_check(redis: RedisCache, cache: TieredCache, report: Callable[[], Mapping[str, Any]]) -> Check:
    """Also leaves the last report in Redis for others to read. Readiness never uses it."""
    key = CacheKey(Kind.HEALTH, UUID(int=0), "")

    async def check() -> ComponentStatus:
        entry = cache.entry(Kind.HEALTH, msgspec.json.encode(report()))
        return ComponentStatus("ok" if await redis.check(key, entry) else "degraded")

    return check


class SourceState(Protocol):
    """What a pool of sources knows about one of them."""

    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str:
        """ok, unused, behind, cooling, open or out."""

    @property
    def cause(self) -> str | None: ...


def nodes_note(pools: Mapping[str, Callable[[], Sequence[SourceState]]]) -> Note | None:
    """The last known state of each source, by network, without asking it. None if no source is configured.

    It is degraded if a network has no source left that can be asked. If one of several fails, the others take over.
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


def issuers_note(faults: Mapping[str, Callable[[], str | None]]) -> Note | None:
    """Whether each issuer's keys could be read last time. None if no issuer is configured."""

    def note() -> ComponentStatus:
        found = {name: fault() for name, fault in faults.items()}
        details = {name: "ok" if fault is None else fault for name, fault in found.items()}
        return ComponentStatus("ok" if not any(found.values()) else "degraded", details)

    return note if faults else None


class TlsState(Protocol):
    """What is known about the certificate in use."""

    @property
    def refused(self) -> str | None:
        """Why the files' current content is not in use. None if it is."""

    @property
    def expires_at(self) -> datetime: ...


def tls_note(tls: TlsState, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Note:
    """Degraded while the files are refused, and from a week before the certificate in use expires."""

    def note() -> ComponentStatus:
        details: dict[str, Detail] = {"expires_at": tls.expires_at.isoformat().replace("+00:00", "Z")}
        left = tls.expires_at - now()
        if tls.refused is not None:
            return ComponentStatus("degraded", {"state": "files_refused", "reason": tls.refused, **details})
        if left < _EXPIRES_SOON:
            return ComponentStatus(
                "degraded", {"state": "expires_soon" if left > timedelta() else "expired", **details}
            )
        return ComponentStatus("ok", details)

    return note


def log_note(lost: Callable[[], int] = lines_lost, *, seconds: float = 300.0) -> Note:
    """Reports lost log lines until none was lost for ``seconds``."""
    last, known = 0.0, 0

    def note() -> ComponentStatus | None:
        nonlocal last, known
        if (now := lost()) != known:
            last, known = time.monotonic(), now
        if not known or time.monotonic() - last > seconds:
            return None
        return ComponentStatus("degraded", {"state": "lines_lost", "lines_lost": known})

    return note
