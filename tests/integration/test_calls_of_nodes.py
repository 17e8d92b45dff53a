"""What two replicas ask their configured nodes, counted in front of the nodes: nothing that nobody needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support import multicall3
from tests.support.anvil import Anvil
from tests.support.liar import Liar, lying_http, lying_lines
from tests.support.redis import RedisServer
from tests.support.replicas import replicas
from tests.support.server import Server

pytestmark = pytest.mark.needs("postgresql", "openbao", "redis", "anvil")

READS, AT_ONCE = 1000, 8
OTHERS = {
    "etherscan": "ethereum", "otterscan": "ethereum", "evm-logs": "ethereum", "bitcoin-core": "bitcoin-regtest",
    "esplora": "bitcoin-regtest", "tron": "tron-nile", "trongrid": "tron-nile", "solana": "solana",
    "toncenter-v3": "ton", "toncenter-v2": "ton",
}  # fmt: skip
"""From network to kind of source, beside the Ethereum node and Electrum's lines. Nobody asks these anything."""


@dataclass
class Deployment:
    servers: list[Server]
    counters: list[Liar]
    """In front of each source."""

    @property
    def calls(self) -> int:
        return sum(len(counter.requests) for counter in self.counters)


def source(kind: str, network: str, url: str) -> str:
    return f'[[sources]]\nname = "{kind}"\nkind = "{kind}"\nnetwork = "{network}"\nurl = "{url}"\n'


async def unasked(method: str, path: str, body: bytes) -> tuple[int, bytes]:
    return 404, b"{}"


async def unasked_line(line: bytes) -> bytes:
    return b"{}\n"


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    with Anvil(chain_id=1) as found:
        multicall3.deploy(found)
        yield found


@pytest.fixture
async def deployment(anvil: Anvil, redis: RedisServer, tmp_path: Path) -> AsyncIterator[Deployment]:
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(lying_http(f"http://127.0.0.1:{anvil.port}"))
        others = await stack.enter_async_context(lying_http(unasked))
        lines = await stack.enter_async_context(lying_lines(unasked_line))
        config = tmp_path / "strongroom.toml"
        configured = [source("evm", "ethereum", node.url)]
        configured += [source(kind, network, others.url) for kind, network in OTHERS.items()]
        configured.append(source("electrum", "bitcoin-regtest", f"tcp://127.0.0.1:{lines.port}"))
        config.write_text("\n".join(configured))
        settings = {
            "CONFIG": str(config), "REDIS__URL": redis.url, "REDIS__TIMEOUT": "1", "CACHE__BALANCE": "3600",
            "RATES__CHAIN": "off", "RATES__READ": "off", "HEALTH__INTERVAL": "1",
        }  # fmt: skip
        made = replicas(tmp_path, **settings)
        servers = await asyncio.to_thread(made.__enter__)
        try:
            yield Deployment(servers, [node, others, lines])
        finally:
            await asyncio.to_thread(made.__exit__, None, None, None)


async def test_idle_replicas_ask_nothing_and_a_thousand_reads_of_a_balance_ask_once(
    deployment: Deployment, redis: RedisServer
) -> None:
    first, second = deployment.servers
    async with first.async_client() as one, second.async_client() as other:
        for _ in range(3):
            for server in deployment.servers:
                for path in ("/health/live", "/health/ready", "/metrics"):
                    assert (await one.get(server.url + path)).status_code == 200
            health = (await one.get("/health")).json()
            assert set(health["components"]["nodes"].values()) >= {"unused"}, health
            await asyncio.sleep(1.5)  # the health monitor makes its rounds
        assert deployment.calls == 0

        wallet = (await one.post("/wallets", json={"networks": ["ethereum"]})).json()["id"]
        path = f"/wallets/{wallet}/balances/ethereum"
        assert deployment.calls == 0

        async def read(client: httpx.AsyncClient, times: int) -> set[bytes]:
            found = [await client.get(path, params={"tokens": "none"}) for _ in range(times)]
            assert {each.status_code for each in found} == {200}, found[0].text
            return {each.content for each in found}

        burst = await asyncio.gather(*(read(one, 1) for _ in range(AT_ONCE)))
        [told] = set.union(*burst)
        node, *rest = deployment.counters
        asked = [body for body in node.requests if b'"eth_call"' in body or b'"eth_getBalance"' in body]
        assert len(asked) == 1, node.requests
        calls = deployment.calls
        async with asyncio.timeout(120):
            while not redis.places("balance"):  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.01)
        left = READS - AT_ONCE
        rest_of_reads = await asyncio.gather(
            *(read(client, left // AT_ONCE) for client in (one, other) for _ in range(AT_ONCE // 2))
        )
        assert set.union(*rest_of_reads) == {told}
        assert deployment.calls == calls
        assert [counter.requests for counter in rest] == [[], []]
