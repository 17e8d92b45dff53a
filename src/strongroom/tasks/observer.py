"""The gauges of background work and of alerts. Each process reads them itself, whether or not it runs tasks.

This is not a task, because a task runs in one process of one replica. The gauges of all other processes would become
stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from strongroom.domain.alert import RULES
from strongroom.errors import StrongroomError
from strongroom.storage.base import Storage
from strongroom.tasks.base import Tasks
from strongroom.telemetry import metrics

_log = structlog.get_logger(__name__)


class Observer:
    """Updates the gauges between `start` and `stop`."""

    def __init__(self, tasks: Tasks, storage: Storage, kinds: Sequence[str], *, interval: float) -> None:
        self._tasks = tasks
        self._storage = storage
        self._kinds = kinds
        self._interval = interval
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.create_task(self._keep_looking(), name="tasks-observer")

    async def stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def look(self) -> None:
        """Raises StrongroomError."""
        for backlog in await self._tasks.backlog(self._kinds):
            metrics.TASK_OLDEST_DUE_SECONDS.labels(backlog.kind).set(backlog.oldest.total_seconds())
            metrics.TASK_EXPIRED_LEASES.labels(backlog.kind).set(backlog.expired)
        now = datetime.now(UTC)
        for progress in await self._storage.progress():
            since = progress.finished_at or progress.started_at
            metrics.JOB_AGE_SECONDS.labels(progress.name).set((now - since).total_seconds())
            metrics.JOB_FINDINGS.labels(progress.name).set(progress.findings)

        firing = await self._storage.alerts_firing()
        for rule in RULES:
            metrics.ALERTS_FIRING.labels(rule).set(firing.get(rule, 0))

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except StrongroomError as error:
                _log.warning("tasks.not_observed", code=error.code)
            except Exception as error:  # noqa: BLE001 - the loop must go on
                _log.error("tasks.not_observed", exc_info=error)
            await asyncio.sleep(self._interval)
