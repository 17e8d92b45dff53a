"""Ten minutes without any dependency: an orchestrator has no reason to restart the service, which then recovers.

Half of the time PostgreSQL, OpenBao and Redis refuse connections, and half of the time they accept them in silence,
while callers and probes go on. Run it as

    python -m tests.campaign.dead --seconds 600
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.parity.story import transfer
from tests.support import openbao, postgres, redis, stack
from tests.support.proxy import Proxy, proxy_to
from tests.support.server import Server

_PROBE_EVERY = 0.1
_LIVE_WITHIN = 1.0
_RETURN_WITHIN = 20.0


@dataclass
class Report:
    seconds: float
    probes: Counter[str] = field(default_factory=Counter)
    slowest_live: float = 0.0
    signs: Counter[int] = field(default_factory=Counter)
    restarted: bool = False
    ready_after: float = -1.0
    """Seconds after the return."""
    signs_after: int = 0

    @property
    def passed(self) -> bool:
        bad = [name for name in self.probes if name not in ("live 200", "ready 503", "startup 200")]
        return (
            not bad
            and self.slowest_live < _LIVE_WITHIN
            and self.signs.keys() <= {503}
            and not self.restarted
            and 0 <= self.ready_after < _RETURN_WITHIN
            and self.signs_after == 200
        )

    def __str__(self) -> str:
        return (
            f"{self.seconds:.0f} s without PostgreSQL, OpenBao and Redis: probes {dict(self.probes)}, slowest live "
            f"{self.slowest_live * 1000:.0f} ms, signatures asked for {dict(self.signs)}, "
            f"{'RESTARTED' if self.restarted else 'the same worker'}\n"
            f"ready {self.ready_after:.1f} s after their return, then a signature: {self.signs_after}\n"
            + ("passed" if self.passed else "FAILED")
        )


class Campaign:
    def __init__(self, server: Server, client: httpx.AsyncClient, proxies: list[Proxy], seconds: float) -> None:
        self.report = Report(seconds)
        self._server = server
        self._client = client
        self._proxies = proxies
        self._nonce = 0

    async def run(self) -> Report:
        made = await self._client.post("/wallets", json={"networks": ["ethereum"]})
        self._wallet = made.raise_for_status().json()["id"]
        before = self._server.workers()
        ports = [proxy.port for proxy in self._proxies]
        for proxy in self._proxies:
            proxy.port = 1
            proxy.reset()
        await self._until_not_ready()
        await self._go_on(self.report.seconds / 2)
        for proxy, port in zip(self._proxies, ports, strict=True):
            proxy.port, proxy.blackhole = port, True
        await self._go_on(self.report.seconds / 2)
        for proxy in self._proxies:
            proxy.blackhole = False
        self.report.ready_after = await self._until_ready()
        self.report.signs_after = await self._sign()
        self.report.restarted = self._server.workers() != before
        return self.report

    async def _until_not_ready(self) -> None:
        async with asyncio.timeout(_RETURN_WITHIN):
            while await self._status("ready") == 200:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(_PROBE_EVERY)

    async def _until_ready(self) -> float:
        began = time.monotonic()
        while time.monotonic() - began < _RETURN_WITHIN:
            if await self._status("ready") == 200:
                return time.monotonic() - began
            await asyncio.sleep(_PROBE_EVERY)
        return -1.0

    async def _go_on(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        signing = asyncio.create_task(self._keep_signing(ends))
        while time.monotonic() < ends:
            for name in ("live", "ready", "startup"):
                began = time.monotonic()
                self.report.probes[f"{name} {await self._status(name)}"] += 1
                if name == "live":
                    self.report.slowest_live = max(self.report.slowest_live, time.monotonic() - began)
            await asyncio.sleep(_PROBE_EVERY)
        await signing

    async def _keep_signing(self, ends: float) -> None:
        while time.monotonic() < ends:
            self.report.signs[await self._sign()] += 1
            await asyncio.sleep(_PROBE_EVERY)

    async def _status(self, name: str) -> int:
        return (await self._client.get(f"/health/{name}")).status_code

    async def _sign(self) -> int:
        self._nonce += 1
        body = {"network": "ethereum", "unsigned_tx": transfer(nonce=hex(self._nonce))}
        return (await self._client.post(f"/wallets/{self._wallet}/sign", json=body)).status_code


async def run(folder: Path, seconds: float) -> Report:
    with postgres.running() as database, openbao.running() as bao, redis.running() as cache:
        name = database.create_database(migrated=True)
        async with AsyncExitStack() as parts:
            proxies = [
                await parts.enter_async_context(proxy_to(port)) for port in (database.port, bao.port, cache.port)
            ]
            url = database.url(name, postgres.SERVICE).replace(f":{database.port}/", f":{proxies[0].local_port}/")
            settings = stack.settings(database, name, bao) | {
                "DATABASE__URL": url,
                "VAULT__URL": f"http://127.0.0.1:{proxies[1].local_port}",
                "REDIS__URL": f"redis://127.0.0.1:{proxies[2].local_port}/0",
                "HEALTH__INTERVAL": "1",
                "SIGNER__TTL": "0",
                "LOG__LEVEL": "error",
            }
            server = Server(folder, settings)
            await asyncio.to_thread(server.start)
            parts.push_async_callback(asyncio.to_thread, server.__exit__)
            client = await parts.enter_async_context(server.async_client())
            return await Campaign(server, client, proxies, seconds).run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-dead-") as folder:
        report = asyncio.run(run(Path(folder), given.seconds))
    print(report)
    sys.exit(not report.passed)


if __name__ == "__main__":
    main()
