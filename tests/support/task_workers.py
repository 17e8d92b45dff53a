"""Real processes that run tasks, to be killed. They are forked from one that has imported everything, which is fast.

A task of the kind `toy` writes one line to a file of effects, which may appear twice, and one audit record, which may
not. The record is in the unit that settles the task, and nothing in the database would refuse a second one.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid5

from sqlalchemy import text

from strongroom.domain.record import AuditEntry, AuditOutcome
from strongroom.domain.task import Task
from strongroom.errors import StorageUnavailable
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.journal.verify import Report, verify
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Unit, Wake
from strongroom.storage.database import Limits
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from strongroom.tasks.base import Done, Kind, Ladder
from strongroom.tasks.runner import Runner
from strongroom.telemetry import failpoints
from tests.support.rows import PRINCIPAL, TENANT
from tests.support.server import ROOT, is_alive

AUTHENTICITY = Authenticity(b"s" * 32)
PATIENT = Limits(timeout=60, pool_timeout=60, connect_timeout=60, statement_timeout=60, lock_timeout=60)
"""On a busy machine, nothing should end because it took long."""
POINTS = {
    "wake": ("commit.before", "commit.within", "commit.after"),
    "claim": ("claim.before", "claim.within", "claim.after"),
    "run": ("run.before", "run.after"),
    "renew": ("renew.before", "renew.after"),
    "settle": ("settle.before", "commit.before", "commit.within", "commit.after", "settle.after"),
}
"""By step, in the order in which a process reaches them."""


@dataclass(frozen=True)
class Orders:
    """What one process is to do."""

    url: str
    effects: str
    wakes: Sequence[str] = ()
    """Keys to wake, one per commit, after which the process ends. Empty: it runs tasks."""
    dies_at: str | None = None
    """The failpoint at which it kills itself."""
    dies_after: int = 1
    """After it was reached this many times."""
    lease: float = 1.0
    seconds: tuple[float, float] = (0.0, 0.02)
    """How long a handler takes, at random."""
    slots: int = 4
    poll: float = 0.1
    drain: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)


class Workers:
    """Makes processes, and kills those that are left at the end."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.effects = folder / "effects"
        self._pids: list[int] = []
        with (folder / "log").open("ab") as log:
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "tests.support.task_workers"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def start(self, **orders: Any) -> int:
        """The process id."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        whole = Orders(self.url, str(self.effects), **orders)
        print(json.dumps(asdict(whole)), file=self._zygote.stdin, flush=True)
        pid = int(self._zygote.stdout.readline())
        self._pids.append(pid)
        return pid

    def kill(self, pid: int, how: signal.Signals = signal.SIGKILL) -> None:
        os.kill(pid, how)
        if how in (signal.SIGKILL, signal.SIGTERM):
            self.await_end(pid)

    def await_end(self, pid: int, seconds: float = 300.0) -> None:
        until = time.monotonic() + seconds
        while is_alive(pid):
            assert time.monotonic() < until, f"a process did not end: {self.log()}"
            time.sleep(0.005)

    def outcomes(self, pid: int) -> Counter[str]:
        """How the runs of a process that was told to end have ended."""
        return Counter(json.loads(Path(f"{self.effects}.{pid}").read_text()))

    def done(self) -> Counter[str]:
        """Effects by key."""
        return Counter(self.effects.read_text().split()) if self.effects.exists() else Counter()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in filter(is_alive, self._pids):
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(pid, signal.SIGKILL)
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        self._zygote.wait(120)
        assert self._zygote.stdout is not None
        self._zygote.stdout.close()


@dataclass(frozen=True)
class Found:
    """What the database holds."""

    requested: Counter[str]
    results: Counter[str]
    tasks: dict[str, Task]
    audit: Report

    @property
    def unsettled(self) -> list[str]:
        return [key for key, task in self.tasks.items() if task.due_at is not None or task.lease_until is not None]

    def violations(self, effects: Counter[str]) -> list[str]:
        """What must never be, at any moment."""
        return [
            *[f"{key} has {count} results" for key, count in self.results.items() if count > 1],
            *[f"{key} was asked for, and has no task" for key in self.requested if key not in self.tasks],
            *[f"{key} has a task, and was not asked for" for key in self.tasks if key not in self.requested],
            *[f"{key} has a result, and no effect" for key in self.results if not effects[key]],
            *[f"{key} sleeps without a result" for key, t in self.tasks.items() if not (t.due_at or self.results[key])],
            *[f"audit: {finding}" for finding in self.audit.findings],
        ]


async def look(url: str) -> Found:
    database = open_database(url, PATIENT)
    storage = SqlStorage(database, AUTHENTICITY)
    try:
        query = text("SELECT operation, request_id FROM audit")
        pairs = Counter(tuple(row) for row in await database.read(lambda c: c.execute(query).all()))
        tasks: list[Task] = []
        while page := await storage.tasks(TENANT, "toy", tasks[-1].place if tasks else None, 1000):
            tasks += page
        return Found(
            Counter({key: count for (name, key), count in pairs.items() if name == "toy.requested"}),
            Counter({key: count for (name, key), count in pairs.items() if name == "toy.done"}),
            {task.key: task for task in tasks},
            await verify(storage, AUTHENTICITY.audit_key),
        )
    finally:
        await database.close()


async def until_settled(url: str, count: int, seconds: float = 300.0) -> Found:
    """Wait until so many tasks have their result and sleep. The limit is for those that never will."""
    until = time.monotonic() + seconds
    while True:
        try:
            found = await look(url)
        except StorageUnavailable:
            assert time.monotonic() < until, "the database stayed away"
            await asyncio.sleep(0.1)
            continue
        if len(found.results) >= count and not found.unsettled:
            return found
        assert time.monotonic() < until, f"{len(found.results)} of {count}, unsettled {found.unsettled[:10]}"
        await asyncio.sleep(0.1)


def entry(name: str, key: str, outcome: AuditOutcome) -> AuditEntry:
    return AuditEntry(
        at=datetime.now(UTC), tenant_id=TENANT, principal_id=PRINCIPAL, operation=name,
        operation_id=uuid5(UUID(int=0), key), outcome=outcome, wallet_id=None, network=None, request_id=key,
        client="", details="{}",
    )  # fmt: skip


class _Process:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._reached: Counter[str] = Counter()
        self._effects = os.open(orders.effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def run(self) -> None:
        orders = self._orders
        # Nothing retries for a process that only wakes. One that runs tasks should meet what the service meets.
        database = open_database(orders.url, PATIENT) if orders.wakes else open_database(orders.url)
        storage = SqlStorage(database, AUTHENTICITY)
        committer = Committer(storage, await _patiently(storage), timeout=60)
        committer.start()
        if orders.dies_at is not None:
            failpoints.arm(self._die)
        if orders.wakes:
            for key in orders.wakes:
                audit = [entry("toy.requested", key, AuditOutcome.REQUESTED)]
                await committer.commit(Unit(wakes=[Wake("toy", key)]), audit)
        else:
            await self._work(storage, committer)
        await committer.close()
        await database.close()

    async def _work(self, storage: SqlStorage, committer: Committer) -> None:
        orders = self._orders
        kind: Kind[None] = Kind(
            name="toy", run=self._handle, slots=orders.slots, lease=timedelta(seconds=orders.lease), attempts=10_000,
            ladder=Ladder(first=0.05, longest=0.5),
        )  # fmt: skip
        runner = Runner([kind], storage.queue, committer.commit, None, poll=orders.poll, drain=orders.drain)
        committer.woken = runner.wake
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
        runner.start()
        await ended.wait()
        await runner.stop()
        from strongroom.telemetry.metrics import TASK_RUNS_TOTAL

        samples = [sample for metric in TASK_RUNS_TOTAL.collect() for sample in metric.samples]
        outcomes = {each.labels["outcome"]: int(each.value) for each in samples if each.name.endswith("_total")}
        Path(f"{orders.effects}.{os.getpid()}").write_text(json.dumps(outcomes))  # noqa: ASYNC240

    async def _handle(self, task: Task, _: None) -> Done:
        os.write(self._effects, f"{task.key}\n".encode())
        await asyncio.sleep(random.uniform(*self._orders.seconds))
        return Done(audit=[entry("toy.done", task.key, AuditOutcome.SUCCEEDED)])

    def _die(self, name: str) -> None:
        self._reached[name] += 1
        if name == self._orders.dies_at and self._reached[name] == self._orders.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)


async def _patiently(storage: SqlStorage) -> Any:
    while True:
        try:
            return await register(storage, AUTHENTICITY.audit_key, "worker")
        except StorageUnavailable:
            await asyncio.sleep(0.1)


def _main() -> None:
    import asyncpg  # noqa: F401 - once for all

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # not waited for, so that they are gone when they are dead
    for line in sys.stdin:
        orders = Orders(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            os.dup2(2, 1)  # the log must not mix with the ids
            asyncio.run(_Process(orders).run())
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    _main()
