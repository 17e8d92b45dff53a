"""The audit chain, one per writing process. The HMAC of each record covers the record before it.

mac = HMAC-SHA-256(key, previous mac ‖ canonical row). The chain of a writer begins with the MAC of its own row in
`audit_writers`, and those rows form a chain themselves. Without the key nobody can write, change or leave out a record
in the middle. A missing end is detected by heads that are kept elsewhere (`journal.heads`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Final
from uuid import UUID

from strongroom.codecs.mac import hmac_sha256
from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditEntry, AuditRecord, AuditWriter
from strongroom.errors import StorageUnavailable
from strongroom.storage.base import Storage, Unit

GENESIS: Final = b"\0" * 32
"""The previous MAC for the first writer's row."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_RECORD: Final = Struct(">16sqq16s16s16s?16s?6I")
"""Writer, sequence, time, tenant, principal, operation id, wallet and network (each with a flag for its presence), and
the lengths of the texts that follow.
"""
_WRITER: Final = Struct(">6s16sqqI")

_REGISTER_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a writer's chain at some time. Sequence 0 is the writer's own row."""

    at: datetime
    writer_id: UUID
    sequence: int
    mac: bytes


class AuditChain:
    """The chain that this process writes. `extend` changes nothing; `advance` is called after a commit."""

    def __init__(self, key: bytes, writer: AuditWriter) -> None:
        self._key = key
        self.writer_id = writer.id
        self._sequence = 0
        self._mac = writer.mac

    def extend(self, entries: Iterable[AuditEntry]) -> list[AuditRecord]:
        """The records that would come next."""
        records: list[AuditRecord] = []
        sequence, mac = self._sequence, self._mac
        for entry in entries:
            sequence += 1
            mac = record_mac(self._key, mac, self.writer_id, sequence, entry)
            records.append(AuditRecord(self.writer_id, sequence, entry, mac))
        return records

    def holds(self, previous: bytes, record: AuditRecord) -> bool:
        """Whether ``record``, of any writer, follows the record with the MAC ``previous``."""
        return follows(self._key, previous, record)

    def advance(self, last: AuditRecord) -> None:
        self._sequence, self._mac = last.sequence, last.mac

    def head(self, at: datetime) -> Head:
        return Head(at, self.writer_id, self._sequence, self._mac)

    async def recall(self, storage: Storage) -> None:
        """Moves to the end that the database has, after a commit of unknown outcome."""
        while records := await storage.audit_chain(self.writer_id, self._sequence, 1000):
            self.advance(records[-1])


async def register(storage: Storage, key: bytes, host: str) -> AuditChain:
    """Registers this process as a writer and begins its chain. Raises StorageUnavailable."""
    for _ in range(_REGISTER_TRIES):
        writers = await storage.audit_writers()
        previous = writers[-1] if writers else None
        writer = AuditWriter(
            id=new_id(),
            ordinal=previous.ordinal + 1 if previous else 1,
            started_at=datetime.now(UTC),
            host=host,
            mac=b"",
        )
        writer = replace(writer, mac=writer_mac(key, previous.mac if previous else GENESIS, writer))
        if not (await storage.apply([Unit(rows=[writer])])).conflicts:
            return AuditChain(key, writer)
    raise StorageUnavailable("too many processes are starting their audit chains at once: try again")


def record_mac(key: bytes, previous: bytes, writer_id: UUID, sequence: int, entry: AuditEntry) -> bytes:
    texts = (
        entry.operation.encode(),
        entry.outcome.encode(),
        (entry.network or "").encode(),
        entry.request_id.encode(),
        entry.client.encode(),
        entry.details.encode(),
    )
    row = _RECORD.pack(
        writer_id.bytes,
        sequence,
        _microseconds(entry.at),
        entry.tenant_id.bytes,
        entry.principal_id.bytes,
        entry.operation_id.bytes,
        entry.wallet_id is not None,
        b"" if entry.wallet_id is None else entry.wallet_id.bytes,
        entry.network is not None,
        *map(len, texts),
    )
    return hmac_sha256(key, b"".join((previous, row, *texts)))


def holds(mac: bytes, make: Callable[[], bytes]) -> bool:
    """Whether ``mac`` equals what ``make`` returns. False if ``make`` cannot compute one for the row."""
    try:
        return hmac.compare_digest(mac, make())
    except (AttributeError, TypeError, ValueError, StructError):
        return False  # SQLite stores any type in any column, so we did not write this row


def follows(key: bytes, previous: bytes, record: AuditRecord) -> bool:
    """Whether ``record`` is authentic and follows the record with the MAC ``previous``."""
    return holds(record.mac, partial(record_mac, key, previous, record.writer_id, record.sequence, record.entry))


def writer_mac(key: bytes, previous: bytes, writer: AuditWriter) -> bytes:
    host = writer.host.encode()
    row = _WRITER.pack(b"writer", writer.id.bytes, writer.ordinal, _microseconds(writer.started_at), len(host))
    return hmac_sha256(key, previous + row + host)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
