"""Redis is killed, flushed, stalled and made read-only under a service that serves addresses.

Hardly anything stays in the service's own memory, so Redis is asked for nearly every address. In no case does a caller
see an error, get a wrong address, or wait long. Run it as

    python -m tests.campaign.redis_faults --operations 10000
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.campaign.ending import ended
from tests.support import redis
from tests.support.redis import RedisServer
from tests.support.server import Server

CLIENTS = 8
WORSE_BY = 0.06
"""Seconds by which the 99th percentile may be longer than without faults."""
SETTINGS = {
    "RATES__ADDRESS": "off",
    "CACHE__MEMORY": "1024",
    "HEALTH__REQUIRED": "database",
    "HEALTH__INTERVAL": "1",
    "LOG__LEVEL": "warning",
}


@dataclass
class Phase:
    name: str
    latencies: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def at(self, share: float) -> float:
        return sorted(self.latencies)[int(len(self.latencies) * share)]

    def __str__(self) -> str:
        return (
            f"  {self.name:<12}{len(self.latencies):>8}{len(self.wrong):>7}"
            f"{self.at(0.5) * 1000:>8.1f}{self.at(0.99) * 1000:>8.1f}{self.at(1 - 1e-9) * 1000:>9.1f} ms"
        )


@dataclass
class Report:
    phases: list[Phase] = field(default_factory=list)
    lookups: dict[str, float] = field(default_factory=dict)

    def failures(self, *, worse_by: float = WORSE_BY) -> list[str]:
        found = [each for phase in self.phases for each in phase.wrong]
        usual = self.phases[0].at(0.99)
        for phase in self.phases[1:]:
            worse = phase.at(0.99) - usual
            if worse > worse_by:
                found.append(f"{phase.name}: the slowest hundredth took {worse * 1000:.0f} ms longer")
        missing = [result for result in ("hit", "miss", "error", "skipped") if not self.lookups.get(result)]
        return [*found, *(f"no lookup was a {result}: these were no faults" for result in missing)]

    def __str__(self) -> str:
        counted = ", ".join(f"{name} {value:.0f}" for name, value in sorted(self.lookups.items()))
        head = f"  {'Redis':<12}{'asked':>8}{'wrong':>7}{'p50':>8}{'p99':>8}{'slowest':>9}"
        return "\n".join([head, *map(str, self.phases), f"lookups in Redis: {counted}"])


class Campaign:
    def __init__(self, service: Server, client: httpx.AsyncClient, server: RedisServer) -> None:
        self.report = Report()
        self._service = service
        self._client = client
        self._redis = server
        self._true: dict[str, str] = {}

    async def prepare(self) -> None:
        wallet = (await self._client.post("/wallets", json={"networks": ["ethereum"]})).json()["id"]
        for scheme, index in itertools.product(("bip44", "ledger-live"), range(60)):
            path = f"/wallets/{wallet}/address/ethereum?scheme={scheme}&index={index}"
            self._true[path] = (await self._client.get(path)).json()["address"]
        for path in self._true:
            await self._client.get(path)

    async def phase(self, name: str, operations: int, happens: Callable[[], Awaitable[None]]) -> None:
        """It is over when all requests are made and the fault has ended."""
        phase = Phase(name)
        self.report.phases.append(phase)
        fault = asyncio.ensure_future(happens())
        paths = itertools.cycle(self._true)

        async def ask() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._service.http_port)
            while len(phase.latencies) < operations or not fault.done():
                await self._ask(reader, writer, next(paths), phase)
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*(ask() for _ in range(CLIENTS)), fault)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, phase: Phase) -> None:
        """By hand, because a client library's own queue would be measured too."""
        began = time.perf_counter()
        writer.write(
            f"GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {self._service.api_key}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        phase.latencies.append(time.perf_counter() - began)
        if not head.startswith(b"http/1.1 200") or json.loads(body)["address"] != self._true[path]:
            phase.wrong.append(f"{phase.name}: {head[:12]!r} {body[:200]!r}")

    async def nothing(self) -> None: ...

    async def kill(self) -> None:
        self._redis.kill()
        await asyncio.sleep(3)
        await asyncio.to_thread(self._redis.start)

    async def flush(self) -> None:
        for _ in range(10):
            await asyncio.to_thread(self._redis.ask.flushall)
            await asyncio.sleep(0.2)

    async def stall(self) -> None:
        self._redis.freeze()
        await asyncio.sleep(5)
        self._redis.thaw()

    async def read_only(self) -> None:
        await asyncio.to_thread(self._redis.ask.flushall)
        await asyncio.to_thread(self._redis.read_only)
        await asyncio.sleep(2)
        await asyncio.to_thread(self._redis.reset)

    async def count(self) -> None:
        text = (await self._client.get(f"{str(self._client.base_url).removesuffix('/api/v1/')}/metrics")).text
        for line in text.splitlines():
            if line.startswith('strongroom_cache_lookups_total{kind="address"') and 'tier="redis"' in line:
                result = line.split('result="')[1].split('"')[0]
                self.report.lookups[result] = float(line.rsplit(" ", 1)[1])


@asynccontextmanager
async def _campaign(folder: Path) -> AsyncIterator[Campaign]:
    with redis.running() as server:
        settings: dict[str, Any] = {**SETTINGS, "REDIS__URL": server.url, "REDIS__BREAKER_INTERVAL": "1"}
        service = await asyncio.to_thread(Server(folder, settings).start)
        try:
            async with service.async_client() as client:
                campaign = Campaign(service, client, server)
                await campaign.prepare()
                yield campaign
                await campaign.count()
        finally:
            await asyncio.to_thread(service.__exit__)


async def _run(folder: Path, operations: int) -> Report:
    async with _campaign(folder) as campaign:
        each = operations // 5
        await campaign.phase("well", each, campaign.nothing)
        await campaign.phase("killed", each, campaign.kill)
        await campaign.phase("flushed", each, campaign.flush)
        await campaign.phase("stalled", each, campaign.stall)
        await campaign.phase("read-only", each, campaign.read_only)
    return campaign.report


def run(folder: Path, operations: int) -> Report:
    return asyncio.run(_run(folder, operations))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--operations", type=int, default=10_000)
    with tempfile.TemporaryDirectory(prefix="strongroom-redis-faults-") as folder:
        report = run(Path(folder), arguments.parse_args().operations)
    return ended(report, report.failures())


if __name__ == "__main__":
    sys.exit(main())
