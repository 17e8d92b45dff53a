"""Whether the database matches the audit heads outside it, and what may be signed if it is an older one.

A restored backup has forgotten the nonces that were signed since it was taken. Heads of audit records that the database
lacks reveal that. Signing then stops until an operator states from where it may go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from strongroom.domain.record import RESTORED_MARK, AuditOutcome, AuditRecord, AuditWriter, Floor
from strongroom.domain.signing import Guard
from strongroom.domain.wallet import Address
from strongroom.errors import AuditNotAnchored, ConfigurationError, IntegrityError, RestoredDatabase
from strongroom.journal.audit import Head, follows
from strongroom.journal.heads import HeadsSink, HeadsWriter
from strongroom.storage.base import Storage
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import RESTORED

_log = structlog.get_logger(__name__)

EVERY_ADDRESS: Final = "*"
"""Address of the floor for all addresses that were not named. Addresses known when it was set do not sign."""
_STARTING: Final = timedelta(seconds=10)
_LOOKED_BACK: Final = 4
"""Writers whose heads are looked for at start. The end of the file may no longer have heads of much earlier writers."""
_WRITERS: Final = 32
"""Writers whose newest heads are compared while serving."""


def newest_by_writer(heads: Iterable[Head]) -> dict[UUID, Head]:
    """The newest head of each writer, in the order of those heads."""
    found: dict[UUID, Head] = {}
    for head in heads:
        known = found.get(head.writer_id)
        if known is None or head.sequence >= known.sequence:
            found.pop(head.writer_id, None)
            found[head.writer_id] = head
    return found


async def lost(storage: Storage, heads: Iterable[Head]) -> dict[UUID, Head]:
    """The newest heads, by writer, that the database does not have. Raises StorageUnavailable."""
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
    """Succeeded records of ``operation`` that are in their chain. One that is not raises the alarm."""
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
        return None  # SQLite stores any type in any column
    if record.sequence == 1:
        writers = await storage.find(AuditWriter, ("id",), [(record.writer_id,)])
        return writers[0].mac if writers else None
    before = await storage.audit_chain(record.writer_id, record.sequence - 2, 1)
    return before[0].mac if before and before[0].sequence == record.sequence - 1 else None


def accepted_losses(records: Iterable[AuditRecord]) -> dict[UUID, int]:
    """The sequence, by writer, up to which an operator has accepted that records are gone."""
    found: dict[UUID, int] = {}
    for record in records:
        for writer_id, sequence in json.loads(record.entry.details).get("lost", {}).items():
            found[UUID(writer_id)] = max(int(sequence), found.get(UUID(writer_id), 0))
    return found


def not_accepted(heads: Mapping[UUID, Head], accepted: Mapping[UUID, int]) -> dict[UUID, Head]:
    return {id_: head for id_, head in heads.items() if head.sequence > accepted.get(id_, -1)}


class Gate:
    """Implements `journal.base.SigningGate`. Call `look` at start and every few seconds. Everything else is cheap."""

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
        """Whether the writers before this one have no heads: the sink was emptied, or it is a different one."""

    @property
    def anchor_failing(self) -> bool:
        return self._heads.failing

    def require_open(self) -> None:
        if self.restored:
            raise RestoredDatabase(
                "the database is older than its audit heads, as after a restore: see `strongroom restore accept`"
            )
        if self._require_anchor and self._heads.failing:
            raise AuditNotAnchored("the audit heads cannot be written, and audit.require_anchor is set", retry_after=5)

    async def start(self, known: Sequence[Head] | None, earlier: Sequence[AuditWriter]) -> None:
        """Compares the heads. ``known``: what the sink held before this process wrote its own. ``earlier``: the writers
        before.
        """
        if known is not None:
            anchored = {head.writer_id for head in known}
            settled = [each for each in earlier if each.started_at < datetime.now(UTC) - _STARTING]
            self.unanchored_before = any(each.id not in anchored for each in settled[-_LOOKED_BACK:])
        if self.unanchored_before:
            integrity_alarm("audit_heads", reason="the audit heads hold none of earlier writers")
        await self._compare(known or ())

    async def look(self) -> None:
        """Compares the heads again. Raises StorageUnavailable. A sink that cannot be read counts as failing."""
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
                    raise RestoredDatabase("this nonce is below the lowest one that may be signed since the restore")
            elif (rest := self._floors.get((guard.keyspace, EVERY_ADDRESS, EVERY_ADDRESS))) is not None:
                await self._require_new(guard, rest)

    async def _require_new(self, guard: Guard, floor: Floor) -> None:
        canonical = bytes.fromhex(guard.address)
        known = await self._storage.find(Address, ("keyspace", "canonical"), [(guard.keyspace, canonical)])
        if any(address.created_at <= floor.accepted_at for address in known):
            raise RestoredDatabase(
                "the restore was accepted without a lowest nonce for this address: see `strongroom restore accept "
                "--from`"
            )
