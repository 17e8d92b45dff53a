"""Assembles the journal of one process: its audit writer, its committer, and the anchor of audit heads."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import structlog

from strongroom.config.sections import AuditSettings, DatabaseSettings
from strongroom.config.settings import Settings
from strongroom.errors import ConfigurationError
from strongroom.journal import audit, phase
from strongroom.journal.audit import Head
from strongroom.journal.committer import Committer
from strongroom.journal.heads import FileHeads, HeadsSink, HeadsWriter, LogHeads
from strongroom.journal.restored import Gate
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage

_log = structlog.get_logger(__name__)

_COMMIT: Final = 1.2
"""How many times `database.timeout` a commit may take. It may have to read the end of the audit chain first."""
_SQLITE_COMMIT: Final = 2.0
"""Seconds that a commit to SQLite may take at least: it waits for the disk, and for no server."""


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """The journal of this process, ready for use."""

    committer: Committer
    gate: Gate
    known_heads: Sequence[Head] | None
    """The sink's content before this process wrote its own head. None if it cannot be read."""


async def open_journal(
    stack: AsyncExitStack, settings: Settings, storage: Storage, authenticity: Authenticity
) -> OpenJournal:
    """Register this process as an audit writer, and anchor the head of its chain outside the database.

    Before that, find out how far the rows can be trusted (`journal.phase`).
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
        await storage.service_secret()  # its row has a MAC too, and was opened before that could be checked
    earlier = await storage.audit_writers()
    chain = await audit.register(storage, key, socket.gethostname())
    committer = Committer(storage, chain, timeout=_commit_timeout(settings.database))
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


def _commit_timeout(database: DatabaseSettings) -> float:
    """Seconds for a commit as a whole. The end of the audit chain may have to be read first."""
    seconds = database.timeout * _COMMIT
    return max(_SQLITE_COMMIT, seconds) if database.url.reveal().startswith("sqlite") else seconds


def _heads_sink(settings: AuditSettings) -> HeadsSink:
    return LogHeads(settings.known_heads) if settings.heads_file is None else FileHeads(settings.heads_file)


async def _known(sink: HeadsSink) -> Sequence[Head] | None:
    """Raises ConfigurationError for heads that cannot be parsed."""
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
    """Before the first worker starts, mark a new database, or put the rows of 1.0.8 in SQLite under their MACs.

    An SQLite database has no other users then. PostgreSQL may have some, so it is left to `keys authenticate`.
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
