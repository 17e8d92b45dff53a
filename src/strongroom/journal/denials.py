"""Denials in the audit. For each principal and operation the first ten per minute are recorded, then only their number.

Otherwise a key without rights could write a permanent record with each call that it may make. The count is kept in
memory for its minute. A process that is killed loses it, and one that is stopped writes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from strongroom.domain.alert import MOST_ALIKE, OTHERS, RULES, Seen
from strongroom.domain.brief import brief
from strongroom.domain.record import AuditEntry
from strongroom.errors import StrongroomError
from strongroom.journal.base import Commit, sighting_unit
from strongroom.storage.base import Unit

_log = structlog.get_logger(__name__)

EACH: Final = 10
_MOST: Final = 4096
"""Most counts at a time. Beyond that the oldest one is written early."""
_REASONS: Final = 5
_RECORDS_A_COMMIT: Final = 100

_Place = tuple[UUID, UUID, str]


@dataclass(slots=True)
class _Count:
    """The denials of one principal, operation and minute."""

    minute: datetime
    denied: int = 0
    last: AuditEntry | None = None
    """The last denial without a record of its own."""
    first_at: datetime | None = None
    reasons: tuple[str, ...] = ()

    def add(self, entry: AuditEntry, reason: str) -> None:
        self.last = entry
        self.first_at = self.first_at or entry.at
        if reason not in self.reasons and len(self.reasons) < _REASONS:
            self.reasons += (reason,)

    def record(self) -> AuditEntry | None:
        if self.last is None or self.first_at is None:
            return None
        details = {
            "count": self.denied - EACH,
            "from": self.first_at.isoformat(),
            "to": self.last.at.isoformat(),
            "reasons": self.reasons,
        }
        return replace(self.last, details=brief(details).decode())


class Denials:
    def __init__(
        self, commit: Commit, clock: Callable[[], datetime], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._commit = commit
        self._clock = clock
        self._sleep = sleep
        self._counts: dict[_Place, _Count] = {}
        self._loud: dict[UUID, set[UUID]] = {}
        """The principals that get an alert each in the minute `_loud_in`, by tenant."""
        self._loud_in: datetime | None = None
        self._unwritten: list[AuditEntry] = []
        self._timer: asyncio.Task[None] | None = None

    async def record(self, entry: AuditEntry, reason: str) -> None:
        """Records a denial. Raises StorageUnavailable if it has a record of its own."""
        place = (entry.tenant_id, entry.principal_id, entry.operation)
        minute = entry.at.replace(second=0, microsecond=0)
        count = self._counts.get(place)
        if count is None or count.minute != minute:
            self._end(place)
            if len(self._counts) >= _MOST:
                self._end(next(iter(self._counts)))
            count = self._counts[place] = _Count(minute)
        count.denied += 1
        if count.denied <= EACH:
            await self._commit(self._burst(entry, minute) if count.denied == EACH else Unit(), [entry])
        else:
            count.add(entry, reason)
        if self._timer is None or self._timer.done():
            self._timer = asyncio.create_task(self._write_each_minute(), name="denials")

    def _burst(self, entry: AuditEntry, minute: datetime) -> Unit:
        """A unit that raises an alert, committed with the last denial that is recorded one by one."""
        if self._loud_in is None or self._loud_in < minute:
            self._loud_in, self._loud = minute, {}
        loud = self._loud.setdefault(entry.tenant_id, set())
        if len(loud) < MOST_ALIKE:
            loud.add(entry.principal_id)
        seen = Seen("denials", OTHERS, entry.tenant_id)
        if entry.principal_id in loud:
            facts = {"api_key": str(entry.principal_id), "operation": entry.operation, "client": entry.client}
            seen = Seen("denials", str(entry.principal_id), entry.tenant_id, facts)
        return sighting_unit(RULES["denials"], seen, entry.at)

    async def close(self) -> None:
        """Writes what has been counted. Call it before the committer is closed."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)
        for place in list(self._counts):
            self._end(place)
        await self._write()
        if self._unwritten:
            _log.error("audit.denials_lost", records=len(self._unwritten))

    def _end(self, place: _Place) -> None:
        count = self._counts.pop(place, None)
        record = None if count is None else count.record()
        if record is not None:
            self._unwritten.append(record)

    async def _write_each_minute(self) -> None:
        """Runs as long as anything is counted."""
        while self._counts or self._unwritten:
            now = self._clock()
            await self._sleep(60.0 - now.second - now.microsecond / 1e6 + 0.01)
            minute = self._clock().replace(second=0, microsecond=0)
            for place in [place for place, count in self._counts.items() if count.minute < minute]:
                self._end(place)
            await self._write()

    async def _write(self) -> None:
        while self._unwritten:
            records = self._unwritten[:_RECORDS_A_COMMIT]
            try:
                await self._commit(Unit(), records)
            except StrongroomError as error:
                _log.warning("audit.denials_not_written", code=error.code)
                del self._unwritten[:-_MOST]
                return
            del self._unwritten[: len(records)]
