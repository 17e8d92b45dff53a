"""OpenBao becomes silent, then sealed: when callers notice, how fast they are refused then, when signing works again.

    python bench/outage.py --seconds 5

Runs on SQLite with one worker, default timeouts and breaker, and eight callers over REST. No seed is kept open, so each
signature asks OpenBao. Refusals are timed from when the circuit opened. One request per breaker interval is let through
as a probe, and waits.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import openbao
from tests.support.load import UNLIMITED, transaction
from tests.support.openbao import OpenBao
from tests.support.server import Server

_CALLERS = 8
_PAUSE = 0.005
_OPEN = 'strongroom_circuit_state{component="vault"} 2.0'


@dataclass
class Outage:
    opened: float = 0.0
    """Seconds until the circuit was seen open."""
    refused: list[float] = field(default_factory=list)
    """Milliseconds of each refusal from then on."""
    without_retry_after: int = 0
    reads: int = 0
    failed_reads: int = 0
    back: float = 0.0
    """Seconds from its return until a signature."""


async def sign(client: httpx.AsyncClient, wallet: str) -> httpx.Response:
    return await client.post(f"/wallets/{wallet}/sign", json={"network": "ethereum", "unsigned_tx": transaction()})


async def outage(server: Server, go: Callable[[], None], come: Callable[[], None], seconds: float) -> Outage:
    found = Outage()
    async with server.async_client() as client:
        made = [await client.post("/wallets", json={"networks": ["ethereum"]}) for _ in range(_CALLERS)]
        wallets = [answer.raise_for_status().json()["id"] for answer in made]
        await asyncio.to_thread(go)
        began = time.monotonic()
        until = began + seconds + 5

        async def watch() -> None:
            while _OPEN not in (await client.get(f"{server.url}/metrics")).text:  # noqa: ASYNC110 - another process has no event for it
                await asyncio.sleep(0.01)
            found.opened = time.monotonic() - began

        async def call(wallet: str) -> None:
            while time.monotonic() < until:
                asked, was_open = time.monotonic(), found.opened
                answer = await sign(client, wallet)
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
                found.without_retry_after += "Retry-After" not in answer.headers
                if was_open:
                    found.refused.append((time.monotonic() - asked) * 1000)
                found.reads += 1
                found.failed_reads += not (await client.get(f"/wallets/{wallet}/address/ethereum")).is_success
                await asyncio.sleep(_PAUSE)

        async with asyncio.TaskGroup() as group:
            for each in (watch(), *map(call, wallets)):
                group.create_task(each)
        await asyncio.to_thread(come)
        began = time.monotonic()
        while not (await sign(client, wallets[0])).is_success:  # noqa: ASYNC110 - another process has no event for it
            await asyncio.sleep(0.02)
        found.back = time.monotonic() - began
    return found


def line(name: str, found: Outage) -> str:
    times = sorted(found.refused)
    slow = sum(each > 50 for each in times)
    return (
        f"{name}: open after {found.opened:.2f} s; then {len(times)} refusals, p50 {times[len(times) // 2]:.1f} ms, "
        f"p99 {times[len(times) * 99 // 100]:.1f} ms, most {times[-1]:.1f} ms, {slow} above 50 ms; "
        f"{found.without_retry_after} without Retry-After; address reads {found.reads}, failed {found.failed_reads}; "
        f"signs again {found.back:.2f} s after its return"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=5.0)
    given = options.parse_args()
    off = {**dict.fromkeys(UNLIMITED, "off"), "RATES__READ": "off"}
    for name, go, come in (("silent", OpenBao.freeze, OpenBao.thaw), ("sealed", OpenBao.seal, OpenBao.unseal)):
        with openbao.running() as vault, tempfile.TemporaryDirectory() as folder:
            role, secret = vault.approle(token_ttl="1h")
            settings = {
                "KEYWRAP__KIND": "vault", "VAULT__URL": vault.url, "VAULT__ROLE_ID": role, "VAULT__SECRET_ID": secret,
                "SIGNER__TTL": "0", "LOG__LEVEL": "warning", "HTTP__METRICS_OPEN": "true", **off,
            }  # fmt: skip
            with Server(Path(folder) / "data", settings) as server:
                print(
                    line(name, asyncio.run(outage(server, partial(go, vault), partial(come, vault), given.seconds))),
                    flush=True,
                )


if __name__ == "__main__":
    main()
