"""`audit verify`: walks every chain and compares it with the heads that were kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final
from uuid import UUID

from strongroom.domain.record import AuditRecord, AuditWriter
from strongroom.errors import IntegrityError
from strongroom.journal.audit import GENESIS, Head, follows, holds, writer_mac
from strongroom.storage.base import Storage

_PAGE: Final = 1000
_BEFORE_ALL: Final = -(2**63)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not match. ``kind``: writer_missing, writer_changed, writer_unknown, record_missing,
    record_changed, head_missing (the chain ends before a head), head_differs, no_heads (none at all), writer_unanchored
    (a writer from before the newest head has none: it anchored nothing, or its heads were removed), unreadable.
    """

    kind: str
    writer_id: UUID | None = None
    sequence: int | None = None


@dataclass(slots=True)
class Report:
    writers: int = 0
    records: int = 0
    unanchored: int = 0
    """Records younger than the last head of their chain. Whether there were more of them cannot be told."""
    accepted: int = 0
    """Chains without their end, which an operator accepted after a restore."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings


async def verify(
    storage: Storage,
    key: bytes,
    heads: Iterable[Head] | None = None,
    *,
    but: frozenset[UUID] = frozenset(),
    accepted: Mapping[UUID, int] = MappingProxyType({}),
) -> Report:
    """Verifies all chains. Raises StorageUnavailable. Everything else that is wrong is a finding.

    Without ``heads`` the chains are only checked in themselves. ``but``: writers that have just begun, whose heads may
    not be there yet. ``accepted``: losses that an operator accepted, as the last sequence by writer.
    """
    report = Report()
    compared, heads = heads is not None, list(heads or ())
    if compared and not heads:
        report.findings.append(Finding("no_heads"))
    by_writer: dict[UUID, dict[int, bytes]] = {}
    for head in heads:
        known = by_writer.setdefault(head.writer_id, {}).setdefault(head.sequence, head.mac)
        if known != head.mac:
            report.findings.append(Finding("head_differs", head.writer_id, head.sequence))
    try:
        writers = await storage.audit_writers()
        writer_ids = await storage.audit_writer_ids()
    except (IntegrityError, ValueError):
        report.findings.append(Finding("unreadable"))
        return report
    _verify_writers(report, key, writers)
    newest = max((head.at for head in heads), default=None)
    for writer in writers:
        if newest is not None and _should_have_one(writer, newest) and writer.id not in {*by_writer, *but}:
            report.findings.append(Finding("writer_unanchored", writer.id))
        of_writer = by_writer.pop(writer.id, {})
        await _Walk(report, key, writer, of_writer, accepted.get(writer.id, -1)).run(storage)
    for writer_id, of_writer in by_writer.items():
        if max(of_writer) <= accepted.get(writer_id, -1):
            report.accepted += 1
        else:
            report.findings.append(Finding("writer_missing", writer_id))
    report.findings += [Finding("writer_unknown", id_) for id_ in writer_ids - {writer.id for writer in writers}]
    return report


def _should_have_one(writer: AuditWriter, newest: datetime) -> bool:
    """Whether it began before the newest head was kept. A later writer is as unanchored as its records."""
    try:
        return writer.started_at <= newest
    except TypeError:
        return True


def _verify_writers(report: Report, key: bytes, writers: Sequence[AuditWriter]) -> None:
    previous, ordinal = GENESIS, 0
    for writer in writers:
        report.writers += 1
        if writer.ordinal != ordinal + 1:
            report.findings.append(Finding("writer_missing"))
        if not holds(writer.mac, partial(writer_mac, key, previous, writer)):
            report.findings.append(Finding("writer_changed", writer.id))
        previous, ordinal = writer.mac, writer.ordinal


class _Walk:
    """A walk along one writer's chain."""

    def __init__(self, report: Report, key: bytes, writer: AuditWriter, heads: dict[int, bytes], accepted: int) -> None:
        self._accepted = accepted
        self._report = report
        self._key = key
        self._writer_id = writer.id
        self._heads = heads
        self._anchored = max(heads, default=0)
        self._sequence = 0
        self._mac = writer.mac

    async def run(self, storage: Storage) -> None:
        self._compare_head()
        after = _BEFORE_ALL
        try:
            while records := await storage.audit_chain(self._writer_id, after, _PAGE):
                after = records[-1].sequence
                for record in records:
                    self._step(record)
        except IntegrityError:
            self._find("unreadable", None)
            return
        for sequence in self._heads:
            if sequence > self._accepted:
                self._find("head_missing", sequence)
        self._report.accepted += any(sequence <= self._accepted for sequence in self._heads)

    def _step(self, record: AuditRecord) -> None:
        expected = self._sequence + 1
        if record.sequence != expected:
            self._find("record_missing", expected)
        if not follows(self._key, self._mac, record):
            self._find("record_changed", record.sequence)
        self._sequence, self._mac = record.sequence, record.mac
        self._report.records += 1
        self._report.unanchored += record.sequence > self._anchored
        self._compare_head()

    def _compare_head(self) -> None:
        mac = self._heads.pop(self._sequence, None)
        if mac is not None and mac != self._mac:
            self._find("head_differs", self._sequence)

    def _find(self, kind: str, sequence: int | None) -> None:
        self._report.findings.append(Finding(kind, self._writer_id, sequence))
