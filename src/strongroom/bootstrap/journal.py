"""The journal of one process: its place in the audit, its committer, and where audit heads are anchored."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from strongroom.config import Settings
from strongroom.config.sections import AuditSettings
from strongroom.errors import ConfigurationError
from strongroom.journal import audit, phase
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.heads import FileHeads, HeadsSink, HeadsWriter, LogHeads
from strongroom.journal.restored import Gate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenJournal:
    committer: Committer
    gate: Gate
    known_heads: Sequence[Head] | None
    """What the sink held before this process wrote its own head; None where it cannot be read."""


async def open_journal(
    stack: AsyncExitStack, settings: Settings, storage: Storage, authenticity: Authenticity
) -> OpenJournal:
    """Registers this process as a writer of the audit, and anchors the head of its chain outside the database.

    Before that it finds out how far the rows are to be believed (`journal.phase`).
    """
    sink = _heads_sink(settings.audit)
    known = await _known(sink)
    key = authenticity.audit_key
    new = await phase.is_new(storage)
    authenticity.strict = new or await phase.is_authenticated(storage, key)
    if not authenticity.strict:
        authenticity.strict = not await phase.may_be_believed(storage, key, known)
        _log.warning("state.not_authenticated", believed=not authenticity.strict, mend="strongroom keys authenticate")
    if not new:
        await storage.service_secret()  # its row is under a MAC too, which it had to be opened for
    earlier = await storage.audit_writers()
    committer = Committer(storage, await audit.register(storage, key, socket.gethostname()))
    committer.start()
    heads = HeadsWriter(committer.head, sink, settings.audit.interval)
    await heads.start()
    stack.push_async_callback(heads.close)
    stack.push_async_callback(committer.close)
    if new:
        await phase.authenticate(storage, committer)
    gate = Gate(storage, key, sink, heads, require_anchor=settings.audit.require_anchor)
    await gate.start(known, earlier)
    return OpenJournal(committer, gate, known)


def _heads_sink(settings: AuditSettings) -> HeadsSink:
    return LogHeads(settings.known_heads) if settings.heads_file is None else FileHeads(settings.heads_file)


async def _known(sink: HeadsSink) -> Sequence[Head] | None:
    """Raises ConfigurationError for heads that cannot be understood: nobody could say what they stand for."""
    try:
        return await asyncio.to_thread(sink.newest)
    except OSError as error:
        if isinstance(sink, LogHeads):
            raise ConfigurationError("audit.known_heads cannot be read", field="audit.known_heads") from None
        _log.error("audit.heads_unreadable", reason=type(error).__name__)
        return None


def look_at(gate: Gate, storage: Storage, authenticity: Authenticity) -> Callable[[], Awaitable[Gate]]:
    """What the health check of the audit does each time: compare heads, and see whether the rows are authenticated."""

    async def look() -> Gate:
        await gate.look()
        if not authenticity.strict:
            authenticity.strict = await phase.is_authenticated(storage, authenticity.audit_key)
        return gate

    return look


async def authenticate_alone(settings: Settings, storage: Storage, authenticity: Authenticity) -> None:
    """Before the first worker: a new database is marked, and the rows of 1.0.8 in SQLite are put under their MACs.

    No other process has an SQLite database then. On PostgreSQL others may, so it is left to `keys authenticate`.
    """
    sqlite = settings.database.url.reveal().startswith("sqlite")
    if await phase.is_authenticated(storage, authenticity.audit_key):
        return
    if not sqlite and not await phase.is_new(storage):
        return
    async with AsyncExitStack() as stack:
        journal = await open_journal(stack, settings, storage, authenticity)
        if not authenticity.strict:
            rows = await phase.authenticate(storage, journal.committer)
            authenticity.strict = True
            _log.info("state.authenticated", rows=rows)
