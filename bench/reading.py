"""Balances of a wallet from the cache and from a node, over REST and gRPC, and the cost of a response to the node.

    python bench/reading.py --seconds 5

The node is anvil on this machine, with Multicall3 and the listed tokens, behind a proxy that counts requests. For
wallets of 1, 100 and 1,000 addresses it prints responses per second, as a ratio to the node's own in the same run; p50
and p99 in milliseconds; and per response the service's processor time, HTTP requests and JSON-RPC calls. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from strongroom.chains.registry import CHAINS
from strongroom.domain.asset import Asset
from strongroom.rpc.assets import registry
from tests.support import anvil, multicall3
from tests.support.anvil import Anvil
from tests.support.load import FACES, Measured, measure
from tests.support.proxy import Proxy
from tests.support.server import Server

SIZES = (1, 100, 1000)
SOURCE = '[[sources]]\nnetwork = "ethereum"\nname = "node"\nkind = "evm"\nurl = "http://127.0.0.1:{port}"\n'


TOKEN = (
    "6000 35 60e0 1c 63 313ce567 14 601e 57 6004 35 61ffff 16 6000 52 6020 6000 f3 "
    "5b 60 {decimals:02x} 6000 52 6020 6000 f3"
)
"""EVM bytecode that returns any balance, and the decimals in the registry."""


class Counting(Proxy):
    """Counts the HTTP requests and JSON-RPC calls that pass through."""

    requests = calls = 0

    async def _pass_on(self, data: bytes, to: asyncio.StreamWriter) -> None:
        self.requests += data.count(b"POST /")
        self.calls += data.count(b'"method"')
        await super()._pass_on(data, to)


async def main(connections: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, Anvil(chain_id=1) as node:
        multicall3.deploy(node)
        for token in listed():
            node.call("anvil_setCode", token.contract, "0x" + TOKEN.format(decimals=token.decimals).replace(" ", ""))
        proxy = Counting("127.0.0.1", node.port)
        listener = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
        config = _config(Path(folder), listener.sockets[0].getsockname()[1])
        unlimited = dict.fromkeys(("RATES__ADDRESS", "RATES__CHAIN", "RATES__FRESH"), "off")
        server = Server(Path(folder), {**unlimited, "CONFIG": str(config), "CACHE__BALANCE": "3600"})
        await asyncio.to_thread(server.start)
        try:
            for size in SIZES:
                wallet = await _wallet(server, size)
                for face in FACES:
                    await _compare(server, proxy, face, wallet, size, connections, seconds)
        finally:
            await asyncio.to_thread(server.stop)
            listener.close()
            await proxy.close()


def listed() -> list[Asset]:
    """The built-in tokens of Ethereum."""
    [ethereum] = [network for network in CHAINS["evm"].networks if network.name == "ethereum"]
    return list(registry([], [ethereum])[ethereum.caip2].values())


def _config(folder: Path, port: int) -> Path:
    config = folder / "strongroom.toml"
    config.write_text(SOURCE.format(port=port))
    return config


async def _wallet(server: Server, addresses: int) -> str:
    async with server.async_client() as client:
        wallet = str((await client.post("/wallets", json={"networks": ["ethereum"]})).json()["id"])
        for first in range(0, addresses, 50):
            places = range(first, min(first + 50, addresses))
            await asyncio.gather(*(_derive(client, wallet, index) for index in places))
    return wallet


async def _derive(client: httpx.AsyncClient, wallet: str, index: int) -> None:
    (await client.get(f"/wallets/{wallet}/address/ethereum?index={index}")).raise_for_status()


async def _compare(
    server: Server, proxy: Counting, face: str, wallet: str, size: int, connections: int, seconds: float
) -> None:
    for kind in ("fresh", "balance"):  # so that everything is cached when the cache is measured
        before = proxy.requests, proxy.calls
        found = await measure(server, face, kind, [wallet], connections, seconds)
        requests, calls = (
            (now - old) / found.answers for now, old in zip((proxy.requests, proxy.calls), before, strict=True)
        )
        if kind == "fresh":
            from_node = found.rate
        _print(face, kind, size, found, found.rate / from_node, requests, calls)


def _print(face: str, kind: str, size: int, found: Measured, ratio: float, requests: float, calls: float) -> None:
    where = "from the cache" if kind == "balance" else "from the node"
    print(
        f"{face} {size:4} addresses {where:14} {found.rate:6.0f}/s  {ratio:5.1f} x  p50 {found.p50:7.1f} ms  "
        f"p99 {found.p99:7.1f} ms  {found.cpu:7.0f} us CPU  {requests:5.2f} requests, {calls:5.2f} calls an answer"
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--seconds", type=float, default=5.0)
    given = options.parse_args()
    if anvil.program() is None:
        print("There is no anvil: `make bench` does without what it measures")
    else:
        asyncio.run(main(given.connections, given.seconds))
