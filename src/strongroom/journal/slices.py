"""Verification of the audit in slices: what `journal.verify` does at once, a bounded number of records at a time.

It follows the chain of writers by their ordinals, and each writer's chain from its row on. Then it looks for writers
that have records and are not registered. Of the heads outside the database only the newest of each writer is compared,
because the chain protects what comes before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from strongroom.domain.record import AuditRecord, AuditWriter
from strongroom.domain.verification import Flaw, Looked
from strongroom.errors import ConfigurationError, IntegrityError
from strongroom.journal.audit import GENESIS, Head, follows, holds, writer_mac
from strongroom.journal.heads import read_heads
from strongroom.storage.base import Storage

NewestHeads = Callable[[], Mapping[UUID, Head]]

_WRITERS: Final = "writers"
_RECORDS: Final = "records"
_STRANGERS: Final = "strangers"


def newest_heads(path: Path, *, follow: bool = False) -> Mapping[UUID, Head]:
    """The newest heads by writer, from a file. Blocks. An unreadable file or line is ignored.

    ``follow``: whether the file may be a symbolic link.
    """
    newest: dict[UUID, Head] = {}
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except OSError:
        return newest
    with os.fdopen(descriptor, errors="replace") as lines:
        for line in lines:
            with contextlib.suppress(ConfigurationError):
                for head in read_heads([line]):
                    known = newest.get(head.writer_id)
                    if known is None or known.sequence < head.sequence:
                        newest[head.writer_id] = head
    return newest


class AuditSlices:
    """A `domain.verification.Slice`."""

    def __init__(self, storage: Storage, key: bytes, heads: NewestHeads, size: int = 1000) -> None:
        self._storage = storage
        self._key = key
        self._read_heads = heads
        self._heads: Mapping[UUID, Head] | None = None
        self._size = size

    async def __call__(self, cursor: bytes | None) -> Looked:
        place = json.loads(cursor) if cursor is not None else {"stage": _WRITERS, "ordinal": 0, "mac": GENESIS.hex()}
        if cursor is None or self._heads is None:  # read before any record, so that no head is younger than the records
            self._heads = await asyncio.to_thread(self._read_heads)
        stages = {_WRITERS: self._next_writer, _RECORDS: self._records, _STRANGERS: self._strangers}
        flaws: list[Flaw] = []
        checked = 0
        going: dict[str, Any] | None = place
        while going is not None and checked < self._size:
            going, seen = await stages[going["stage"]](going, flaws, self._size - checked)
            checked += seen
        return Looked(flaws, None if going is None else json.dumps(going).encode(), checked)

    async def _next_writer(self, place: Any, flaws: list[Flaw], _: int) -> tuple[Any, int]:
        try:
            found = await self._storage.audit_writers_after(place["ordinal"], 1)
        except IntegrityError:  # only `audit verify` can find what comes after it
            flaws.append(Flaw("unreadable", {"ordinal": str(place["ordinal"] + 1)}))
            found = []
        if not found:
            return {"stage": _STRANGERS, "after": None}, 1
        [writer] = found
        if writer.ordinal != place["ordinal"] + 1:
            flaws.append(Flaw("writer_missing", {"ordinal": str(place["ordinal"] + 1)}))
        if not holds(writer.mac, partial(writer_mac, self._key, bytes.fromhex(place["mac"]), writer)):
            flaws.append(Flaw("writer_changed", {"writer_id": str(writer.id)}))
        return _along(writer, 0, writer.mac), 1

    async def _records(self, place: Any, flaws: list[Flaw], most: int) -> tuple[Any, int]:
        writer_id, sequence, mac = UUID(place["writer_id"]), place["sequence"], bytes.fromhex(place["mac"])
        head = (self._heads or {}).get(writer_id)
        try:
            records = await self._storage.audit_chain(writer_id, sequence, most)
        except IntegrityError:
            flaws.append(Flaw("unreadable", {"writer_id": str(writer_id), "after": str(sequence)}))
            return _after_writer(place), 1
        for record in records:
            self._check(record, sequence, mac, head, flaws)
            sequence, mac = record.sequence, record.mac
        if len(records) == most:
            return {**place, "sequence": sequence, "mac": mac.hex()}, most
        if head is not None and head.sequence > sequence:
            flaws.append(Flaw("head_missing", {"writer_id": str(writer_id), "sequence": str(head.sequence)}))
        return _after_writer(place), len(records) + 1

    def _check(self, record: AuditRecord, sequence: int, mac: bytes, head: Head | None, flaws: list[Flaw]) -> None:
        where = {"writer_id": str(record.writer_id), "sequence": str(record.sequence)}
        if record.sequence != sequence + 1:
            flaws.append(Flaw("record_missing", {**where, "sequence": str(sequence + 1)}))
        if not follows(self._key, mac, record):
            flaws.append(Flaw("record_changed", where))
        if head is not None and head.sequence == record.sequence and head.mac != record.mac:
            flaws.append(Flaw("head_differs", where))

    async def _strangers(self, place: Any, flaws: list[Flaw], most: int) -> tuple[Any, int]:
        if place["after"] is None:
            flaws += [Flaw("writer_missing", {"writer_id": str(id_)}) for id_ in await self._lost_writers()]
        after = None if place["after"] is None else UUID(place["after"])
        most = min(most, 50)
        try:
            found = await self._storage.audit_writer_ids_after(after, most)
        except ValueError:  # SQLite stores any type in any column, and this is not an id
            flaws.append(Flaw("unreadable"))
            return None, 1
        flaws += [Flaw("writer_unknown", {"writer_id": str(id_)}) for id_, registered in found if not registered]
        return ({**place, "after": str(found[-1][0])} if len(found) == most else None), len(found) + 1

    async def _lost_writers(self) -> set[UUID]:
        """Writers with a head that are not registered."""
        lost = set(self._heads or ())
        ordinal = 0
        with contextlib.suppress(IntegrityError):  # it has been reported already
            while lost and (found := await self._storage.audit_writers_after(ordinal, 500)):
                lost -= {writer.id for writer in found}
                ordinal = found[-1].ordinal
        return lost


def _along(writer: AuditWriter, sequence: int, mac: bytes) -> dict[str, Any]:
    return {
        "stage": _RECORDS,
        "ordinal": writer.ordinal,
        "writer_mac": writer.mac.hex(),
        "writer_id": str(writer.id),
        "sequence": sequence,
        "mac": mac.hex(),
    }


def _after_writer(place: Any) -> dict[str, Any]:
    return {"stage": _WRITERS, "ordinal": place["ordinal"], "mac": place["writer_mac"]}
