"""Verification of everything that is stored: rows against their MACs, audit records against their chains, and the
tables against what the audit says was written.

It runs in slices beside a server. A slice takes a cursor and returns the next one, so that a task can keep its place
across restarts and choose its own pace.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from strongroom.domain.record import AuditOutcome, AuditRecord, AuditWriter
from strongroom.domain.wallet import SealedSecret, Wallet
from strongroom.errors import IntegrityError
from strongroom.journal.audit import GENESIS, follows, holds, writer_mac
from strongroom.journal.base import Finding, Slice
from strongroom.journal.stored import Stored
from strongroom.storage.base import AuditFilter, Storage

TABLES: Final = (
    "wallets", "secrets", "accounts", "addresses", "operations", "guards", "signatures", "api_keys", "service_secrets",
    "floors", "broadcasts", "discoveries", "revocations", "client_networks",
    "sightings", "alerts", "silences", "notifications",
)  # fmt: skip
_BEFORE_ALL: Final = -(2**63)
_STRANGE: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
"""What details that we did not write can raise."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    storage: Storage
    key: bytes

    async def slice(self, cursor: str | None, limit: int) -> Slice:
        """Checks at most ``limit`` rows or records. Raises StorageUnavailable, ValueError for a bad cursor."""
        if cursor is None:
            return await self._rows(TABLES[0], None, limit)
        phase, place, after = json.loads(cursor)
        if phase == "rows":
            return await self._rows(place, after, limit)
        return await self._records(int(place), int(after), limit)

    async def recent(self, limit: int) -> Slice:
        """A short verification for the start of a process: the newest records, and every revocation there ever was."""
        try:
            records = await self.storage.audit_records(AuditFilter(), None, limit)
            revocations = await self.storage.marks("api_keys.revoke")
        except IntegrityError:
            return Slice((Finding("unreadable", "audit"),), 0, None)
        known = {(each.writer_id, each.sequence) for each in records}
        records += [each for each in revocations if (each.writer_id, each.sequence) not in known]
        return Slice(tuple(await self._reconcile(records)), len(records), None)

    async def _rows(self, table: str, after: str | None, limit: int) -> Slice:
        scanned = await self.storage.scan(table, after, limit)
        findings = [Finding("row_changed", table, key) for key in scanned.broken]
        if table == "wallets":
            findings += await self._without_secret([row for row in scanned.rows if isinstance(row, Wallet)])
        if table == "service_secrets" and after is None and not scanned.rows and not scanned.broken:
            findings.append(Finding("service_secret_missing", table))
        done = len(scanned.rows) + len(scanned.broken)
        if scanned.after is not None:
            return Slice(tuple(findings), done, json.dumps(["rows", table, scanned.after]))
        later = TABLES[TABLES.index(table) + 1 :]
        following = ["rows", later[0], None] if later else ["audit", 0, _BEFORE_ALL]
        return Slice(tuple(findings), done, json.dumps(following))

    async def _without_secret(self, wallets: Sequence[Wallet]) -> list[Finding]:
        secrets = await self.storage.find(SealedSecret, ("wallet_id",), [(wallet.id,) for wallet in wallets])
        there = {(secret.wallet_id, secret.version) for secret in secrets}
        return [
            Finding("secret_missing", "secrets", str(wallet.id))
            for wallet in wallets
            if (wallet.id, wallet.secret_version) not in there
        ]

    async def _records(self, number: int, after: int, limit: int) -> Slice:
        """A slice of audit records. ``number``: the writer's place in the order of ordinals."""
        try:
            writers = await self.storage.audit_writers()
            if number >= len(writers):
                unknown = await self.storage.audit_writer_ids() - {each.id for each in writers}
                return Slice(tuple(Finding("writer_unknown", "audit", str(each)) for each in unknown), 0, None)
            writer = writers[number]
            findings = [] if after != _BEFORE_ALL else _writer(self.key, writers, number)
            records = await self.storage.audit_chain(writer.id, after, limit)
            walk = _Chain(self.key, writer, *(await self._before(writer, after)))
        except IntegrityError:
            findings = [Finding("unreadable", "audit", str(number))]
            return Slice(tuple(findings), 0, json.dumps(["audit", number + 1, _BEFORE_ALL]))
        authentic = [record for record in records if walk.step(record)]
        findings += walk.findings + await self._reconcile(authentic)
        following = ["audit", number, records[-1].sequence] if records else ["audit", number + 1, _BEFORE_ALL]
        return Slice(tuple(findings), len(records), json.dumps(following))

    async def _before(self, writer: AuditWriter, after: int) -> tuple[int, bytes]:
        if after == _BEFORE_ALL:
            return 0, writer.mac
        found = await self.storage.audit_chain(writer.id, after - 1, 1)
        return (after, found[0].mac) if found and found[0].sequence == after else (after, GENESIS)

    async def _reconcile(self, records: Sequence[AuditRecord]) -> list[Finding]:
        succeeded = [each for each in records if each.entry.outcome is AuditOutcome.SUCCEEDED]
        if not succeeded:
            return []
        try:
            return await self._compared(succeeded)
        except _STRANGE:  # one bad record must not hide the findings about others
            return [finding for each in succeeded for finding in await self._alone(each)]

    async def _alone(self, record: AuditRecord) -> list[Finding]:
        try:
            return await self._compared([record])
        except _STRANGE:
            return [Finding("unreadable", "audit", f"{record.writer_id}/{record.sequence}")]

    async def _compared(self, records: Sequence[AuditRecord]) -> list[Finding]:
        return await Stored(self.storage).compare(records)


def _writer(key: bytes, writers: Sequence[AuditWriter], number: int) -> list[Finding]:
    """Whether this writer's row is the one that was chained to the row before it."""
    writer = writers[number]
    previous = writers[number - 1] if number else None
    findings = []
    if writer.ordinal != (previous.ordinal if previous else 0) + 1:
        findings.append(Finding("writer_missing", "audit_writers", str(writer.ordinal)))
    if not holds(writer.mac, partial(writer_mac, key, previous.mac if previous else GENESIS, writer)):
        findings.append(Finding("writer_changed", "audit_writers", str(writer.id)))
    return findings


@dataclass(slots=True)
class _Chain:
    key: bytes
    writer: AuditWriter
    sequence: int
    mac: bytes
    findings: list[Finding] = field(default_factory=list)

    def step(self, record: AuditRecord) -> bool:
        """Whether the record is as we wrote it."""
        if record.sequence != self.sequence + 1:
            self._find("record_missing", self.sequence + 1)
        authentic = follows(self.key, self.mac, record)
        if not authentic:
            self._find("record_changed", record.sequence)
        self.sequence, self.mac = record.sequence, record.mac
        return authentic

    def _find(self, kind: str, sequence: int) -> None:
        self.findings.append(Finding(kind, "audit", f"{self.writer.id}/{sequence}"))
