"""Operations per second through the journal: both commits of a signature, 64 at a time, in one process.

python bench/journal.py [operations] [database URL]
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid4

import msgspec
import uvloop

from strongroom.domain.principal import Principal
from strongroom.domain.record import SignatureRecord
from strongroom.domain.signing import Guard
from strongroom.journal.audit import register
from strongroom.journal.committer import Committer
from strongroom.journal.entry import Entries
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.migrate import migrate
from strongroom.storage.opening import open_database
from strongroom.storage.sql import SqlStorage

_TASKS = 64
_RAW = "0x" + "ab" * 110


class Answer(msgspec.Struct):
    signed_tx: str
    tx_id: str


async def _sign(entries: Entries, principal: Principal, wallet_id: UUID, nonce: int) -> None:
    now = datetime.now(UTC)
    entry = entries(
        principal=principal, request_id=f"r-{nonce}", client="127.0.0.1", operation="transactions.sign",
        idempotency_key=f"key-{nonce}", command=b"{}" * 100, now=now,
    )  # fmt: skip
    guard = Guard("evm", "eip155:1", "ab" * 20, str(nonce), nonce.to_bytes(32, "big"))
    details = {"summary": {"network": "ethereum", "actions": [{"kind": "transfer", "amount": "1" * 18}]}}
    tx_id = f"0x{nonce:064x}"
    async with entry.intent(wallet_id=wallet_id, network="ethereum", guards=[guard], details=details) as intent:
        row = SignatureRecord(
            principal.tenant_id, intent.operation_id, 0, wallet_id, "ethereum", tx_id, _RAW, b"{}" * 100, now
        )
        intent.settle(Answer(_RAW, tx_id), rows=[row], details={"tx_id": tx_id})


async def main(operations: int, url: str) -> None:
    database = open_database(url)
    await migrate(database)
    authenticity = Authenticity(bytes(32))
    storage = SqlStorage(database, authenticity)
    committer = Committer(storage, await register(storage, authenticity.audit_key, "bench"), timeout=60.0)
    committer.start()
    entries = Entries(committer, storage, authenticity.fingerprint_key)
    principal = Principal(uuid4(), uuid4(), "bench", frozenset())
    wallet_id = uuid4()
    nonces = count(time.time_ns())
    left = iter(range(operations))

    async def work() -> None:
        for _ in left:
            await _sign(entries, principal, wallet_id, next(nonces))

    started, cpu = time.perf_counter(), _cpu()
    await asyncio.gather(*[work() for _ in range(_TASKS)])
    seconds, cpu = time.perf_counter() - started, _cpu() - cpu
    await committer.close()
    await storage.close()
    print(
        f"{operations / seconds:,.0f} operations/s, {cpu / operations * 1e6:.0f} us of CPU each, {operations:,} in all"
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    operations = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with tempfile.TemporaryDirectory() as directory:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{directory}/bench.db"
        uvloop.run(main(operations, url))
