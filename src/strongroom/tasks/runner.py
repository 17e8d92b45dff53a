"""The loop that claims due tasks, runs them under a lease, and settles them with their results.

Each kind has its own slots and its own loop. A loop learns about work from the committer when a unit of this process
has woken a task, from the poll, which finds tasks that other processes woke or that came due, and from a slot that
becomes free while more tasks are waiting.

Nothing here ends the process. If the database is down, claims and settlements are retried after a pause.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic

import structlog

from strongroom.domain.task import Task
from strongroom.errors import InternalError, StrongroomError, Unavailable
from strongroom.journal.base import Commit, Lost
from strongroom.storage.base import SettleTask, Unit, Wake
from strongroom.tasks.base import C, Done, Kind, Tasks
from strongroom.telemetry import failpoints, tracing
from strongroom.telemetry.metrics import TASK_RUNS_TOTAL, TASK_SECONDS, TASKS_RUNNING
from strongroom.telemetry.signals import SIGNALS

_log = structlog.get_logger(__name__)

_RENEWALS_A_LEASE: Final = 3
_SETTLE_PAUSE: Final = 0.5
_RELEASE_SECONDS: Final = 2.0
"""Longest wait for tasks to be given back. A handler that ignores its cancellation does not delay the end."""
_RESCHEDULE_SECONDS: Final = 3600.0
"""How often schedules are written again, so that a row that was moved delays its job by no more than this."""


@dataclass(slots=True, eq=False)
class _Run:
    """One claimed task in this process."""

    task: Task
    until: float
    """Monotonic time at which the lease ends, unless it is renewed."""
    job: asyncio.Task[None] | None = None
    settling: bool = False
    """The handler has finished. From now on the settlement finds out whether the lease still holds."""
    refused: bool = False

    def stop(self) -> None:
        if self.job is not None and not self.settling:
            self.job.cancel()


@dataclass(slots=True, eq=False)
class _Lane(Generic[C]):
    """One kind in this process."""

    kind: Kind[C]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    more: bool = False
    """The last claim took as many tasks as it could."""
    runs: set[_Run] = field(default_factory=set)

    @property
    def free(self) -> int:
        return self.kind.slots - len(self.runs)


class Runner(Generic[C]):
    """Runs tasks from `start` on. `drain` stops claiming; `stop` waits, then gives back what has not ended in time."""

    def __init__(
        self, kinds: Sequence[Kind[C]], tasks: Tasks, commit: Commit, context: C, *, poll: float, drain: float
    ) -> None:
        """Seconds: ``poll`` between two checks for due tasks, ``drain`` that handlers have to end."""
        self._lanes = {kind.name: _Lane(kind) for kind in kinds}
        self._tasks = tasks
        self._commit = commit
        self._context = context
        self._poll = poll
        self._drain_seconds = drain
        self._loops: list[asyncio.Task[None]] = []
        self._claiming: list[asyncio.Task[None]] = []
        self._ends_at: float | None = None
        """Monotonic time at which running tasks are given back."""

    def start(self) -> None:
        self._claiming = [_begin(self._serve(lane), f"tasks-{lane.kind.name}") for lane in self._lanes.values()]
        self._loops = [_begin(self._renew_all(), "tasks-renew"), _begin(self._keep_polling(), "tasks-poll")]

    def wake(self, kinds: Iterable[str]) -> None:
        """There may be something to claim."""
        for name in kinds:
            if name in self._lanes:
                self._lanes[name].news.set()

    def drain(self) -> None:
        """Claim nothing from now on. Running tasks have until the drain limit to end."""
        if self._ends_at is None:
            self._ends_at = time.monotonic() + self._drain_seconds
            self.wake(self._lanes)

    async def stop(self) -> None:
        """Call it before the committer is closed."""
        self.drain()
        await asyncio.gather(*self._claiming, return_exceptions=True)
        jobs = [run.job for lane in self._lanes.values() for run in lane.runs if run.job is not None]
        if jobs:
            await asyncio.wait(jobs, timeout=max(0.0, (self._ends_at or 0.0) - time.monotonic()))
            for lane in self._lanes.values():
                for run in lane.runs:
                    run.stop()
            await asyncio.wait(jobs, timeout=_RELEASE_SECONDS)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    @property
    def _draining(self) -> bool:
        return self._ends_at is not None

    # ---- claim ----

    async def _serve(self, lane: _Lane[C]) -> None:
        while not self._draining:
            await lane.news.wait()
            lane.news.clear()
            if self._draining or not lane.free:
                lane.more = True  # for the run that frees a slot
                continue
            await self._claim(lane)

    async def _claim(self, lane: _Lane[C]) -> None:
        wanted, began = lane.free, time.monotonic()
        try:
            failpoints.reached("claim.before")
            claimed = await self._tasks.claim(lane.kind.name, wanted, lane.kind.lease)
            failpoints.reached("claim.after")
        except Exception as error:  # noqa: BLE001 - the loop must go on
            _warn("tasks.claim_failed", error, lane.kind.name)
            await asyncio.sleep(self._jittered())
            lane.news.set()
            return
        lane.more = len(claimed) == wanted
        for task in claimed:
            run = _Run(task, began + lane.kind.lease.total_seconds())
            lane.runs.add(run)
            TASKS_RUNNING.labels(lane.kind.name).inc()
            run.job = _begin(self._work(lane, run), f"task-{lane.kind.name}")

    async def _keep_polling(self) -> None:
        scheduled_at = -_RESCHEDULE_SECONDS
        while not self._draining:
            try:
                if time.monotonic() - scheduled_at >= _RESCHEDULE_SECONDS:
                    await self._write_schedules()
                    scheduled_at = time.monotonic()
                self.wake(await self._tasks.due(list(self._lanes)))
            except Exception as error:  # noqa: BLE001 - the loop must go on
                _warn("tasks.poll_failed", error)
            await asyncio.sleep(self._jittered())

    async def _write_schedules(self) -> None:
        now = datetime.now(UTC)
        wakes = [
            Wake(lane.kind.name, key, after=next_(now) - now, news=False)
            for lane in self._lanes.values()
            for key, next_ in lane.kind.schedule.items()
        ]
        if wakes:
            await self._commit(Unit(wakes=wakes))

    def _jittered(self) -> float:
        return self._poll * random.uniform(0.5, 1.5)  # noqa: S311

    # ---- run ----

    async def _work(self, lane: _Lane[C], run: _Run) -> None:
        """Take one claimed task from the handler to the settlement. Raises nothing."""
        with tracing.begin(f"task {lane.kind.name}") as span:
            outcome = await self._run_to_its_end(lane, run)
            span.note(kind=lane.kind.name, attempts=run.task.attempts, outcome=outcome)

    async def _run_to_its_end(self, lane: _Lane[C], run: _Run) -> str:
        began = time.perf_counter()
        outcome = "released"
        try:
            outcome = await self._run_and_settle(lane.kind, run)
        except asyncio.CancelledError:
            outcome = "lost" if run.refused else await self._release(lane.kind, run)
        except Exception as error:  # noqa: BLE001 - a task that cannot be settled comes back when its lease ends
            outcome = "unsettled"
            _warn("tasks.not_settled", error, lane.kind.name, run.task.key)
        finally:
            lane.runs.discard(run)
            TASKS_RUNNING.labels(lane.kind.name).dec()
            TASK_RUNS_TOTAL.labels(lane.kind.name, outcome).inc()
            TASK_SECONDS.labels(lane.kind.name).observe(time.perf_counter() - began)
            if lane.more:
                lane.news.set()
        return outcome

    async def _run_and_settle(self, kind: Kind[C], run: _Run) -> str:
        if run.task.attempts > kind.attempts:  # earlier runs died, or could not be settled
            return await self._fail(kind, run, "worker_lost")
        try:
            failpoints.reached("run.before")
            async with asyncio.timeout(kind.timeout.total_seconds()):
                done = await kind.run(run.task, self._context)
            failpoints.reached("run.after")
        except TimeoutError:
            return await self._fail(kind, run, "deadline_exceeded")
        except StrongroomError as error:
            return await self._fail(kind, run, error.code)
        except Exception as error:  # noqa: BLE001 - one handler must not stop the others
            _log.error("task.crashed", kind=kind.name, key=run.task.key, exc_info=error)
            return await self._fail(kind, run, InternalError.code)
        run.settling = True
        again = done.again if done.again is not None else _next(kind, run.task)
        try:
            return await self._settle(run, done, SettleTask(run.task, again), "ok")
        except Lost:
            return await self._fail(kind, run, "conflict")
        except Unavailable:
            raise
        except StrongroomError as error:
            return await self._fail(kind, run, error.code)

    async def _fail(self, kind: Kind[C], run: _Run, code: str) -> str:
        """Schedule the next attempt, or give up after the last one."""
        run.settling = True
        task = run.task
        if task.attempts < kind.attempts:
            _log.warning("task.failed", kind=kind.name, key=task.key, code=code, attempts=task.attempts)
            retry = SettleTask(task, kind.ladder.pause(task.attempts), task.attempts, code)
            return await self._settle(run, Done(), retry, "failed")
        _log.error("task.given_up", kind=kind.name, key=task.key, code=code, attempts=task.attempts)
        SIGNALS.note("given_up", kind.name, key=task.key, code=code)
        done = await kind.give_up(task, code, self._context)
        return await self._settle(run, done, SettleTask(task, _next(kind, task), error=code), "given_up")

    async def _release(self, kind: Kind[C], run: _Run) -> str:
        """Give the task back unfinished for the next process. This run does not count as an attempt."""
        run.settling = True
        back = SettleTask(run.task, timedelta(), run.task.attempts - 1, run.task.last_error_code)
        try:
            return await self._settle(run, Done(), back, "released")
        except (Lost, StrongroomError) as error:
            _warn("tasks.not_released", error, kind.name, run.task.key)
            return "unsettled"

    # ---- settle ----

    async def _settle(self, run: _Run, done: Done, settled: SettleTask, outcome: str) -> str:
        """Commit the result and the settlement, and return how the task ended.

        Raises Lost if another part of the unit lost, and Unavailable if it could not be committed before the lease
        ended. A commit with an unknown outcome can be repeated, because the epoch changes if the first one succeeded.
        """
        unit = replace(done.unit, changes=(*done.unit.changes, settled))
        while True:
            try:
                failpoints.reached("settle.before")
                await self._commit(unit, done.audit)
                failpoints.reached("settle.after")
            except Lost as lost:
                if lost.conflict.cause == settled:
                    return "lost"
                raise
            except Unavailable:
                if time.monotonic() + _SETTLE_PAUSE > min(run.until, self._ends_at or run.until):
                    raise
                await asyncio.sleep(_SETTLE_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311
                continue
            self._look_again(settled)
            return outcome

    def _look_again(self, settled: SettleTask) -> None:
        """A task that is due again before the next poll does not wait for it."""
        if settled.again is not None and settled.again.total_seconds() < self._poll and not self._draining:
            delay = settled.again.total_seconds() + 0.001  # the database's clock on SQLite counts in milliseconds
            asyncio.get_running_loop().call_later(delay, self.wake, (settled.task.kind,))

    # ---- renew ----

    async def _renew_all(self) -> None:
        shortest = min((lane.kind.lease.total_seconds() for lane in self._lanes.values()), default=30.0)
        while True:
            await asyncio.sleep(shortest / _RENEWALS_A_LEASE)
            await asyncio.gather(*(self._renew(lane) for lane in self._lanes.values()))

    async def _renew(self, lane: _Lane[C]) -> None:
        runs = [run for run in lane.runs if not run.settling]
        if not runs:
            return
        began = time.monotonic()
        try:
            failpoints.reached("renew.before")
            held = await self._tasks.renew([run.task for run in runs], lane.kind.lease)
            failpoints.reached("renew.after")
        except Exception as error:  # noqa: BLE001 - the loop must go on
            _warn("tasks.renew_failed", error, lane.kind.name)
            held = None
        for run in runs:
            if held is not None and run.task.place in held:
                run.until = began + lane.kind.lease.total_seconds()
            elif held is not None or time.monotonic() > run.until:
                run.refused = True
                run.stop()


def _next(kind: Kind[C], task: Task) -> timedelta | None:
    schedule = kind.schedule.get(task.key)
    now = datetime.now(UTC)
    return None if schedule is None else schedule(now) - now


def _begin(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


def _warn(event: str, error: Exception, kind: str | None = None, key: str | None = None) -> None:
    code = error.code if isinstance(error, StrongroomError) else type(error).__name__
    unexpected = not isinstance(error, StrongroomError | Lost)
    _log.warning(event, kind=kind, key=key, code=code, exc_info=error if unexpected else None)
