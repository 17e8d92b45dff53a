"""Whether every row has its MAC yet, and the step that gives rows of 1.0.8 theirs.

A database from before 1.1 has rows without a MAC, and a missing MAC must be told from a removed one. So the audit
records when all rows were authenticated. Until then rows are believed as 1.0.8 believed them. From then on a row
without a MAC has been tampered with. A new database is marked when its first process starts.

Removing the mark breaks the audit chain, so an unmarked database is believed only if its chains hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from strongroom.domain.record import AUTHENTICATED_MARK, RESTORED_MARK, AuditOutcome
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.local import local_entry
from strongroom.journal.reconcile import TABLES
from strongroom.journal.restored import accepted_losses, marks
from strongroom.journal.verify import verify
from strongroom.storage.base import Storage, Unit

_log = structlog.get_logger(__name__)

_PAGE: Final = 500
_ALWAYS: Final = ("addresses", "api_keys", "floors")
"""Tables whose rows always had a MAC."""
_HARMLESS: Final = {"no_heads", "writer_unanchored"}
"""Findings from a process of 1.0.8 that was killed while it started, or from a sink that was moved."""


async def is_authenticated(storage: Storage, key: bytes) -> bool:
    return bool(await marks(storage, key, AUTHENTICATED_MARK))


async def is_new(storage: Storage) -> bool:
    """Whether nothing was ever done with this database."""
    if await storage.audit_writers_after(0, 1) or await storage.audit_writer_ids_after(None, 1):
        return False
    for table in ("wallets", "operations"):
        scanned = await storage.scan(table, None, 1)
        if scanned.rows or scanned.broken:
            return False
    return True


async def may_be_believed(storage: Storage, key: bytes, heads: Sequence[Head] | None) -> bool:
    """Whether the mark of an unmarked database was not removed, as far as the audit can tell."""
    accepted = accepted_losses(await marks(storage, key, RESTORED_MARK))
    report = await verify(storage, key, heads, accepted=accepted)
    faults = {finding.kind for finding in report.findings} - _HARMLESS
    if faults:
        _log.critical("state.not_believed", findings=sorted(faults))
    return not faults


def _quietly(table: str, rows: int) -> None:
    """For callers that show no progress."""


async def authenticate(storage: Storage, committer: Committer, progress: Callable[[str, int], None] = _quietly) -> int:
    """Gives every row the MAC for its present content, and marks the database. Returns how many rows had none.

    It may be stopped and started again, because rows with a valid MAC are left alone. No process of 1.0.8 may write any
    more, since it leaves rows without a MAC, or with an outdated one.
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
