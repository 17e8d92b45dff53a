"""Batches on PostgreSQL and OpenBao beside single requests, in alternating rounds of one run.

    python bench/batch.py --rounds 5

Measures signatures of each chain in batches of 1,000 (one at a time on each worker), wallets against bare PBKDF2 on all
cores, addresses of a stored account, calls to Vault, and the latency of single requests beside a batch. Linux only: it
looks up which worker has accepted a connection.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.load import UNLIMITED, cpu_seconds, measure, transaction
from tests.support.other_chains import transactions
from tests.support.server import Server
from tests.support.stack import production

_ITEMS = 1_000
_SIGN = "/transactions/sign-batch"
_AMOUNT = itertools.count(1_000)

Items = Callable[[], list[dict[str, Any]]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=5.0, help="of single requests, each round")
    options.add_argument("--connections", type=int, default=64)
    given = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        parts = stack.enter_context(production())
        settings = {**dict.fromkeys(UNLIMITED, "off"), **parts, "WORKERS__COUNT": "2", "TIMEOUTS__OPERATION": "300"}
        server = Server(folder, settings)
        server.command("migrate").check_returncode()
        with server, server.client() as client:
            found: dict[str, list[float]] = {}
            for _ in range(given.rounds):
                for name, value in _round(server, client, given):
                    found.setdefault(name, []).append(value)
                    print(f"{name:<44} {value:>10.2f}", file=sys.stderr, flush=True)
            for name, values in found.items():
                print(f"{name:<44} {median(values):>10.2f}   ({min(values):.2f} to {max(values):.2f})")


def _round(server: Server, client: httpx.Client, given: argparse.Namespace) -> Iterator[tuple[str, float]]:
    wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
    alone = asyncio.run(measure(server, "rest", "sign", [wallet], given.connections, given.seconds))
    yield "single signatures a second", alone.rate
    yield "  ms of worker CPU each", alone.cpu / 1000
    for name, items in _chains(client, wallet).items():
        rate, cpu = _on_each_worker(server, _SIGN, lambda items=items: {"items": items()})  # type: ignore[misc]
        yield f"{name}: batch signatures a second", rate
        yield "  times the single ones" if name == "ethereum" else f"  {name}: times the single ones", rate / alone.rate
        yield f"  {name}: ms of worker CPU each", cpu * 1000
    bare = _bare_pbkdf2()
    began, calls = time.perf_counter(), _vault_calls(server, client)
    _require_ok(_post(server, "/wallets/batch", {"count": _ITEMS}))
    rate = _ITEMS / (time.perf_counter() - began)
    yield "wallets a second", rate
    yield "  of bare PBKDF2, %", 100 * rate / bare
    yield "  wallets: calls of Vault", _vault_calls(server, client) - calls
    client.post(f"/wallets/{wallet}/addresses", json={"network": "ethereum"})
    calls = _vault_calls(server, client)
    body = {"network": "ethereum", "count": _ITEMS}
    rate, cpu = _on_each_worker(server, f"/wallets/{wallet}/addresses/batch", lambda: body)
    yield "addresses a second", rate
    yield "  addresses: ms of worker CPU each", cpu * 1000
    yield "  addresses: calls of Vault", _vault_calls(server, client) - calls
    few = asyncio.run(measure(server, "rest", "sign", [wallet], 8, given.seconds))
    beside = asyncio.run(_beside(server, wallet, given.seconds))
    yield "p99 of single ones at 8 connections, ms", few.p99
    yield "  beside a batch, times", beside / few.p99


def _chains(client: httpx.Client, wallet: str) -> dict[str, Items]:
    found: dict[str, Items] = {
        "ethereum": lambda: [_item(wallet, "ethereum", transaction()) for _ in range(_ITEMS)],
    }
    for network in ("tron", "solana", "ton"):
        found[network] = lambda network=network: _others(client, wallet, network)  # type: ignore[misc]
    return found


def _others(client: httpx.Client, wallet: str, network: str) -> list[dict[str, Any]]:
    first = {
        each: client.get(f"/wallets/{wallet}/address/{each}").raise_for_status().json()["address"]
        for each in ("bitcoin", "tron", "solana", "ton")
    }
    unsigned = next(each for name, each in transactions(first, int(time.time())) if name == network)
    return [_item(wallet, network, _varied(network, unsigned, next(_AMOUNT))) for _ in range(_ITEMS)]


def _varied(network: str, unsigned: dict[str, Any], number: int) -> dict[str, Any]:
    if network == "tron":
        return unsigned | {"contract": unsigned["contract"] | {"amount": number}}
    if network == "solana":
        return unsigned | {"transfers": [unsigned["transfers"][0] | {"amount": str(number)}]}
    return unsigned | {"seqno": number}


def _item(wallet: str, network: str, unsigned: dict[str, Any]) -> dict[str, Any]:
    return {"wallet_id": wallet, "network": network, "unsigned_tx": unsigned}


def _on_each_worker(server: Server, path: str, body: Callable[[], dict[str, Any]]) -> tuple[float, float]:
    """Items per second, and seconds of worker CPU per item, of one batch on each worker at a time."""
    workers = len(server.workers())
    bodies = [body() for _ in range(workers)]
    with ExitStack() as stack:
        clients = _one_on_each_worker(server, stack)
        cpu, began = cpu_seconds(server), time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(lambda client, body: client.post(path, json=body), clients, bodies))
        took = time.perf_counter() - began
        for answer in answers:
            _require_ok(answer)
        done = workers * _ITEMS
        return done / took, (cpu_seconds(server) - cpu) / done


def _one_on_each_worker(server: Server, stack: ExitStack) -> list[httpx.Client]:
    """A client with an open connection to each worker. The kernel chooses, so it connects until each worker has one."""
    found: dict[int, httpx.Client] = {}
    while len(found) < len(server.workers()):
        client = stack.enter_context(server.client(timeout=300.0))
        stream = client.get(f"{server.url}/health/live").extensions["network_stream"]
        found.setdefault(_accepted_by(server, stream.get_extra_info("client_addr")[1]), client)
    return list(found.values())


def _accepted_by(server: Server, port: int) -> int:
    """The worker whose connection comes from the port, according to the kernel."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [inode] = [
        row[9] for row in rows if row[2].endswith(f":{port:04X}") and row[1].endswith(f":{server.http_port:04X}")
    ]
    for pid in server.workers():
        if any(_target(each) == f"socket:[{inode}]" for each in Path(f"/proc/{pid}/fd").iterdir()):
            return pid
    raise LookupError(port)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""


def sign_many(server: Server, wallet: str, count: int) -> None:
    """Sign one batch of Ethereum transactions."""
    items = [_item(wallet, "ethereum", transaction()) for _ in range(count)]
    _require_ok(_post(server, _SIGN, {"items": items}))


def _post(server: Server, path: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"X-API-Key": server.api_key}
    return httpx.post(f"{server.url}/api/v1{path}", json=body, headers=headers, timeout=300.0, trust_env=False)


def _require_ok(answer: httpx.Response) -> None:
    bad = [each for each in answer.raise_for_status().json()["results"] if each["status"] != "ok"]
    assert not bad, bad[0]


def _bare_pbkdf2() -> float:
    """Seeds per second on all cores."""
    cores = len(os.sched_getaffinity(0))

    def make(count: int) -> None:
        for number in range(count):
            hashlib.pbkdf2_hmac("sha512", number.to_bytes(32, "big"), b"mnemonic", 2048, 64)

    began = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(make, [200] * cores))
    return 200 * cores / (time.perf_counter() - began)


def _vault_calls(server: Server, client: httpx.Client) -> float:
    text = client.get(f"{server.url}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("strongroom_keywrap_calls_total")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'call="check"' not in line)


async def _beside(server: Server, wallet: str, seconds: float) -> float:
    """p99 of single requests in milliseconds, while one batch follows another."""
    over = asyncio.Event()

    async def batches() -> None:
        while not over.is_set():
            await asyncio.to_thread(sign_many, server, wallet, _ITEMS)

    running = asyncio.create_task(batches())
    found = await measure(server, "rest", "sign", [wallet], 8, seconds)
    over.set()
    await running
    return found.p99


if __name__ == "__main__":
    main()
