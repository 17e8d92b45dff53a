"""Many signatures with many wallets in one run. Memory stays flat, and no nonce of a signature repeats.

On PostgreSQL and OpenBao with two workers. Prints the memory of each worker during the run.

    python -m tests.campaign.million --signatures 1000000 --wallets 1000
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account

from tests.campaign.ending import ended
from tests.parity.story import transfer
from tests.support.server import Server
from tests.support.stack import production

CONNECTIONS = 64
MOST_MEMORY = 120.0
"""MiB that a worker may take."""
MOST_GROWTH = 10.0
"""MiB by which it may grow after the first fifth."""
MOST_OPENED = 2 * 256
"""Seeds and derived keys that two workers may keep open by default."""
SETTINGS = {"LOG__LEVEL": "warning", "WORKERS__COUNT": "2", "RATES__SIGN": "off", "RATES__CREATE": "off"}
_LOOKS = 25
_CHECKED = 1000
"""One in so many signatures is recovered by eth-account."""


@dataclass
class Report:
    signatures: int = 0
    wallets: int = 0
    seconds: float = 0.0
    memory: list[dict[int, float]] = field(default_factory=list)
    """MiB by process, one entry per look."""
    opened: list[float] = field(default_factory=list)
    recovered: int = 0
    repeated_r: int = 0
    verified: str = ""
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rounds = [" ".join(f"{mib:.0f}" for mib in look.values()) for look in self.memory]
        return (
            f"{self.signatures} signatures over {self.wallets} wallets in {self.seconds:.0f} s, "
            f"{self.signatures / max(self.seconds, 1):.0f}/s\n"
            f"memory of the workers, MiB: {' | '.join(rounds)}\n"
            f"opened keys at most {max(self.opened, default=0):.0f}; recovered by eth-account {self.recovered}; "
            f"repeated r {self.repeated_r}\naudit verify: {self.verified}\nviolations {len(self.violations)}"
        )


class Run:
    def __init__(self, server: Server, signatures: int, wallets: int) -> None:
        self.report = Report(wallets=wallets)
        self._server = server
        self._total = signatures
        self._wallets = wallets
        self._seen: set[bytes] = set()

    async def run(self) -> Report:
        made = await self._make_wallets()
        work = ((wallet, nonce) for nonce in itertools.count() for wallet in made)
        todo = itertools.islice(work, self._total)
        began = time.monotonic()
        looks = asyncio.create_task(self._keep_looking())
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._sign(todo))
        self.report.seconds = time.monotonic() - began
        looks.cancel()
        self._look()
        self._judge()
        return self.report

    async def _make_wallets(self) -> list[dict[str, str]]:
        turns = asyncio.Semaphore(16)

        async def make(client: httpx.AsyncClient) -> dict[str, str]:
            async with turns:
                wallet = (await client.post("/wallets", json={"networks": ["ethereum"]})).raise_for_status().json()
            return {"id": wallet["id"], "address": wallet["addresses"][0]["address"]}

        async with self._server.async_client() as client:
            return await asyncio.gather(*(make(client) for _ in range(self._wallets)))

    async def _sign(self, todo: Iterator[tuple[dict[str, str], int]]) -> None:
        """Over one connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.http_port)
        for wallet, nonce in todo:
            body = json.dumps({"network": "ethereum", "unsigned_tx": transfer(nonce=hex(nonce))}).encode()
            writer.write(
                f"POST /api/v1/wallets/{wallet['id']}/sign HTTP/1.1\r\nHost: localhost\r\n"
                f"X-API-Key: {self._server.api_key}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            answer = json.loads(await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0])))
            if not head.startswith(b"http/1.1 200"):
                self.report.violations.append(f"answered {answer.get('code')}")
                return
            self._take(answer, wallet["address"])
        writer.close()

    def _take(self, answer: dict[str, Any], address: str) -> None:
        r = int(answer["details"]["r"], 16).to_bytes(32, "big")
        self.report.repeated_r += r in self._seen
        self._seen.add(r)
        if self.report.signatures % _CHECKED == 0:
            self.report.recovered += 1
            if Account.recover_transaction(answer["signed_tx"]) != address:
                self.report.violations.append("a signature is not of the wallet's key")
        self.report.signatures += 1

    async def _keep_looking(self) -> None:
        step = max(1, self._total // _LOOKS)
        for at in itertools.count(step, step):
            while self.report.signatures < at:  # noqa: ASYNC110 - a count, not an event
                await asyncio.sleep(0.2)
            self._look()

    def _look(self) -> None:
        found = {}
        for pid in self._server.workers():
            status = Path(f"/proc/{pid}/status").read_text()
            found[pid] = int(status.split("VmRSS:")[1].split()[0]) / 1024
        self.report.memory.append(found)
        text = httpx.get(
            f"{self._server.url}/metrics", headers={"X-API-Key": self._server.api_key}, timeout=30, trust_env=False
        ).text
        opened = re.search(r"^strongroom_opened_keys (\S+)$", text, re.MULTILINE)
        self.report.opened.append(float(opened[1]) if opened else -1.0)

    def _judge(self) -> None:
        report = self.report
        early = report.memory[len(report.memory) // 5]
        for pid, mib in report.memory[-1].items():
            if mib > MOST_MEMORY:
                report.violations.append(f"a worker takes {mib:.0f} MiB")
            if pid not in early or mib - early[pid] > MOST_GROWTH:
                report.violations.append("a worker grew, or was replaced")
        if not 0 <= min(report.opened) <= max(report.opened) <= MOST_OPENED:
            report.violations.append(f"{report.opened} keys were open")
        if report.repeated_r or report.signatures != self._total:
            report.violations.append(f"{report.signatures} signatures, {report.repeated_r} times the same r")
        heads = self._server.data_dir / "audit-heads.jsonl"
        verified = self._server.command("audit", "verify", "--heads", str(heads), "--json", timeout=3600)
        report.verified = verified.stdout.strip() or verified.stderr.strip()
        if verified.returncode:
            report.violations.append("the audit failed its verification")


def run(folder: Path, signatures: int, wallets: int) -> Report:
    async def go(server: Server) -> Report:
        return await Run(server, signatures, wallets).run()

    with production() as parts:
        server = Server(folder, {**SETTINGS, **parts})
        server.command("migrate").check_returncode()
        with server:
            return asyncio.run(go(server))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--signatures", type=int, default=1_000_000)
    arguments.add_argument("--wallets", type=int, default=1000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-million-") as folder:
        report = run(Path(folder), given.signatures, given.wallets)
    return ended(report, report.violations)


if __name__ == "__main__":
    sys.exit(main())
