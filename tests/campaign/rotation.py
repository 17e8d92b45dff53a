"""The wrapping key is rotated under load, and `keys rewrap` is killed repeatedly while it moves data keys.

On PostgreSQL and OpenBao, with every signature asking OpenBao. Run it as

    python -m tests.campaign.rotation --wallets 2000 --kills 20
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.parity.story import transfer
from tests.support.openbao import KEY, OpenBao
from tests.support.replicas import replicas
from tests.support.server import ROOT, Server

SETTINGS = {
    "SIGNER__TTL": "0",
    "LOG__LEVEL": "warning",
    **{f"RATES__{name}": "off" for name in ("READ", "CREATE", "SIGN", "ADMIN")},
}
_CLIENTS = 8
_TRIES = 200


@dataclass
class Report:
    wallets: int
    kills: int = 0
    kills_at_work: int = 0
    """Kills after which some rows had been moved and others not."""
    rotations: int = 0
    signed: int = 0
    newest: int = 0
    behind: int = -1
    old_version_refused: bool = False
    violations: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.wallets} wallets, {self.rotations} rotations, {self.kills} kills of the rewrap, "
            f"{self.kills_at_work} of them half way\n"
            f"{self.signed} signatures meanwhile; newest version {self.newest}, {self.behind} secrets behind it, "
            f"the one before {'refused' if self.old_version_refused else 'NOT REFUSED'}\n"
            f"violations {dict(self.violations) or 0}"
        )


class Campaign:
    def __init__(self, servers: list[Server], wallets: int, kills: int, seed: int) -> None:
        self.report = Report(wallets)
        self._servers = servers
        self._server = servers[0]
        port = int(self._server.settings["VAULT__URL"].rpartition(":")[2])
        self._bao = OpenBao(self._server.data_dir, port)
        self._kills = kills
        self._random = random.Random(seed)
        self._wallets: list[str] = []
        self._nonces: Counter[str] = Counter()
        self._done = False

    async def run(self) -> Report:
        clients = [server.async_client() for server in self._servers]
        try:
            await asyncio.gather(*(self._create(clients[0]) for _ in range(_CLIENTS)))
            load = [asyncio.create_task(self._sign_on(clients[n % len(clients)])) for n in range(_CLIENTS)]
            await self._rotate_and_kill()
            self._done = True
            await asyncio.gather(*load)
            await self._refuse_the_old()
            for wallet in self._wallets:
                await self._sign(clients[0], wallet)
        finally:
            for client in clients:
                await client.aclose()
            self._bao.close()
        return self.report

    async def _create(self, client: httpx.AsyncClient) -> None:
        while len(self._wallets) < self.report.wallets:
            self._wallets.append("")
            place = len(self._wallets) - 1
            answer = await client.post("/wallets", json={"networks": ["ethereum"]})
            self._wallets[place] = answer.raise_for_status().json()["id"]

    async def _sign_on(self, client: httpx.AsyncClient) -> None:
        while not self._done:
            await self._sign(client, self._random.choice(self._wallets))

    async def _sign(self, client: httpx.AsyncClient, wallet: str) -> None:
        self._nonces[wallet] += 1
        body = {"network": "ethereum", "unsigned_tx": transfer(nonce=hex(self._nonces[wallet]))}
        answer = await client.post(f"/wallets/{wallet}/sign", json=body)
        self.report.signed += answer.status_code == 200
        if answer.status_code != 200:
            self.report.violations[f"sign: {answer.status_code} {answer.json().get('code')}"] += 1

    async def _rotate_and_kill(self) -> None:
        for _ in range(_TRIES):
            if self.report.kills >= self._kills:
                break
            if (await self._status())["behind"] == 0:
                await asyncio.to_thread(self._bao.ask, "POST", f"transit/keys/{KEY}/rotate")
                self.report.rotations += 1
            rewrap = await self._command("rewrap")
            await asyncio.wait({asyncio.create_task(self._work_begins(rewrap))}, timeout=30)
            await asyncio.sleep(self._random.uniform(0, 0.3))
            if rewrap.returncode is None:
                rewrap.kill()
                await rewrap.wait()
                self.report.kills += 1
                status = await self._status()
                self.report.kills_at_work += 0 < status["behind"] <= self.report.wallets
        last = await self._command("rewrap")
        if await last.wait() != 0:
            self.report.violations["the last rewrap failed"] += 1
        status = await self._status()
        self.report.newest, self.report.behind = status["version"], status["behind"]

    async def _work_begins(self, rewrap: asyncio.subprocess.Process) -> None:
        """Wait for its first line of progress, or its end."""
        assert rewrap.stderr is not None
        await rewrap.stderr.readline()

    async def _refuse_the_old(self) -> None:
        least = {"min_decryption_version": self.report.newest}
        await asyncio.to_thread(lambda: self._bao.ask("POST", f"transit/keys/{KEY}/config", **least))
        kept = (await asyncio.to_thread(self._bao.ask, "GET", f"transit/keys/{KEY}"))["data"]
        self.report.old_version_refused = list(kept["keys"]) == [str(self.report.newest)]

    async def _status(self) -> dict[str, Any]:
        process = await self._command("status")
        out, _ = await process.communicate()
        found: dict[str, Any] = json.loads(out)
        return found

    async def _command(self, name: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "strongroom", "keys", name, "--json",
            cwd=self._server.data_dir, env={**self._server.environment, "PYTHONPATH": str(ROOT / "src")},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip


def run(folder: Path, wallets: int, kills: int, seed: int = 1) -> Report:
    with replicas(folder, **SETTINGS) as servers:
        return asyncio.run(Campaign(servers, wallets, kills, seed).run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wallets", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-rotation-") as folder:
        report = run(Path(folder), given.wallets, given.kills, given.seed)
    print(report)
    sys.exit(bool(report.violations) or report.behind != 0 or not report.old_version_refused)


if __name__ == "__main__":
    main()
