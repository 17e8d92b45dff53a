"""A worker that cannot start yet stays alive, says why, and serves when what it waits for is back.

Each component is missing in three ways, at a first start and while a worker is replaced.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support import openbao, postgres, redis
from tests.support.proxy import Proxy
from tests.support.server import Server, free_port

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.needs("openbao"), pytest.mark.needs("redis")]

PATIENCE = 120.0


class Gate:
    """A port that leads to a component, or refuses, or sends nothing, or takes too long."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._proxy = Proxy("127.0.0.1", target)
        self._server: asyncio.Server | None = None

    async def set(self, how: str) -> None:
        self._proxy.blackhole = how == "silent"
        self._proxy.latency = 10.0 if how == "slow" else 0.0
        self._proxy.reset()
        if how == "refused":
            await self.close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._proxy.accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._proxy.reset()

    async def end(self) -> None:
        await self.close()
        await self._proxy.close()


@pytest.fixture(scope="module")
def components() -> Iterator[tuple[postgres.Postgres, openbao.OpenBao, redis.RedisServer]]:
    with postgres.running() as database, openbao.running() as vault, redis.running() as cache:
        vault.prepare()
        yield database, vault, cache


@asynccontextmanager
async def gated(
    tmp_path: Path, components: tuple[postgres.Postgres, openbao.OpenBao, redis.RedisServer]
) -> AsyncIterator[tuple[Server, dict[str, Gate]]]:
    database, vault, cache = components
    name = await asyncio.to_thread(database.create_database, migrated=True)
    vault_port = urlsplit(vault.url).port
    assert vault_port is not None
    gates = {"database": Gate(database.port), "keywrap": Gate(vault_port), "redis": Gate(cache.port)}
    role_id, secret_id = vault.approle()
    settings = {
        "PROFILE": "production",
        "DATABASE__URL": f"postgresql://{postgres.SERVICE}@127.0.0.1:{gates['database'].port}/{name}",
        "KEYWRAP__KIND": "vault",
        "VAULT__URL": f"http://127.0.0.1:{gates['keywrap'].port}",
        "VAULT__ROLE_ID": role_id,
        "VAULT__SECRET_ID": secret_id,
        "REDIS__URL": f"redis://127.0.0.1:{gates['redis'].port}/0",
        "REDIS__BREAKER_INTERVAL": "0.5",
        "VAULT__BREAKER_INTERVAL": "0.5",
        "HEALTH__INTERVAL": "0.5",
    }
    server = Server(tmp_path, settings)
    for gate in gates.values():
        await gate.set("open")
    try:
        yield server, gates
    finally:
        await asyncio.to_thread(server.__exit__)
        for gate in gates.values():
            await gate.end()


async def status(server: Server, path: str) -> httpx.Response | None:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        try:
            return await client.get(server.url + path)
        except httpx.TransportError:
            return None


async def until(server: Server, path: str, wanted: int) -> httpx.Response:
    async with asyncio.timeout(PATIENCE):
        while (found := await status(server, path)) is None or found.status_code != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def seconds_until_ready(server: Server) -> float:
    began = asyncio.get_running_loop().time()
    await until(server, "/health/ready", 200)
    return asyncio.get_running_loop().time() - began


async def lives_and_says_why(server: Server, component: str) -> None:
    await until(server, "/health/live", 200)
    await until(server, "/health/ready", 503)
    shown = "vault" if component == "keywrap" else component
    async with asyncio.timeout(PATIENCE):
        while True:
            report = (await until(server, "/health", 503)).json()
            found = report["components"].get(component) or report["components"].get(shown)
            if found is not None and found["status"] != "ok":
                break
            await asyncio.sleep(0.05)
    for _ in range(20):
        live = await status(server, "/health/live")
        assert live is not None
        assert live.status_code == 200
    if component != "redis":  # a worker starts without it, and is not ready
        assert (await until(server, "/health/startup", 503)).status_code == 503
        refused = await status(server, "/api/v1/wallets")
        assert refused is not None
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize("how", ["refused", "silent", "slow"])
@pytest.mark.parametrize("component", ["database", "keywrap", "redis"])
async def test_a_worker_waits_for_what_is_away(
    component: str,
    how: str,
    tmp_path: Path,
    components: tuple[postgres.Postgres, openbao.OpenBao, redis.RedisServer],
) -> None:
    async with gated(tmp_path, components) as (server, gates):
        await gates[component].set(how)
        server.spawn()
        await lives_and_says_why(server, component)
        await gates[component].set("open")
        first = await seconds_until_ready(server)

        await gates[component].set(how)
        [worker] = server.workers()
        os.kill(worker, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while server.workers() in ([worker], []):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await lives_and_says_why(server, component)
        await gates[component].set("open")
        replaced = await seconds_until_ready(server)
        print(f"{component} {how}: ready {first:.1f} s and {replaced:.1f} s after its return")

        answer = await status(server, "/api/v1/wallets")
        assert answer is not None
        assert answer.status_code == 401
        assert await asyncio.to_thread(server.stop) == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    told = [line for line in lines if line["event"] == "worker.cannot_start"]
    if component != "redis":
        assert component in {line["component"] for line in told}  # others may be late too on a busy machine
        again = [line for before, line in itertools.pairwise(told) if line["reason"] == before["reason"]]
        assert len(again) <= 1  # once for each change of the reason, and by the worker that took its place
        assert all(line["reason"] for line in told)
