"""Background work: the time of a claim with 50,000 due rows, and the tasks per second of one process.

python bench/tasks.py [tasks] [database URL]     SQLite if no URL is given
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from datetime import timedelta

import uvloop

from strongroom.domain.task import Task
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import SettleTask, Unit, Wake
from strongroom.storage.database import Limits
from strongroom.storage.migrate import migrate_url
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage
from strongroom.tasks.base import Done, Kind
from strongroom.tasks.runner import Runner

DUE = 50_000
CLAIMS = 100
AT_ONCE = 256
A_UNIT = 500
LEASE = timedelta(seconds=30)


async def main(tasks: int, url: str) -> None:
    await migrate_url(url, service_url=url)
    database = open_database(url, Limits(timeout=60, statement_timeout=60, lock_timeout=60, connect_timeout=10))
    authenticity = Authenticity(bytes(32))
    storage = SqlStorage(database, authenticity)
    committer = Committer(storage, await register(storage, authenticity.audit_key, "bench"), timeout=60)
    committer.start()
    print(url.partition(":")[0])
    await _wake(committer, "claimed", DUE)
    await _measure_claims(storage, committer)
    await _wake(committer, "run", tasks)
    await _measure_runs(storage, committer, tasks)
    await committer.close()
    await storage.close()


async def _wake(committer: Committer, kind: str, count: int) -> None:
    for start in range(0, count, A_UNIT):
        await committer.commit(Unit(wakes=[Wake(kind, f"{n:08}") for n in range(start, min(count, start + A_UNIT))]))


async def _measure_claims(storage: SqlStorage, committer: Committer) -> None:
    for size in (1, 32):
        seconds: list[float] = []
        cpu = 0.0
        for _ in range(CLAIMS):
            started, before = time.perf_counter(), _cpu()
            claimed = await storage.queue.claim("claimed", size, LEASE)
            seconds.append(time.perf_counter() - started)
            cpu += _cpu() - before
            assert len(claimed) == size
            await committer.commit(Unit(changes=[SettleTask(task) for task in claimed]))
        seconds.sort()
        print(
            f"  a claim of {size:>3} of {DUE:,} due rows: median {statistics.median(seconds) * 1000:.1f} ms, "
            f"p99 {seconds[-2] * 1000:.1f} ms, {cpu / CLAIMS * 1000:.1f} ms of CPU"
        )


async def _measure_runs(storage: SqlStorage, committer: Committer, tasks: int) -> None:
    done, over = 0, asyncio.Event()

    async def run(_: Task, __: None) -> Done:
        nonlocal done
        done += 1
        if done == tasks:
            over.set()
        return Done()

    kind: Kind[None] = Kind(name="run", run=run, slots=AT_ONCE)
    runner = Runner([kind], storage.queue, committer.commit, None, poll=1.0, drain=30.0)
    committer.woken = runner.wake
    started, cpu = time.perf_counter(), _cpu()
    runner.start()
    await over.wait()
    await runner.stop()
    seconds, cpu = time.perf_counter() - started, _cpu() - cpu
    print(
        f"  {tasks / seconds:,.0f} tasks/s, {cpu / tasks * 1e6:.0f} us of CPU each, {tasks:,} in all, {AT_ONCE} slots"
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as directory:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{directory}/bench.db"
        uvloop.run(main(tasks, url))
