"""The cost of a signature with much stored that was never analysed, and beside a client that repeats itself.

    python bench/scale.py --stored 1000000 --seconds 6

Runs on PostgreSQL and OpenBao. Every table has autovacuum off, and the workers make their plans while the tables are
small. Rows are added by COPY as a service would have written them, with MACs and audit chain. Besides CPU it prints
what a signature makes PostgreSQL touch: blocks of tables and indexes, and bytes of WAL. Those do not depend on other
load on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import asyncpg

from strongroom.bootstrap import DEVELOPMENT_TENANT, administration
from strongroom.config.settings import load
from strongroom.domain.ids import new_id
from strongroom.domain.record import (
    AuditEntry,
    AuditOutcome,
    HeldGuard,
    OperationRecord,
    OperationState,
    SignatureRecord,
)
from strongroom.domain.signing import Guard
from strongroom.journal.audit import AuditChain, register
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.mapping import KIND_OF
from tests.support.load import UNLIMITED, Measured, bare_signatures, http_request, measure
from tests.support.server import Server
from tests.support.stack import production

_FEW: Final = 1_000
_A_COPY: Final = 5_000
_REPEATED: Final = 64
_ROUNDS: Final = 5
_TABLES: Final = ("operations", "guards", "signatures", "audit")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--stored", type=int, default=100_000, help="operations, up to 1,000,000")
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--workers", type=int, default=2)
    given = options.parse_args()
    off = dict.fromkeys(UNLIMITED, "off")
    with production() as parts, tempfile.TemporaryDirectory() as folder:
        patient = {f"DATABASE__{name}": "10" for name in ("TIMEOUT", "STATEMENT_TIMEOUT", "LOCK_TIMEOUT")}
        server = Server(Path(folder), {**off, **parts, **patient, "WORKERS__COUNT": str(given.workers)})
        server.command("migrate").check_returncode()
        owner = parts["DATABASE__MIGRATE_URL"]
        asyncio.run(never_analyse(owner))
        with server:
            with server.client() as client:
                wallet = client.post("/wallets", json={"networks": ["ethereum"]}).json()["id"]
            for connections in (4, 64):
                asyncio.run(measure(server, "rest", "sign", [wallet], connections, 2.0))
            asyncio.run(fill(server, owner, _FEW, UUID(wallet)))
            few = signed(server, owner, wallet, given.seconds, f"{_FEW} stored and more")
            repetitions(server, wallet, given.seconds)
            asyncio.run(fill(server, owner, given.stored, UUID(wallet)))
            many = signed(server, owner, wallet, given.seconds, f"{given.stored} stored and more")
            print(f"cost of a signature x {many / few:.2f}")


async def never_analyse(owner: str) -> None:
    connection = await asyncpg.connect(owner)
    for table in _TABLES:
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    await connection.close()


async def fill(server: Server, owner: str, operations: int, wallet: UUID) -> None:
    environment = {name: text for name, text in server.environment.items() if name.startswith("STRONGROOM_")}
    connection = await asyncpg.connect(owner)
    began = time.perf_counter()
    async with administration(load(environment, dotenv=None)) as parts:
        chain = await register(parts.storage, parts.authenticity.audit_key, "bench")
        for start in range(0, operations, _A_COPY):
            rows = [made(chain, wallet) for _ in range(min(_A_COPY, operations - start))]
            for column in zip(*rows, strict=True):
                await copy(connection, parts.authenticity, column)
    await connection.execute("CHECKPOINT")  # otherwise the next signatures would write out what was copied
    await connection.close()
    print(f"{operations} stored in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


_nonces = count(10**9)


def made(chain: AuditChain, wallet: UUID) -> tuple[Any, ...]:
    """What a signature leaves in the database."""
    tenant, principal, now, nonce = DEVELOPMENT_TENANT, new_id(), datetime.now(UTC), next(_nonces)
    operation = OperationRecord(
        tenant, new_id(), principal, None, b"f" * 32, "transactions.sign", wallet, OperationState.DONE, now, 1,
        b'{"signed_tx":"' + b"0" * 600 + b'"}', now,
    )  # fmt: skip
    guard = HeldGuard(tenant, Guard("evm", "eip155:1", "ab" * 20, str(nonce), nonce.to_bytes(32, "big")), operation.id)
    signature = SignatureRecord(
        tenant, operation.id, 0, wallet, "ethereum", f"0x{nonce:064x}", "0x" + "ab" * 110, b"{}" * 100, now
    )
    records = chain.extend(
        AuditEntry(
            now, tenant, principal, "transactions.sign", operation.id, outcome, wallet, "ethereum", "bench",
            "127.0.0.1", "{}",
        )
        for outcome in (AuditOutcome.REQUESTED, AuditOutcome.SUCCEEDED)
    )  # fmt: skip
    chain.advance(records[-1])
    return (operation, guard, signature, *records)


async def copy(connection: Any, authenticity: Authenticity, rows: Sequence[Any]) -> None:
    kind = KIND_OF[type(rows[0])]
    records = [kind.values(row, authenticity) for row in rows]
    await connection.copy_records_to_table(kind.table.name, records=records, columns=kind.names)


def signed(server: Server, owner: str, wallet: str, seconds: float, title: str) -> float:
    """Worker CPU of a signature, in bare signatures of libsecp256k1 measured beside it. The median of a few rounds.

    A first round is not counted, because the first signatures after a copy pay for its unfinished work.
    """
    asyncio.run(measure(server, "rest", "sign", [wallet], 64, seconds))
    found, costs = [], []
    before = asyncio.run(touched(owner))
    for _ in range(_ROUNDS):
        found.append(asyncio.run(measure(server, "rest", "sign", [wallet], 64, seconds)))
        costs.append(found[-1].cpu / 1e6 * bare_signatures(0.5))
    after = asyncio.run(touched(owner))
    done = max(1, after.pop("signatures") - before.pop("signatures"))
    print(
        f"{title:>28}  {median(each.rate for each in found):6.0f}/s  {median(each.cpu for each in found):5.0f} us CPU, "
        f"{median(costs):5.1f} bare signatures  {max(each.memory for each in found):4.0f} MiB  "
        + ", ".join(f"{name} {(after[name] - before[name]) / done:.1f}" for name in after),
        flush=True,
    )
    return median(costs)


async def touched(owner: str) -> dict[str, int]:
    """Blocks read so far, bytes of WAL, and the number of signatures."""
    await asyncio.sleep(2.0)  # the server gets a connection's counts once per second
    connection = await asyncpg.connect(owner)
    blocks = await connection.fetchrow(
        "SELECT sum(heap_blks_hit + heap_blks_read) AS tables, sum(idx_blks_hit + idx_blks_read) AS indexes "
        "FROM pg_statio_user_tables WHERE relname = ANY($1)",
        _TABLES,
    )
    wal = await connection.fetchval("SELECT wal_bytes FROM pg_stat_wal")
    signatures = await connection.fetchval("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'signatures'")
    await connection.close()
    return {
        "blocks of tables": int(blocks["tables"]),
        "of indexes": int(blocks["indexes"]),
        "bytes of WAL": int(wal),
        "signatures": int(signatures),
    }


def repetitions(server: Server, wallet: str, seconds: float) -> None:
    """The rate of other clients beside one whose requests repeat, compared with one whose requests are new."""
    ratios = []
    for _ in range(_ROUNDS):
        new = asyncio.run(beside(server, wallet, seconds, repeat=False))
        same = asyncio.run(beside(server, wallet, seconds, repeat=True))
        ratios.append(same.rate / new.rate)
    print(f"others beside a client that repeats {_REPEATED} requests: rate x {median(ratios):.2f}", flush=True)


async def beside(server: Server, wallet: str, seconds: float, *, repeat: bool) -> Measured:
    requests = [http_request("sign", wallet, server.api_key) for _ in range(_REPEATED)]
    turns = cycle(requests)

    async def keep_asking() -> None:
        async with AsyncExitStack() as stack:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
            stack.callback(writer.close)
            while True:
                writer.write(next(turns) if repeat else http_request("sign", wallet, server.api_key))
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                assert head.startswith((b"http/1.1 200", b"http/1.1 409")), head

    neighbours = [asyncio.create_task(keep_asking()) for _ in range(16)]
    found = await measure(server, "rest", "sign", [wallet], 48, seconds)
    for task in neighbours:
        task.cancel()
    ended = await asyncio.gather(*neighbours, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
    return found


if __name__ == "__main__":
    main()
