"""Whether the database is the one whose audit heads were kept outside it, and what may be signed if it is an older one.

A backup that is put back has forgotten which nonces were signed since it was taken. Heads of audit records that the
database does not have give it away. Signing then stops until an operator says from where on it may go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from strongroom.domain.record import AuditOutcome, AuditRecord, AuditWriter, Floor
from strongroom.domain.signing import Guard
from strongroom.domain.wallet import Address
from strongroom.errors import AuditNotAnchored, ConfigurationError, IntegrityError, RestoredDatabase
from strongroom.journal.audit import Head, follows
from strongroom.journal.heads import HeadsSink, HeadsWriter
from strongroom.storage.base import Storage
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import RESTORED

_log = structlog.get_logger(__name__)

RESTORED_MARK: Final = "state.restored"
AUTHENTICATED_MARK: Final = "state.authenticated"
EVERY_ADDRESS: Final = "*"
"""Address of the floor that stands for those which nobody named: what was known when it was set does not sign."""
_STARTING: Final = timedelta(seconds=10)
_LOOKED_BACK: Final = 4
"""Writers that a start looks for among the heads. Heads of much earlier ones are no longer at the end of the file."""
_WRITERS: Final = 32
"""Writers whose newest heads are compared while serving."""


def newest_by_writer(heads: Iterable[Head]) -> dict[UUID, Head]:
    """The writers in the order of their newest heads."""
    found: dict[UUID, Head] = {}
    for head in heads:
        known = found.get(head.writer_id)
        if known is None or head.sequence >= known.sequence:
            found.pop(head.writer_id, None)
            found[head.writer_id] = head
    return found


async def lost(storage: Storage, heads: Iterable[Head]) -> dict[UUID, Head]:
    """Of the newest heads of each writer those that the database does not have. Raises StorageUnavailable."""
    return {id_: head for id_, head in newest_by_writer(heads).items() if not await _has(storage, head)}


async def _has(storage: Storage, head: Head) -> bool:
    try:
        if head.sequence == 0:
            writers = await storage.find(AuditWriter, ("id",), [(head.writer_id,)])
            return any(each.mac == head.mac for each in writers)
        records = await storage.audit_chain(head.writer_id, head.sequence - 1, 1)
    except IntegrityError:
        return False
    return bool(records) and (records[0].sequence, records[0].mac) == (head.sequence, head.mac)


async def marks(storage: Storage, key: bytes, operation: str) -> list[AuditRecord]:
    """Succeeded records of ``operation`` that are in their chain; one that is not gives the alarm."""
    found = []
    for record in await storage.marks(operation):
        if record.entry.outcome is not AuditOutcome.SUCCEEDED:
            continue
        previous = await _mac_before(storage, record)
        if previous is not None and follows(key, previous, record):
            found.append(record)
        else:
            integrity_alarm("audit", writer_id=record.writer_id, sequence=record.sequence)
    return found


async def _mac_before(storage: Storage, record: AuditRecord) -> bytes | None:
    if not isinstance(record.sequence, int) or record.sequence < 1:
        return None  # SQLite keeps any type in any column
    if record.sequence == 1:
        writers = await storage.find(AuditWriter, ("id",), [(record.writer_id,)])
        return writers[0].mac if writers else None
    before = await storage.audit_chain(record.writer_id, record.sequence - 2, 1)
    return before[0].mac if before and before[0].sequence == record.sequence - 1 else None


def accepted_losses(records: Iterable[AuditRecord]) -> dict[UUID, int]:
    """By writer: up to which sequence an operator has accepted that its records are gone."""
    found: dict[UUID, int] = {}
    for record in records:
        for writer_id, sequence in json.loads(record.entry.details).get("lost", {}).items():
            found[UUID(writer_id)] = max(int(sequence), found.get(UUID(writer_id), 0))
    return found


def not_accepted(heads: Mapping[UUID, Head], accepted: Mapping[UUID, int]) -> dict[UUID, Head]:
    return {id_: head for id_, head in heads.items() if head.sequence > accepted.get(id_, -1)}


class Gate:
    """Implements `journal.base.SigningGate`. `look` at start and every few seconds; the rest costs nothing."""

    def __init__(
        self, storage: Storage, key: bytes, sink: HeadsSink, heads: HeadsWriter, *, require_anchor: bool
    ) -> None:
        self._storage = storage
        self._key = key
        self._sink = sink
        self._heads = heads
        self._require_anchor = require_anchor
        self._floors: dict[tuple[str, str, str], Floor] = {}
        self.restored = False
        self.unanchored_before = False
        """The writers before this one have no heads: somebody emptied the sink, or it is another one."""

    @property
    def anchor_failing(self) -> bool:
        return self._heads.failing

    def require_open(self) -> None:
        if self.restored:
            raise RestoredDatabase("the database is older than the heads of its audit: see `strongroom restore accept`")
        if self._require_anchor and self._heads.failing:
            raise AuditNotAnchored(
                "the heads of the audit cannot be kept, and audit.require_anchor is set", retry_after=5
            )

    async def start(self, known: Sequence[Head] | None, earlier: Sequence[AuditWriter]) -> None:
        """``known``: what the sink held before this process wrote its own head. ``earlier``: writers of before that."""
        if known is not None:
            anchored = {head.writer_id for head in known}
            settled = [each for each in earlier if each.started_at < datetime.now(UTC) - _STARTING]
            self.unanchored_before = any(each.id not in anchored for each in settled[-_LOOKED_BACK:])
        if self.unanchored_before:
            integrity_alarm("audit_heads", reason="there are no heads of earlier writers")
        await self._compare(known or ())

    async def look(self) -> None:
        """Raises StorageUnavailable; a sink that cannot be read is one that fails."""
        try:
            known = await asyncio.to_thread(self._sink.newest)
        except (OSError, ConfigurationError) as error:
            _log.error("audit.heads_unreadable", reason=type(error).__name__)
            known = None
        written = [] if self._heads.written is None else [self._heads.written]
        await self._compare([*(known or ()), *written])

    async def _compare(self, heads: Iterable[Head]) -> None:
        newest = newest_by_writer(heads)
        recent = list(newest.values())[-_WRITERS:]
        missing = await lost(self._storage, recent)
        records = await marks(self._storage, self._key, RESTORED_MARK)
        if missing:
            missing = not_accepted(missing, accepted_losses(records))
        if records or self._floors:
            self._floors = {(row.keyspace, row.chain_id, row.address): row for row in await self._storage.floors()}
        if missing and not self.restored:
            integrity_alarm("restored_database", writers=len(missing))
        self.restored = bool(missing)
        RESTORED.set(self.restored)

    async def permit(self, guards: Sequence[Guard]) -> None:
        for guard in guards if self._floors else ():
            floor = self._floors.get((guard.keyspace, guard.chain_id, guard.address))
            if floor is not None:
                if guard.sequence.isdigit() and int(guard.sequence) < int(floor.sequence):
                    raise RestoredDatabase("this nonce is below the one from which may be signed since the restore")
            elif (rest := self._floors.get((guard.keyspace, EVERY_ADDRESS, EVERY_ADDRESS))) is not None:
                await self._require_new(guard, rest)

    async def _require_new(self, guard: Guard, floor: Floor) -> None:
        canonical = bytes.fromhex(guard.address)
        known = await self._storage.find(Address, ("keyspace", "canonical"), [(guard.keyspace, canonical)])
        if any(address.created_at <= floor.accepted_at for address in known):
            raise RestoredDatabase("the restore was accepted without a nonce for this address")
