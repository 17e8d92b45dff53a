"""The gauges of background work. Each process reads them for itself, whether it runs tasks or not.

They are no kind of task: a task is run by one process of one replica, and the gauges of all others would stay at what
they last were.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from strongroom.errors import StrongroomError
from strongroom.storage.base import Storage
from strongroom.tasks.base import Tasks
from strongroom.telemetry import metrics

_log = structlog.get_logger(__name__)


class Observer:
    """`start` it, and `stop` it."""

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

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except StrongroomError as error:
                _log.warning("tasks.not_observed", code=error.code)
            except Exception as error:  # noqa: BLE001 - the loop must live
                _log.error("tasks.not_observed", exc_info=error)
            await asyncio.sleep(self._interval)
