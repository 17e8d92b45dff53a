"""Repeated SIGKILL to the service in the middle of a batch, which the same request then finishes.

Each round sends a batch of signatures or of addresses, and kills the service when a random number of its items is
committed. The service is started again on the same folder, and the batch is repeated with the same key until no item is
in flight. Then each item was done once, according to responses, rows and audit. Run it as

    python -m tests.campaign.batch_kills --kills 50 --seed 1
    python -m tests.campaign.batch_kills --kills 50 --seed 1 --production    # on PostgreSQL and OpenBao
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from tests.campaign.ending import ended
from tests.support import postgres
from tests.support.server import Server
from tests.support.stack import production

ITEMS = 150
SETTINGS = {
    "IDEMPOTENCY__LEASE": "1",
    "LOG__LEVEL": "warning",
    "TIMEOUTS__OPERATION": "300",
    **{f"RATES__{name}": "off" for name in ("READ", "CREATE", "ADDRESS", "SIGN")},
}
_PATIENCE = 300.0


@dataclass
class Report:
    kills: int = 0
    in_the_middle: int = 0
    """Kills after which some items of the batch were done and others not."""
    items: int = 0
    repeats: int = 0
    done_before: int = 0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.in_the_middle} of them in the middle of a batch; {self.items} items, of which"
            f" {self.done_before} were done before the kill; {self.repeats} repeats; violations {len(self.violations)}"
        )


def run(folder: Path, *, kills: int, seed: int, settings: Mapping[str, str] = MappingProxyType({})) -> Report:
    report, chance = Report(), random.Random(seed)
    server = Server(folder, {**SETTINGS, **settings})
    if settings:
        server.command("migrate").check_returncode()
    with server, ThreadPoolExecutor(1) as pool:
        wallet = _sent(server, "/wallets", {"networks": ["ethereum"]}, None).json()["id"]
        for number in range(kills):
            signs = chance.random() < 0.7
            path, body, table = _batch(wallet, number) if signs else _addresses(wallet)
            _round(server, pool, report, chance, path, body, f"batch-{number}", table)
        report.violations += _counted(server, report)
        verified = server.command("audit", "verify", "--heads", str(folder / "audit-heads.jsonl"))
        if verified.returncode != 0:
            report.violations.append(f"audit verify: {verified.stdout}{verified.stderr}")
    return report


def _batch(wallet: str, number: int) -> tuple[str, dict[str, Any], str]:
    def transaction(nonce: int) -> dict[str, str]:
        return {
            "type": "0x2", "chainId": "0x1", "nonce": hex(nonce), "gas": "0x5208", "maxFeePerGas": "0x77359400",
            "maxPriorityFeePerGas": "0x3b9aca00", "to": "0x" + "35" * 20, "value": "0x1",
        }  # fmt: skip

    items = [
        {"wallet_id": wallet, "network": "ethereum", "unsigned_tx": transaction(number * ITEMS + n), "ref": str(n)}
        for n in range(ITEMS)
    ]
    return "/transactions/sign-batch", {"items": items}, "signatures"


def _addresses(wallet: str) -> tuple[str, dict[str, Any], str]:
    return f"/wallets/{wallet}/addresses/batch", {"network": "ethereum", "count": ITEMS}, "addresses"


def _round(
    server: Server, pool: ThreadPoolExecutor, report: Report, chance: random.Random, path: str, body: dict[str, Any],
    key: str, table: str,
) -> None:  # fmt: skip
    before = _rows(server, table)
    least = chance.randrange(1, ITEMS)
    asked = pool.submit(_sent, server, path, body, key)
    _wait_for(asked, lambda: _rows(server, table) - before >= least)
    server.kill()
    asked.exception(timeout=_PATIENCE)
    done = _rows(server, table) - before
    report.kills += 1
    report.in_the_middle += 0 < done < ITEMS
    report.done_before += done
    report.items += ITEMS
    server.start()
    results = _finished(server, report, path, body, key)
    report.violations += _told(body, results, key)
    if _rows(server, table) - before != ITEMS:
        report.violations.append(f"{key}: {_rows(server, table) - before} rows for {ITEMS} items")
    again = _sent(server, path, body, key).json()["results"]
    if again != results:
        report.violations.append(f"{key}: the repeat of what is done answers differently")


def _finished(server: Server, report: Report, path: str, body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    until = time.monotonic() + _PATIENCE
    while True:
        report.repeats += 1
        answer = _sent(server, path, body, key)
        results: list[dict[str, Any]] = answer.json().get("results", [])
        codes = Counter(each["status"] if each["status"] == "ok" else each["error"]["code"] for each in results)
        if set(codes) == {"ok"}:
            return results
        if time.monotonic() > until or set(codes) - {"ok", "operation_in_flight"}:
            report.violations.append(f"{key}: {answer.status_code} {dict(codes)}")
            return results
        time.sleep(0.1)  # until the leases of unfinished items are over


def _told(body: dict[str, Any], results: list[dict[str, Any]], key: str) -> list[str]:
    """Errors in the results: each must belong to its item, and no address or transaction may appear twice."""
    found = []
    for n, (item, result) in enumerate(zip(body.get("items", results), results, strict=True)):
        if "unsigned_tx" in item and result["status"] == "ok":
            nonce = str(int(item["unsigned_tx"]["nonce"], 16))
            if (result["ref"], result["result"]["summary"]["sequence"]) != (item["ref"], nonce):
                found.append(f"{key}: item {n} has the answer of another")
    given = [each["result"].get("tx_id") or each["result"]["address"] for each in results if each["status"] == "ok"]
    return found if len(set(given)) == len(given) else [*found, f"{key}: something is there twice"]


def _counted(server: Server, report: Report) -> list[str]:
    """Errors in the database: each idempotency key must have one operation, which is done."""
    query = "SELECT count(*), count(DISTINCT idempotency_key) FROM operations WHERE idempotency_key LIKE 'batch:%'"
    [(rows, keys)] = _query(server, query)
    undone_query = "SELECT count(*) FROM operations WHERE idempotency_key IS NOT NULL AND state <> 'done'"
    [(undone,)] = _query(server, undone_query)
    expected = (report.items, report.items, 0)
    return [] if (rows, keys, undone) == expected else [f"operations {rows}, keys {keys}, not done {undone}"]


def _rows(server: Server, table: str) -> int:
    [(count,)] = _query(server, f"SELECT count(*) FROM {table}")
    return int(count)


def _query(server: Server, query: str) -> list[tuple[Any, ...]]:
    if (url := server.settings.get("DATABASE__MIGRATE_URL")) is not None:
        return postgres.rows(url, query)
    [path] = server.data_dir.glob("*.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(query).fetchall()


def _wait_for(asked: Future[httpx.Response], reached: Any) -> None:
    until = time.monotonic() + _PATIENCE
    while not asked.done() and not reached() and time.monotonic() < until:
        time.sleep(0.001)


def _sent(server: Server, path: str, body: dict[str, Any], key: str | None) -> httpx.Response:
    headers = {"X-API-Key": server.api_key} | ({} if key is None else {"Idempotency-Key": key})
    return httpx.post(f"{server.url}/api/v1{path}", json=body, headers=headers, timeout=_PATIENCE, trust_env=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--production", action="store_true", help="PostgreSQL and OpenBao instead of SQLite")
    asked = parser.parse_args()
    components: AbstractContextManager[dict[str, str]] = production() if asked.production else nullcontext({})
    with tempfile.TemporaryDirectory() as folder, components as settings:
        report = run(Path(folder), kills=asked.kills, seed=asked.seed, settings=settings)
    return ended(report, report.violations)


if __name__ == "__main__":
    sys.exit(main())
