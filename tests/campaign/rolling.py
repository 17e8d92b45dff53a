"""Two replicas are restarted in turn, while clients go on at a steady rate over REST and gRPC.

A client acts as a careful one does. It keeps its connections, calls a replica that reports ready, and retries only if
that is safe: the connection was refused, the response says when to retry, or the request can be repeated (a read, or
one with an idempotency key). Any further failure is a violation.

    python -m tests.campaign.rolling --restarts 50 --rate 100
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx

from tests.campaign.ending import ended
from tests.parity.story import transfer
from tests.support.replicas import replicas
from tests.support.server import Server
from tests.support.service import Face, GrpcFace, HttpFace

LINGER = 1.0
SETTINGS = {
    "TIMEOUTS__LINGER": str(LINGER),
    "LOG__LEVEL": "warning",
    **{f"RATES__{name}": "off" for name in ("READ", "CREATE", "SIGN", "ADMIN")},
}
_PATIENCE = 120.0
_WATCH = 0.1
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


@dataclass
class Report:
    restarts: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count}" for name, count in sorted(self.sent.items()))
        again = ", ".join(f"{why} {count}" for why, count in sorted(self.repeated.items())) or "none"
        return (
            f"{self.restarts} restarts, {self.sent.total()} requests in {self.seconds:.0f} s ({told})\n"
            f"asked again, as a client may: {again}; slowest {self.slowest:.1f} s\n"
            f"violations {len(self.violations)}"
        )


class Replica:
    """One server as clients see it: whether it takes part, and the connections to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.ready = True
        self.http = httpx.AsyncClient(base_url=server.url, timeout=_PATIENCE, trust_env=False)
        self.channel = grpc.aio.insecure_channel(server.target)
        self.faces: tuple[Face, Face] = (HttpFace(self.http), GrpcFace(self.channel))

    async def watch(self) -> None:
        """As a load balancer does."""
        async with httpx.AsyncClient(base_url=self.server.url, timeout=1, trust_env=False) as client:
            while True:
                try:
                    self.ready = (await client.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    self.ready = False
                await asyncio.sleep(_WATCH)

    async def until_ready(self) -> None:
        while not self.ready:  # noqa: ASYNC110 - found out by asking
            await asyncio.sleep(_WATCH)

    async def close(self) -> None:
        await self.http.aclose()
        await self.channel.close()


class Rolling:
    """Make it within a running event loop."""

    def __init__(self, servers: list[Server], rate: float) -> None:
        self.report = Report()
        self._replicas = [Replica(server) for server in servers]
        self._rate = rate
        self._numbers = itertools.count()
        self._turns = itertools.cycle(self._replicas)
        self._ended = False

    async def run(self, restarts: int) -> Report:
        watches = [asyncio.create_task(replica.watch()) for replica in self._replicas]
        self._wallet = (await self._replicas[0].faces[0].call("wallets.create", {}, key=self._key)).result["id"]
        began = time.monotonic()
        clients = asyncio.create_task(self._keep_asking())
        for replica in itertools.islice(itertools.cycle(self._replicas), restarts):
            await asyncio.to_thread(self._restart, replica.server)
            self.report.restarts += 1
            await replica.until_ready()
        self._ended = True
        await clients
        self.report.seconds = time.monotonic() - began
        for watch in watches:
            watch.cancel()
        for replica in self._replicas:
            await replica.close()
        return self.report

    @property
    def _key(self) -> str:
        return self._replicas[0].server.api_key

    def _restart(self, server: Server) -> None:
        if server.stop() != 0:
            self.report.violations.append("a replica did not stop as it should")
        server.start()

    async def _keep_asking(self) -> None:
        """At a steady rate, however long a response takes."""
        due = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not self._ended:
                group.create_task(self._ask(next(self._numbers)))
                due += 1 / self._rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _ask(self, n: int) -> None:
        operation, command, key = self._request(n)
        began = time.monotonic()
        face = n // 2 % 2
        self.report.sent[f"{operation} {'gRPC' if face else 'REST'}"] += 1
        while True:
            try:
                answer = await self._choose().faces[face].call(operation, command, key=self._key, idempotency_key=key)
            except _NOT_SENT:
                why = "refused"
            except (httpx.TransportError, grpc.aio.AioRpcError) as error:
                if key is None and operation == "transactions.sign":
                    self.report.violations.append(f"{operation} {face} may not be asked again: {error!r}")
                    return
                why = "cut off"
            else:
                if not answer.retries:
                    if answer.code != "ok":
                        self.report.violations.append(f"{operation} was answered {answer.code}")
                    break
                why = answer.code
            self.report.repeated[why] += 1
            if time.monotonic() - began > _PATIENCE:
                self.report.violations.append(f"{operation} got no answer for {_PATIENCE} s")
                return
            await asyncio.sleep(0.05)
        self.report.slowest = max(self.report.slowest, time.monotonic() - began)

    def _request(self, n: int) -> tuple[str, dict[str, Any], str | None]:
        if n % 4 == 0:
            return "wallets.get", {"wallet_id": self._wallet}, None
        if n % 4 == 1:
            return "wallets.create", {"words": 12}, f"create-{n}"
        command = {"wallet_id": self._wallet, "network": "ethereum", "unsigned_tx": transfer(nonce=hex(n))}
        return "transactions.sign", command, None

    def _choose(self) -> Replica:
        chosen = next(self._turns)
        return chosen if chosen.ready else next(self._turns)


def run(folder: Path, restarts: int, rate: float) -> Report:
    async def roll() -> Report:
        return await Rolling(servers, rate).run(restarts)

    with replicas(folder, **SETTINGS) as servers:
        return asyncio.run(roll())


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--restarts", type=int, default=50)
    arguments.add_argument("--rate", type=float, default=100.0)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-rolling-") as folder:
        report = run(Path(folder), given.restarts, given.rate)
    return ended(report, report.violations)


if __name__ == "__main__":
    sys.exit(main())
