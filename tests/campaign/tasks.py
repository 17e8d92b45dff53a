"""Repeated SIGKILL to processes that run tasks, while two of them share the due ones. Run it as

python -m tests.campaign.tasks --tasks 10000 --kills 1000 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from tests.campaign.ending import ended
from tests.support.task_workers import Workers, look, until_settled

LEASE = 1.0


@dataclass
class Report:
    tasks: int
    kills: int = 0
    results: int = 0
    effects: int = 0
    recovery: float = 0.0
    """Seconds from the last kill until the tasks leased at that time were settled."""
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.tasks} tasks, {self.kills} kills of one of two processes, lease {LEASE:g} s\n"
            f"  results in the database {self.results}, each once; effects {self.effects}\n"
            f"  what was under a lease at the last kill was settled after {self.recovery:.1f} s\n"
            f"violations {len(self.violations)}"
        )


async def run(workers: Workers, tasks: int, kills: int, seed: int) -> Report:
    """``kills`` are spread over the tasks. Each comes shortly after so many effects have been seen."""
    report, dice = Report(tasks), random.Random(seed)
    waker = workers.start(wakes=[f"{n:06}" for n in range(tasks)])
    pair = [workers.start(lease=LEASE) for _ in range(2)]
    at = [tasks * (n + 1) * 0.9 / (kills + 1) for n in range(kills)]
    for wanted in at:
        async with asyncio.timeout(300):
            while _seen(workers) < wanted:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.002)
        await asyncio.sleep(dice.uniform(0, 0.02))
        victim = dice.randrange(2)
        workers.kill(pair[victim])
        report.kills += 1
        pair[victim] = workers.start(lease=LEASE)
        if report.kills % 50 == 0:
            found = await look(workers.url)  # rows keep changing, so only what never changes is compared
            report.violations += [f"{key} has {count} results" for key, count in found.results.items() if count > 1]
            report.violations += [f"audit: {finding}" for finding in found.audit.findings]
    last = time.monotonic()
    report.recovery = await _recovery(workers, last)
    await asyncio.to_thread(workers.await_end, waker)
    found = await until_settled(workers.url, tasks, 600)
    for pid in pair:
        workers.kill(pid, signal.SIGTERM)
    effects = workers.done()
    report.violations += found.violations(effects)
    report.results, report.effects = found.results.total(), effects.total()
    if report.results != tasks:
        report.violations.append(f"{report.results} results of {tasks} tasks")
    return report


async def _recovery(workers: Workers, last: float) -> float:
    held = {key for key, task in (await look(workers.url)).tasks.items() if task.lease_until is not None}
    while held - (await look(workers.url)).results.keys():
        await asyncio.sleep(0.05)
        assert time.monotonic() < last + 300, workers.log()
    return time.monotonic() - last


def _seen(workers: Workers) -> int:
    return workers.effects.stat().st_size // 7 if workers.effects.exists() else 0


async def _alone(folder: Path, url: str, tasks: int, kills: int, seed: int) -> Report:
    if url.startswith("sqlite"):
        database = open_database(url)
        await migrate(database)
        await database.close()
    with Workers(folder, url) as workers:
        return await run(workers, tasks, kills, seed)


def campaign(tasks: int, kills: int, seed: int, *, on_postgres: bool) -> Report:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not on_postgres:
            return asyncio.run(_alone(folder, f"sqlite:///{folder}/test.db", tasks, kills, seed))
        from tests.support import postgres

        with postgres.running(durable=True) as server:
            url = server.url(server.create_database(migrated=True), postgres.SERVICE)
            return asyncio.run(_alone(folder, url, tasks, kills, seed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    report = campaign(given.tasks, given.kills, given.seed, on_postgres=given.postgres)
    return ended(report, report.violations)


if __name__ == "__main__":
    sys.exit(main())
