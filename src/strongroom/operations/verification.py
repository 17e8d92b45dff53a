"""Steps of a verification. Each finding is counted, alarmed and logged, whoever asked for the step."""

from __future__ import annotations

from typing import Final

import structlog

from strongroom.domain.verification import Flaw, Looked
from strongroom.journal.base import Finding, Slice, Verifier
from strongroom.telemetry.alarms import integrity_alarm
from strongroom.telemetry.metrics import VERIFY_FINDINGS_TOTAL

_log = structlog.get_logger(__name__)

SLICE: Final = 500
RECENT: Final = 1_000


async def verify_slice(verifier: Verifier, cursor: str | None, limit: int = SLICE) -> Slice:
    """The step after ``cursor``, or the first for None. Call it again with the returned cursor until that is None.

    Raises StorageUnavailable, after which the same cursor can be used again, and ValueError for a cursor that is not
    ours.
    """
    found = await verifier.slice(cursor, limit)
    _tell(found.findings)
    return found


async def look_at_state(verifier: Verifier, limit: int, cursor: bytes | None) -> Looked:
    """The same for a slice of the nightly verification (`operations.verifying`), which raises the alarms itself."""
    found = await verifier.slice(None if cursor is None else cursor.decode(), limit)
    for finding in found.findings:
        VERIFY_FINDINGS_TOTAL.labels(finding.kind).inc()
    flaws = [Flaw(each.kind, {"table": each.table, "key": each.key, "record": each.record}) for each in found.findings]
    return Looked(flaws, None if found.cursor is None else found.cursor.encode(), found.checked)


async def verify_recent(verifier: Verifier, limit: int = RECENT) -> Slice:
    """A verification of the newest rows only, for the start of a process."""
    found = await verifier.recent(limit)
    _tell(found.findings)
    return found


def _tell(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        VERIFY_FINDINGS_TOTAL.labels(finding.kind).inc()
        integrity_alarm(finding.kind, table=finding.table, key=finding.key, record=finding.record)
