"""PostgreSQL taken away from a working service, in the ways in which that happens in production.

Clients over REST and gRPC send creates and signs, each with its own idempotency key, and retry as real clients do. The
database is stopped and started, becomes read-only, loses connections at COMMIT, and is occupied by others' locks and
connections. In each case clients are told in time, the process stays alive, and work soon goes on. At the end the
database is read: everything acknowledged is there, and nothing twice. Run it as

    python -m tests.campaign.outages --restarts 20 --seconds 60 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import grpc
import httpx

from tests.campaign import remains
from tests.campaign.ending import ended
from tests.campaign.kills import SETTINGS, Faces, Task, transfer
from tests.support import postgres
from tests.support.postgres import SERVICE, Postgres
from tests.support.proxy import Cut, Proxy, proxy_to
from tests.support.server import Server

CLIENTS = 16
TOLD_WITHIN = 2.0
"""Seconds until a client is told that the database is down."""
BACK_WITHIN = 30.0
ALIVE_WITHIN = 2.0
_WALLETS = 4
_POOL = 6
_EXPECTED = {"storage_unavailable", "operation_in_flight", "operation_superseded"}
"""What a client may get besides the result. Each of them says when to retry."""


@dataclass
class Outage:
    name: str
    answered: int
    refused: int
    slowest_refusal: float
    seconds_until_work: float


@dataclass
class Report:
    outages: list[Outage] = field(default_factory=list)
    cuts: int = 0
    answered: int = 0
    signatures: int = 0
    replayed: int = 0
    slowest_probe: float = 0.0
    violations: list[str] = field(default_factory=list)

    def failures(self, *, told_within: float = TOLD_WITHIN, alive_within: float = ALIVE_WITHIN) -> list[str]:
        late = [
            f"{each.name}: somebody was told after {each.slowest_refusal:.2f} s"
            for each in self.outages
            if each.slowest_refusal > told_within
        ]
        slow = [f"/health/live took {self.slowest_probe:.2f} s"] if self.slowest_probe > alive_within else []
        return [*self.violations, *late, *slow]

    def __str__(self) -> str:
        kinds: dict[str, list[Outage]] = {}
        for outage in self.outages:
            kinds.setdefault(outage.name, []).append(outage)
        lines = [f"{'':<34}{'times':>6}{'done':>7}{'refused':>9}{'told after':>12}{'work after':>12}"]
        for name, each in kinds.items():
            told, back = max(o.slowest_refusal for o in each), max(o.seconds_until_work for o in each)
            done, refused = sum(o.answered for o in each), sum(o.refused for o in each)
            lines.append(f"  {name:<32}{len(each):>6}{done:>7}{refused:>9}{told:>10.2f} s{back:>10.2f} s")
        return "\n".join(
            [
                *lines,
                f"COMMITs cut {self.cuts}, operations answered {self.answered}, signatures {self.signatures}",
                f"replays compared {self.replayed}, slowest /health/live {self.slowest_probe * 1000:.0f} ms",
                f"violations {len(self.violations)}",
            ]
        )


class Load:
    """Clients that go on until told to stop, and then finish what they began."""

    def __init__(self, faces: Faces, report: Report, seed: int) -> None:
        self.done: list[Task] = []
        self.refusals: list[float] = []
        """Seconds until clients were told that the database is down, since the last look."""
        self._faces = faces
        self._wallets: list[str] = []
        self._report = report
        self._random = random.Random(seed)
        self._nonces = Counter[str]()
        self._began = 0
        self._going = True

    async def begin(self) -> None:
        """Create the wallets to sign with."""
        for n in range(_WALLETS):
            await self.see_through(Task(f"wallet-{n}", n % 2, "wallets.create", {"networks": ["ethereum"]}))
        self._wallets = [task.answer.result["id"] for task in self.done if task.answer]

    async def run(self) -> None:
        await asyncio.gather(*(self._work() for _ in range(CLIENTS)))

    def stop(self) -> None:
        self._going = False

    async def _work(self) -> None:
        while self._going:
            await self.see_through(self._next())

    def _next(self) -> Task:
        self._began += 1
        n = self._began
        if self._random.random() < 0.3:
            return Task(f"create-{n}", n % 2, "wallets.create", {"label": f"{n}", "networks": ["ethereum"]})
        wallet = self._random.choice(self._wallets)
        self._nonces[wallet] += 1
        return Task(f"sign-{n}", n % 2, "transactions.sign", transfer(wallet, self._nonces[wallet], n))

    async def see_through(self, task: Task) -> None:
        until = time.monotonic() + 3 * BACK_WITHIN
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                outcome = await self._faces.send(task)
            except (httpx.TransportError, grpc.aio.AioRpcError) as error:
                self._report.violations.append(f"{task.key} got no answer: {type(error).__name__}")
                return
            if outcome.code == "ok":
                task.answer = outcome
                self.done.append(task)
                return
            if outcome.code not in _EXPECTED or not outcome.retries:
                self._report.violations.append(f"{task.key} was answered {outcome.code}")
                return
            if outcome.code == "storage_unavailable":
                self.refusals.append(time.monotonic() - began)
            await asyncio.sleep(self._random.uniform(0.05, 0.3))
        self._report.violations.append(f"{task.key} was never answered")


class Campaign:
    def __init__(self, database: Postgres, server: Server, proxy: Proxy, seed: int) -> None:
        self.report = Report()
        self.load: Load
        self._database = database
        self._server = server
        self._proxy = proxy
        self._seed = seed
        self._random = random.Random(seed)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with Faces(self._server) as faces:
            self.load = Load(faces, self.report, self._seed)
            await self.load.begin()
            working = asyncio.create_task(self.load.run())
            probing = asyncio.create_task(self._probe())
            try:
                yield
            finally:
                self.load.stop()
                await working
                probing.cancel()
            await self._replay(faces)

    async def outage(self, name: str, happens: Callable[[], Awaitable[None]]) -> None:
        """It is over when work that began after it was done."""
        self.load.refusals.clear()
        before = len(self.load.done)
        await happens()
        over, answered = time.monotonic(), len(self.load.done)
        while len(self.load.done) <= answered + CLIENTS:
            await asyncio.sleep(0.01)
            if time.monotonic() - over > BACK_WITHIN:
                self.report.violations.append(f"{name}: no work within {BACK_WITHIN:.0f} s")
                break
        refusals = self.load.refusals
        self.report.outages.append(
            Outage(name, answered - before, len(refusals), max(refusals, default=0.0), time.monotonic() - over)
        )

    async def restart(self) -> None:
        how = self._random.choice((signal.SIGINT, signal.SIGQUIT))
        await asyncio.to_thread(self._database.stop, how)
        await asyncio.sleep(self._random.uniform(0, 2))
        await asyncio.to_thread(self._database.start)

    async def read_only(self, seconds: float) -> None:
        await self._set("default_transaction_read_only = on")
        await asyncio.sleep(seconds)
        await self._set("default_transaction_read_only = off")

    async def _set(self, setting: str) -> None:
        await self._ask(f"ALTER SYSTEM SET {setting}")
        await self._ask("SELECT pg_reload_conf()")

    async def cut_commits(self, times: int) -> None:
        before = self._proxy.cuts
        for n in range(times):
            self._proxy.cut(b"COMMIT;", list(Cut)[n % len(Cut)])
            while self._proxy.cuts == before + n:  # noqa: ASYNC110 - the proxy has no event for it
                await asyncio.sleep(0.001)
        self.report.cuts += times

    async def lock_everything(self, seconds: float) -> None:
        """Make every connection of the service wait for another session's lock."""
        other = await asyncpg.connect(self._database.url("postgres"))
        async with other.transaction():
            await other.execute("LOCK TABLE wallets, operations, api_keys, audit")
            await asyncio.sleep(seconds)
        await other.close()

    async def silence(self, seconds: float) -> None:
        """Nothing gets through, and neither side is told."""
        self._proxy.blackhole = True
        await asyncio.sleep(seconds)
        self._proxy.blackhole = False

    async def take_every_connection(self, seconds: float) -> None:
        """End the service's connections, and take all that the server allows."""
        of_service = f"usename = '{SERVICE}' AND application_name != 'other'"
        ends = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {of_service}"
        url = self._database.url("postgres", SERVICE, application_name="other")
        taken: list[asyncpg.Connection] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                taken.append(await asyncpg.connect(url))
            except asyncpg.TooManyConnectionsError:
                # As the superuser, for whom some are reserved. Refused callers occupy those for a moment.
                with suppress(asyncpg.TooManyConnectionsError):
                    await self._ask(ends)
            await asyncio.sleep(0.01)
        for each in taken:
            each.terminate()

    async def _ask(self, statement: str) -> None:
        await asyncio.to_thread(self._database.run, statement)

    async def _probe(self) -> None:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=10, trust_env=False) as client:
            while True:
                began = time.monotonic()
                status: int | str
                try:
                    status = (await client.get("/health/live")).status_code
                except httpx.TransportError as error:
                    status = type(error).__name__
                self.report.slowest_probe = max(self.report.slowest_probe, time.monotonic() - began)
                if status != 200:
                    self.report.violations.append(f"/health/live was {status}")
                await asyncio.sleep(0.05)

    async def _replay(self, faces: Faces) -> None:
        """The same key gives the same bytes. One in twenty is checked."""
        for task in self.load.done[::20]:
            assert task.answer is not None
            again = await faces.send(task)
            if again.raw != task.answer.raw:
                self.report.violations.append(f"{task.key} was answered otherwise when it was asked again")
            self.report.replayed += 1

    def judge(self) -> Report:
        """Judge the service while it is idle."""
        left = remains.of_postgres(self._database.url())
        results = [
            {task.key: task.answer.result for task in self.load.done if task.answer and task.operation == name}
            for name in ("wallets.create", "transactions.sign")
        ]
        self.report.violations += left.violations(*results)
        self.report.answered = len(self.load.done)
        self.report.signatures = sum(map(len, left.signatures.values()))
        verified = self._server.command("audit", "verify", "--heads", str(self._server.data_dir / "audit-heads.jsonl"))
        if verified.returncode:
            self.report.violations.append(f"audit verify: {verified.stdout} {verified.stderr}")
        return self.report


@dataclass(frozen=True)
class Plan:
    restarts: int
    seconds: float
    """Seconds for which all connections are held, by each of two means."""
    read_only: float
    """Seconds for which it is read-only, and for which it is silent."""
    cuts: int
    seed: int = 1


async def _run(database: Postgres, data_dir: Path, plan: Plan) -> Report:
    async with proxy_to(database.port) as proxy:
        server = Server(
            data_dir,
            {
                **SETTINGS,
                "DATABASE__URL": f"postgresql://{SERVICE}@127.0.0.1:{proxy.local_port}/postgres",
                "DATABASE__MIGRATE_URL": database.url(),
                "DATABASE__POOL_SIZE": str(_POOL),
                "HEALTH__INTERVAL": "1",
            },
        )
        migrated = await asyncio.to_thread(server.command, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        await asyncio.to_thread(server.start)
        campaign = Campaign(database, server, proxy, plan.seed)
        try:
            async with campaign.at_work():
                for _ in range(plan.restarts):
                    await campaign.outage("stopped and started", campaign.restart)
                await campaign.outage("only reads", lambda: campaign.read_only(plan.read_only))
                await campaign.outage("connections cut at COMMIT", lambda: campaign.cut_commits(plan.cuts))
                await campaign.outage("silent", lambda: campaign.silence(plan.read_only))
                await campaign.outage("tables locked", lambda: campaign.lock_everything(plan.seconds))
                await campaign.outage("no connection to be had", lambda: campaign.take_every_connection(plan.seconds))
            if await asyncio.to_thread(server.stop) != 0:
                campaign.report.violations.append("the service did not stop as it should")
            return await asyncio.to_thread(campaign.judge)
        finally:
            await asyncio.to_thread(server.__exit__)


def run(data_dir: Path, plan: Plan) -> Report:
    with postgres.running("max_connections=20", "superuser_reserved_connections=3") as database:
        return asyncio.run(_run(database, data_dir, plan))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--restarts", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-outages-") as folder:
        report = run(Path(folder), Plan(given.restarts, given.seconds, read_only=10, cuts=100, seed=given.seed))
    return ended(f"seed {given.seed}: {report}", report.failures())


if __name__ == "__main__":
    sys.exit(main())
