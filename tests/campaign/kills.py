"""Repeated SIGKILL to the service while at least 32 requests are in flight.

On SQLite the whole process tree dies at once. On PostgreSQL, with two workers, the victim is one worker, which is
replaced, or the main process, after which its workers end, or all of them.

Clients over REST and gRPC send creates and signs, each with its own idempotency key. After each kill the database is
read to see which requests without a response had reached the first or the second commit. Then the service is started on
the same folder, the audit is verified, and clients retry as real ones do, while the next kill comes. Run it as

    python -m tests.campaign.kills --operations 1000 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import httpx
from eth_account import Account
from eth_account.messages import encode_defunct

from tests.campaign import remains
from tests.campaign.ending import ended
from tests.campaign.remains import Remains, Row
from tests.support.server import Server
from tests.support.service import Face, GrpcFace, HttpFace, Outcome
from tests.support.stack import production

IN_FLIGHT = 48
LEAST_IN_FLIGHT = 32
LEAST_OF_EACH = 20
STATES = ("no T1", "T1 only", "T2 unanswered")
SETTINGS = {
    "IDEMPOTENCY__LEASE": "1",
    "AUDIT__INTERVAL": "1",
    "LOG__LEVEL": "warning",
    **{f"RATES__{name}": "off" for name in ("READ", "CREATE", "WRITE", "ADDRESS", "SIGN", "ADMIN", "CHAIN")},
}
VICTIMS = ("all", "main process", "worker")
_WALLETS = 8
_CALM = 6.0
"""Seconds after a worker's death in which another death would count as a crash loop, and end the service."""
_RIVALS = 0.1
"""Share of signs for a nonce for which another request signs something else."""
_SAMPLE = 10
_NO_ANSWER = (httpx.TransportError, grpc.aio.AioRpcError)
_OUTCRIES = ("integrity.alarm", "crashed", "committer.failed", "Traceback")


@dataclass
class Task:
    """One operation with one idempotency key, sent until it gets a response."""

    key: str
    face: int
    operation: str
    command: dict[str, Any]
    rival: bool = False
    answer: Outcome | None = None
    before: Row | None = None
    """Its row after the last kill that left it without a response."""


@dataclass
class Report:
    operations: int
    kills: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    fewest_in_flight: int = 1_000_000
    answered: int = 0
    refused: int = 0
    taken_over: int = 0
    replayed: int = 0
    signatures: int = 0
    wallets: int = 0
    violations: list[str] = field(default_factory=list)

    def failures(self, least: int) -> list[str]:
        missing = [f"only {self.states[name]} of: {name}" for name in STATES if self.states[name] < least]
        return [*self.violations, *missing]

    def __str__(self) -> str:
        lines = [
            f"{self.operations} operations, at least {self.fewest_in_flight} requests in flight at each kill",
            "  killed " + ", ".join(f"{victim} {count}" for victim, count in self.kills.items()),
            *(f"  {name:<14} {self.states[name]:>5}" for name in STATES),
            f"answered {self.answered}, refused as rivals {self.refused}",
            f"operations that were taken over, some more than once {self.taken_over}",
            f"replays compared {self.replayed}",
            f"signatures {self.signatures}, each with its audit; wallets {self.wallets}, each of which signed",
            f"violations {len(self.violations)}",
        ]
        return "\n".join(lines)


class Faces:
    """Fresh connections to the service over REST and gRPC."""

    def __init__(self, server: Server) -> None:
        self._http = httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False, limits=_NO_LIMITS)
        self._channel = grpc.aio.insecure_channel(server.target)
        self._key = server.api_key
        self._faces: Sequence[Face] = (HttpFace(self._http), GrpcFace(self._channel))

    async def call(self, face: int, operation: str, command: dict[str, Any], key: str | None = None) -> Outcome:
        return await self._faces[face].call(operation, command, key=self._key, idempotency_key=key)

    async def send(self, task: Task) -> Outcome:
        return await self.call(task.face, task.operation, task.command, task.key)

    async def __aenter__(self) -> Faces:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._channel.close()


_NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)


class Campaign:
    def __init__(
        self, server: Server, look: Callable[[], Remains], operations: int, seed: int, most_kills: int
    ) -> None:
        self.report = Report(operations)
        self._server = server
        self._look_at = look
        self._victims = VICTIMS if "WORKERS__COUNT" in server.settings else VICTIMS[:1]
        self._most_kills = most_kills
        self._random = random.Random(seed)
        self._tasks: list[Task] = []
        self._queue: deque[Task] = deque()
        self._under_way: dict[str, Task] = {}
        self._turns = asyncio.Semaphore(LEAST_IN_FLIGHT)
        self._wanted = 0
        """The service is killed after so many more signatures."""
        self._killed = False
        self._victim = VICTIMS[0]

    async def run(self) -> Report:
        self._server.start()
        await self._plan()
        while len(self._queue) >= LEAST_IN_FLIGHT and self.report.kills.total() < self._most_kills:
            if not await self._wave(lethal=True):
                break
            self._look()
            await self._recover()
            self._verify_audit()
        await self._wave(lethal=False)
        await self._end()
        return self.report

    async def _plan(self) -> None:
        async with Faces(self._server) as faces:
            wallets = []
            for n in range(_WALLETS):
                task = Task(f"wallet-{n}", n % 2, "wallets.create", {"networks": ["ethereum"]})
                task.answer = await faces.send(task)
                self._tasks.append(task)
                wallets.append(task.answer.result["id"])
        nonces = Counter[str]()
        for n in range(self.report.operations):
            face, wallet = n % 2, self._random.choice(wallets)
            if self._random.random() < 0.4:
                self._add(Task(f"create-{n}", face, "wallets.create", {"label": f"{n}", "networks": ["ethereum"]}))
                continue
            rival = nonces[wallet] > 0 and self._random.random() < _RIVALS
            if not rival:
                nonces[wallet] += 1
            self._add(Task(f"sign-{n}", face, "transactions.sign", transfer(wallet, nonces[wallet], n), rival))

    def _add(self, task: Task) -> None:
        self._tasks.append(task)
        self._queue.append(task)

    async def _wave(self, *, lethal: bool) -> bool:
        """Send what is queued. True if the service was killed meanwhile."""
        self._killed = False
        sample = self._random.sample(done, min(_SAMPLE, len(done))) if (done := self._done()) else []
        async with Faces(self._server) as faces:
            workers = [asyncio.create_task(self._work(faces)) for _ in range(IN_FLIGHT)]
            timer = self._aim() if lethal else None
            await asyncio.gather(*workers)
            if timer is not None:
                timer.cancel()
            if not self._killed:
                await self._replay(faces, sample)
        return self._killed

    def _aim(self) -> asyncio.TimerHandle | None:
        """At a random time, or once so many are signed. Then others are committed and without a response."""
        if self._random.randrange(4) == 0:
            return asyncio.get_running_loop().call_later(self._random.uniform(0.02, 0.3), self._kill)
        self._wanted = self._random.randint(1, IN_FLIGHT // 2)
        return None

    def _kill(self) -> None:
        in_flight = len(self._under_way)
        if in_flight < LEAST_IN_FLIGHT:
            return
        self._victim = self._random.choice(self._victims)
        if self._victim == "worker":
            os.kill(self._random.choice(self._server.workers()), signal.SIGKILL)
        elif self._victim == "main process":
            self._server.kill_main_process()
        else:
            self._server.kill()
        self._killed = True
        self.report.kills[self._victim] += 1
        self.report.fewest_in_flight = min(self.report.fewest_in_flight, in_flight)

    async def _recover(self) -> None:
        if self._victim == "worker":
            await asyncio.sleep(_CALM)
        else:
            self._server.start()

    async def _work(self, faces: Faces) -> None:
        while self._queue and not self._killed:
            task = self._queue.popleft()
            self._under_way[task.key] = task
            try:
                outcome = await faces.send(task)
            except _NO_ANSWER:
                if not self._killed:
                    self.report.violations.append(f"{task.key} got no answer from a living service")
                continue
            del self._under_way[task.key]
            if not self._take(task, outcome):
                self._queue.append(task)
                await asyncio.sleep(0.1)

    def _take(self, task: Task, outcome: Outcome) -> bool:
        """False if it must be retried."""
        if outcome.retries:
            return False
        if outcome.code == "ok" or (task.operation == "transactions.sign" and outcome.code == "already_signed"):
            task.answer = outcome
            if task.operation == "transactions.sign":  # many of which are committed at once
                self._wanted -= 1
                if self._wanted == 0:
                    self._kill()
        else:
            self.report.violations.append(f"{task.key} was answered {outcome.code}")
        return True

    def _done(self) -> list[Task]:
        return [task for task in self._tasks if task.answer is not None and task.answer.code == "ok"]

    def _look(self) -> None:
        """Look at what the dead service left. Requests without a response will be retried."""
        found = self._look_at()
        for task in self._under_way.values():
            row = found.operations.get(task.key)
            state = "no T1" if row is None else {"pending": "T1 only", "done": "T2 unanswered"}.get(row.state)
            if state is not None and (row is None or row != task.before):
                self.report.states[state] += 1
            task.before = row
        self._queue.extendleft(self._under_way.values())
        self._under_way.clear()
        self._judge(found)

    def _judge(self, found: Remains) -> None:
        done = self._done()
        results = [{t.key: t.answer.result for t in done if t.answer and t.operation == name} for name in _OPERATIONS]
        self.report.violations += found.violations(*results)

    def _verify_audit(self) -> None:
        heads = self._server.data_dir / "audit-heads.jsonl"
        found = self._server.command("audit", "verify", "--heads", str(heads))
        if found.returncode:
            self.report.violations.append(f"audit verify: {found.stdout} {found.stderr}")

    async def _replay(self, faces: Faces, tasks: Iterable[Task]) -> None:
        await asyncio.gather(*(self._replay_one(faces, task) for task in tasks))

    async def _replay_one(self, faces: Faces, task: Task) -> None:
        """The same key gives the same bytes, and the same result over the other protocol."""
        assert task.answer is not None
        async with self._turns:
            again = await faces.send(task)
            other = await faces.call(1 - task.face, task.operation, task.command, task.key)
        if again.raw != task.answer.raw or _shared(other) != _shared(task.answer):
            self.report.violations.append(f"{task.key} was answered otherwise when it was asked again")
        self.report.replayed += 2

    async def _end(self) -> None:
        """Without further kills, every request gets a response, everything verifies, and every wallet signs."""
        done = self._done()
        self.report.answered = len(done)
        self.report.refused = sum(task.answer is not None and task.answer.code != "ok" for task in self._tasks)
        self.report.violations += [f"{task.key} was never answered" for task in self._tasks if task.answer is None]
        async with Faces(self._server) as faces:
            await self._replay(faces, done)
            created = [task for task in done if task.operation == "wallets.create"]
            await asyncio.gather(*(self._sign_with(faces, task) for task in created))
        self._verify_audit()
        if self._server.stop() != 0:
            self.report.violations.append("the service did not stop as it should")
        found = self._look_at()
        self._judge(found)
        self.report.taken_over = sum(row.epoch > 1 for row in found.operations.values())
        self.report.signatures = sum(map(len, found.signatures.values()))
        log = self._server.log.read_text(errors="replace")
        self.report.violations += [f"the log says {word}" for word in _OUTCRIES if word in log]

    async def _sign_with(self, faces: Faces, task: Task) -> None:
        assert task.answer is not None
        wallet = task.answer.result
        command = {"network": "ethereum", "format": "eip191", "message": task.key, "encoding": "text"}
        async with self._turns:
            signed = await faces.call(task.face, "messages.sign", {"wallet_id": wallet["id"], **command})
        address = wallet["addresses"][0]["address"]
        if signed.code != "ok" or address != Account.recover_message(
            encode_defunct(text=task.key), signature=signed.result["signature"]
        ):
            self.report.violations.append(f"the wallet of {task.key} does not sign: {signed.code}")
        self.report.wallets += 1


_OPERATIONS = ("wallets.create", "transactions.sign")


def _shared(outcome: Outcome) -> str:
    """What REST and gRPC both return, with times in one of the two notations of UTC."""
    return json.dumps(outcome.result, sort_keys=True).replace("+00:00", "Z")


def transfer(wallet: str, nonce: int, value: int) -> dict[str, Any]:
    return {
        "wallet_id": wallet,
        "network": "ethereum",
        "unsigned_tx": {
            "type": "0x2", "chainId": "0x1", "nonce": hex(nonce), "gas": "0x5208", "value": hex(value),
            "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x3b9aca00",
            "to": "0x3535353535353535353535353535353535353535",
        },
    }  # fmt: skip


def run(data_dir: Path, operations: int, seed: int, most_kills: int = 1000, *, on_postgres: bool = False) -> Report:
    with ExitStack() as stack:
        if on_postgres:
            parts = stack.enter_context(production())
            server = Server(data_dir, {**SETTINGS, **parts, "WORKERS__COUNT": "2"})
            server.command("migrate").check_returncode()
            look = partial(remains.of_postgres, parts["DATABASE__URL"])
        else:
            server = Server(data_dir, SETTINGS)
            look = partial(remains.of_sqlite, data_dir)
        stack.callback(server.__exit__)
        return asyncio.run(Campaign(server, look, operations, seed, most_kills).run())


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--operations", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--on-postgres", action="store_true", help="and OpenBao, with two workers")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-kills-") as folder:
        report = run(Path(folder), given.operations, given.seed, on_postgres=given.on_postgres)
    return ended(f"seed {given.seed}: {report}", report.failures(LEAST_OF_EACH))


if __name__ == "__main__":
    sys.exit(main())
