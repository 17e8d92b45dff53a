"""Creates, addresses and signatures over REST, as ratios to bare libsecp256k1 signing measured in the same run.

    python bench/service.py --connections 64 --seconds 5

Prints requests a second, p50 and p99 in milliseconds, processor time of the service a request, and its memory. Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from btclib_secp256k1 import recovery

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.server import Server

TICKS = os.sysconf("SC_CLK_TCK")
_NONCE = count()


def bare_signatures(seconds: float = 1.0) -> float:
    """Signatures a second of libsecp256k1 on one core."""
    made, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        recovery.sign(made.to_bytes(32, "big"), b"\x11" * 32, verify=False)
        made += 1
    return made / seconds


def request(kind: str, wallet: str, key: str) -> bytes:
    number = next(_NONCE)
    method, path, body = "POST", "/api/v1/wallets", b"{}"
    if kind == "address":
        method, path, body = "GET", f"/api/v1/wallets/{wallet}/address/ethereum?index={number % 100}", b""
    elif kind == "sign":
        transaction = {
            "chainId": "0x1",
            "nonce": hex(number),
            "gas": "0x5208",
            "maxFeePerGas": "0x77359400",
            "maxPriorityFeePerGas": "0x3b9aca00",
            "to": "0x3535353535353535353535353535353535353535",
            "value": "0x1",
        }
        path = f"/api/v1/wallets/{wallet}/sign"
        body = json.dumps({"network": "ethereum", "unsigned_tx": transaction}).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def one_connection(port: int, kind: str, wallet: str, key: str, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request(kind, wallet, key))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        assert head.startswith((b"http/1.1 200", b"http/1.1 201")), body
        took.append(time.perf_counter() - began)
    writer.close()


async def measure(server: Server, kind: str, wallet: str, connections: int, seconds: float, bare: float) -> None:
    worker = worker_of(server)
    took: list[float] = []
    cpu, began = cpu_seconds(worker), time.perf_counter()
    until = began + seconds
    each = (one_connection(server.http_port, kind, wallet, server.api_key, until, took) for _ in range(connections))
    await asyncio.gather(*each)
    rate = len(took) / (time.perf_counter() - began)
    cpu = (cpu_seconds(worker) - cpu) / len(took)
    took.sort()
    p50, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.99))
    print(
        f"{kind:8} {rate:7.0f}/s  1/{bare / rate:.0f} of bare  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  "
        f"{cpu * 1e6:5.0f} us CPU  {memory(worker):4.0f} MiB"
    )


def worker_of(server: Server) -> int:
    return int(subprocess.check_output(["pgrep", "-P", str(server.pid)]).split()[-1])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--seconds", type=float, default=5.0)
    given = options.parse_args()
    bare = bare_signatures()
    print(f"bare     {bare:7.0f} signatures/s on one core")
    rates = dict.fromkeys(("RATES__SIGN", "RATES__ADDRESS", "RATES__CREATE"), "off")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with Server(Path(folder), rates) as server:
            print(f"first start to first answer {time.perf_counter() - began:.2f} s")
            with server.client() as client:
                wallet = client.post("/wallets", json={}).json()["id"]
            for kind in ("sign", "address", "create"):
                asyncio.run(measure(server, kind, wallet, given.connections, given.seconds, bare))


if __name__ == "__main__":
    main()
