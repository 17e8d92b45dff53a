"""Checks every component in the background and keeps the results, so that a probe costs nothing."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from strongroom.health.base import Check, ComponentStatus, Detail, Note, Status

log = structlog.get_logger(__name__)

_STALE_AFTER: Final = 3
"""Rounds without news after which a result no longer counts."""


@dataclass(frozen=True, slots=True)
class _Finding:
    status: ComponentStatus
    latency_ms: int
    """Rounded up."""
    at: float


class HealthMonitor:
    """``required`` are the names of the checks that readiness depends on. Times are in seconds.

    Each component is checked once per ``interval``, however many callers ask. A check gets ``timeout``, and no more
    than the interval, so a dead component is noticed within two intervals. ``notes`` are about this process itself;
    they are cheap, and are read for each report.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        required: frozenset[str],
        version: str,
        *,
        interval: float = 5.0,
        timeout: float = 2.0,
        notes: Mapping[str, Note] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if unknown := required - checks.keys():
            raise ValueError(f"there is no check of {', '.join(sorted(unknown))}")
        self._checks = dict(checks)
        self._required = required
        self._version = version
        self._notes = notes or {}
        self._interval = interval
        self._timeout = min(timeout, interval)
        self._clock = clock
        self._started_at = clock()
        self._findings: dict[str, _Finding] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.draining = False
        """The process is about to end."""

    async def start(self) -> None:
        """Check once, then go on in the background. Call it when the schema is known to fit: `started` says so."""
        await self.look()
        self._task = asyncio.create_task(self._keep_looking(), name="health")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def drain(self) -> None:
        """Report not ready from now on."""
        self.draining = True

    @property
    def started(self) -> bool:
        return self._task is not None

    @property
    def ready(self) -> bool:
        return self.started and not self.draining and all(self._status(name) != "error" for name in self._required)

    def report(self) -> dict[str, Any]:
        """The current results as JSON values. Does no I/O."""
        statuses = {name: self._status(name) for name in self._checks}
        notes = {name: found for name, note in self._notes.items() if (found := note()) is not None}
        if any(statuses[name] == "error" for name in self._required):
            overall: Status = "error"
        else:
            said = [*statuses.values(), *(found.status for found in notes.values())]
            overall = "ok" if all(status == "ok" for status in said) else "degraded"
        return {
            "status": overall,
            "components": {
                **{name: self._component(name, status) for name, status in statuses.items()},
                **{name: {"status": found.status, **found.details} for name, found in notes.items()},
            },
            "version": self._version,
            "uptime_seconds": int(self._clock() - self._started_at),
        }

    async def changes(self) -> AsyncIterator[bool]:
        """Yield `ready` now, and again each time that a round of checks has changed it."""
        said: bool | None = None
        while True:
            looked, ready = self._looked, self.ready
            if ready is not said:
                yield (said := ready)
            await looked.wait()

    async def look(self) -> None:
        """Run all checks concurrently."""
        await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()

    async def _keep_looking(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._interval, loop.time())
            await asyncio.sleep(due - loop.time())
            await self.look()

    async def _ask(self, name: str, check: Check) -> None:
        began = self._clock()
        try:
            async with asyncio.timeout(self._timeout):
                status = await check()
        except Exception as error:  # noqa: BLE001 whatever a check raises, its component does not work
            state = "slow" if isinstance(error, TimeoutError) else "failing"
            status = ComponentStatus("error", {**self._last_details(name), "state": state})
            log.warning("health.check_failed", component=name, error=type(error).__name__)
        now = self._clock()
        self._findings[name] = _Finding(status, math.ceil((now - began) * 1000), now)

    def _last_details(self, name: str) -> Mapping[str, Detail]:
        return self._findings[name].status.details if name in self._findings else {}

    def _status(self, name: str) -> Status:
        found = self._findings.get(name)
        if found is None or self._clock() - found.at > _STALE_AFTER * self._interval + self._timeout:
            return "error"
        return found.status.status

    def _component(self, name: str, status: Status) -> dict[str, Any]:
        found = self._findings.get(name)
        if found is None:
            return {"status": status}
        return {"status": status, "latency_ms": found.latency_ms, **found.status.details}
