"""The worst that callers can send, for minutes, and its effect on others: `python -m tests.campaign.bounded`.

The worker's event loop is watched from inside, /health/live is polled from outside, and memory is measured. Inputs are
those of `bench/parsers.py` and of the fuzzers, over REST and gRPC.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx

from strongroom.operations.registry import OPERATIONS
from tests.fuzz.mutation import mutated
from tests.fuzz.seeds import SETTINGS, Seeds
from tests.support.grpc_calls import unary
from tests.support.server import ROOT, Server

MIB = 1 << 20
SENDERS = 4
BLOCK_MS = 100.0
LIVE_P99_MS = 50.0
MEMORY_MIB = 64.0


def bench() -> Any:
    spec = importlib.util.spec_from_file_location("parsers", ROOT / "bench" / "parsers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Result:
    sent: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    live: list[float] = field(default_factory=list)
    """Milliseconds."""
    wall: float = 0.0
    cpu: float = 0.0
    """Milliseconds of the longest block of the event loop."""
    grown: float = 0.0
    """MiB."""

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.live, n=100)[98] if len(self.live) > 1 else 0.0

    def failures(self) -> list[str]:
        found = [f"{code}: {count}" for code, count in self.codes.items() if code.startswith(("5", "gone"))]
        if self.cpu > BLOCK_MS:
            found.append(f"the event loop was held for {self.cpu:.0f} ms")
        if self.p99 > LIVE_P99_MS:
            found.append(f"/health/live took {self.p99:.0f} ms (p99)")
        if self.grown > MEMORY_MIB:
            found.append(f"memory grew by {self.grown:.0f} MiB")
        return found

    def __str__(self) -> str:
        return (
            f"{self.sent} requests {dict(self.codes.most_common())}; longest block {self.cpu:.0f} ms of the processor, "
            f"{self.wall:.0f} ms by the clock; live p50 {statistics.median(self.live):.1f} ms, p99 {self.p99:.1f} ms; "
            f"memory {self.grown:+.1f} MiB"
        )


class Attack:
    """Bodies by path, made once, because making them costs more than sending them."""

    def __init__(self, seeds: Seeds, rng: random.Random) -> None:
        parsers = bench()
        self._seeds = seeds
        self._rng = rng
        self.bodies: list[tuple[str, bytes]] = []
        raws = [
            b"{" * 33 + b'"' + b'\\"' * (MIB // 2 - 20),
            b"[" + b"{}," * 24_990 + b"{}]",
            b"[" * MIB,
            b'{"a":[' + b",".join([b"9" * 100] * 10_000) + b"]}",
            json.dumps({f"{n:012}": n for n in range(24_000)}).encode(),
        ]
        self.bodies += [("/networks/ethereum/decode", raw) for raw in raws]
        for inputs, outputs in ((2_500, 8_000), (4_000, 1), (1, 16_000)):
            self._document("/networks/bitcoin/decode", unsigned_tx=parsers.psbt(inputs, outputs))
        tx = {"type": "0x2", "chainId": "0x1", "nonce": "0x0", "gas": "0x5208", "maxFeePerGas": "0x77359400",
              "maxPriorityFeePerGas": "0x1", "to": "0x" + "35" * 20, "value": "0x0"}  # fmt: skip
        keys = [{"address": tx["to"], "storageKeys": ["0x" + "00" * 32] * 10_000}]
        self._document("/networks/ethereum/decode", unsigned_tx={**tx, "accessList": keys})
        self._document("/networks/ethereum/decode", unsigned_tx={**tx, "data": "0x" + "a9" * 500_000})
        self._document("/networks/ethereum/decode", unsigned_tx="0x02" + parsers.rlp_list(b"\xc0" * 400_000).hex())
        verify = {"signature": "0x" + "11" * 65, "address": tx["to"]}
        for document in (parsers.typed_data(63, 63), parsers.typed_data(200, 60)):
            self._document("/networks/ethereum/verify-typed-data", typed_data=document, **verify)
        self._document(
            "/networks/ethereum/verify-message", format="eip191", message="act " * 65_000, encoding="text", **verify
        )

    def _document(self, path: str, **body: Any) -> None:
        self.bodies.append((path, json.dumps(body).encode()))

    def next(self) -> tuple[str, str, bytes]:
        """Method, path below the prefix, and body. Half are large; half are a valid command with a change."""
        if self._rng.random() < 0.5:
            path, raw = self._rng.choice(self.bodies)
            return "POST", path, raw
        operation = self._rng.choice([each for each in OPERATIONS if each.method == "POST"])
        command = dict(self._seeds.command(operation.name, self._rng))
        path = re.sub(r"\{(\w+)\}", lambda found: str(command.pop(found[1], "x")), operation.path)
        return "POST", path, json.dumps(mutated(command, self._rng)).encode()


async def run(server: Server, seconds: float, seed: int = 1) -> Result:
    result, rng = Result(), random.Random(seed)
    attack = await asyncio.to_thread(lambda: Attack(Seeds(server), rng))
    [pid] = server.workers()
    for path, raw in attack.bodies:  # once each, so that what is loaded on first use does not count as growth
        await _post(server, path, raw, Result())
    before = _memory(pid)
    monitor = server.data_dir / "loop.jsonl"
    monitor.write_text("")
    until = time.monotonic() + seconds

    async def sender() -> None:
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=120, trust_env=False) as client:
            while time.monotonic() < until:
                _, path, raw = attack.next()
                await _post(server, path, raw, result, client)

    async def over_grpc() -> None:
        options = [("grpc.max_send_message_length", 4 * MIB)]
        async with grpc.aio.insecure_channel(server.target, options) as channel:
            call = unary(channel, "/strongroom.v1.WalletService/CreateApiKey")
            while time.monotonic() < until:
                raw = rng.choice([b"\xf8\x7f\x01" * 300_000, b"\x12\x01a" * 300_000, rng.randbytes(2000)])
                try:
                    await call(raw, metadata=(("x-api-key", server.api_key),), timeout=120)
                    code = "OK"
                except grpc.aio.AioRpcError as error:
                    code = error.code().name
                result.sent += 1
                result.codes[code if code not in ("INTERNAL", "UNKNOWN", "UNAVAILABLE") else f"5 {code}"] += 1

    async def live() -> None:
        async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
            while time.monotonic() < until:
                began = time.monotonic()
                assert (await client.get(f"{server.url}/health/live")).status_code == 200
                result.live.append((time.monotonic() - began) * 1000)
                await asyncio.sleep(0.02)

    await asyncio.gather(*(sender() for _ in range(SENDERS)), over_grpc(), live())
    await asyncio.sleep(2)
    blocks = [json.loads(line) for line in monitor.read_text().splitlines()]
    result.wall = max(wall for wall, _ in blocks)
    result.cpu = max(cpu for _, cpu in blocks)
    result.grown = _memory(pid) - before
    return result


async def _post(server: Server, path: str, raw: bytes, result: Result, client: httpx.AsyncClient | None = None) -> None:
    headers = {"X-API-Key": server.api_key, "Content-Type": "application/json"}
    if client is None:
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=120, trust_env=False) as once:
            await _post(server, path, raw, result, once)
        return
    try:
        code = str((await client.post(path, content=raw, headers=headers)).status_code)
    except httpx.TransportError as error:
        code = f"gone {type(error).__name__}"
    result.sent += 1
    result.codes[code] += 1


def _memory(pid: int) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


class Monitored(Server):
    """A server whose worker records for how long its event loop was blocked."""

    @property
    def environment(self) -> dict[str, str]:
        folders = f"{ROOT / 'tests' / 'support' / 'monitoring'}:{ROOT}:{ROOT / 'src'}"
        return {**super().environment, "PYTHONPATH": folders, "LOOP_MONITOR": str(self.data_dir / "loop.jsonl")}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=1800)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, Monitored(Path(folder), SETTINGS) as server:
        result = asyncio.run(run(server, given.seconds, given.seed))
    print(result)
    sys.exit("\n".join(result.failures()) or 0)


if __name__ == "__main__":
    main()
