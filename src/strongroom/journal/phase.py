"""Whether every row is under its MAC yet, and the step that puts those of 1.0.8 under theirs.

A database from before 1.1 has rows without a MAC, and a MAC that is missing must be told from one that was taken away.
So the audit says when they were all authenticated. Until it does, rows are believed as 1.0.8 believed them; from then
on a row without a MAC was changed. A new database is marked when its first process starts.

Taking the mark away means breaking the audit's chain, so an unmarked database is only believed if its chains hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from strongroom.domain.record import AuditOutcome
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.local import local_entry
from strongroom.journal.reconcile import TABLES
from strongroom.journal.restored import AUTHENTICATED_MARK, RESTORED_MARK, accepted_losses, marks
from strongroom.journal.verify import verify
from strongroom.storage.base import Storage, Unit

_log = structlog.get_logger(__name__)

_PAGE: Final = 500
_ALWAYS: Final = ("addresses", "api_keys", "floors")
"""Tables whose rows never were without a MAC."""
_HARMLESS: Final = {"no_heads", "writer_unanchored"}
"""A process of 1.0.8 that was killed at its start, or a sink that was moved."""


async def is_authenticated(storage: Storage, key: bytes) -> bool:
    return bool(await marks(storage, key, AUTHENTICATED_MARK))


async def is_new(storage: Storage) -> bool:
    """Nothing was ever done with this database."""
    if await storage.audit_writers_after(0, 1) or await storage.audit_writer_ids_after(None, 1):
        return False
    for table in ("wallets", "operations"):
        scanned = await storage.scan(table, None, 1)
        if scanned.rows or scanned.broken:
            return False
    return True


async def may_be_believed(storage: Storage, key: bytes, heads: Sequence[Head] | None) -> bool:
    """Of a database without the mark: whether nobody took it away, as far as the audit can say."""
    accepted = accepted_losses(await marks(storage, key, RESTORED_MARK))
    report = await verify(storage, key, heads, accepted=accepted)
    faults = {finding.kind for finding in report.findings} - _HARMLESS
    if faults:
        _log.critical("state.not_believed", findings=sorted(faults))
    return not faults


def _quietly(table: str, rows: int) -> None:
    """For callers that show no progress."""


async def authenticate(storage: Storage, committer: Committer, progress: Callable[[str, int], None] = _quietly) -> int:
    """Puts every row under its MAC as it stands, and marks the database. Returns how many had none.

    May be stopped and begun again: rows that are under their MAC are read and left alone. Nothing of 1.0.8 may write
    any more, since it leaves rows behind whose MAC is missing or that of an earlier version.
    """
    requested = local_entry(AUTHENTICATED_MARK, {}, outcome=AuditOutcome.REQUESTED)
    await committer.commit(Unit(), [requested])
    counts: dict[str, int] = {}
    for table in TABLES:
        if table in _ALWAYS:
            continue
        after: str | None = None
        while True:
            changed, after = await storage.authenticate(table, after, _PAGE)
            counts[table] = counts.get(table, 0) + changed
            if after is None:
                break
            progress(table, counts[table])
        progress(table, counts[table])
    done = local_entry(AUTHENTICATED_MARK, {"rows": counts}, operation_id=requested.operation_id)
    await committer.commit(Unit(), [done])
    return sum(counts.values())
