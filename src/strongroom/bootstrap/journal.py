"""The journal of one process: its place in the audit, its committer, and where audit heads are anchored."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from pathlib import Path

from strongroom.config import Settings
from strongroom.journal import audit
from strongroom.journal.committer import Committer
from strongroom.journal.heads import FileHeads, HeadsSink, HeadsWriter, LogHeads
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage


async def open_journal(
    stack: AsyncExitStack, settings: Settings, storage: Storage, authenticity: Authenticity
) -> Committer:
    """Registers this process as a writer of the audit, and anchors the head of its chain outside the database."""
    chain = await audit.register(storage, authenticity.audit_key, socket.gethostname())
    committer = Committer(storage, chain)
    committer.start()
    heads = HeadsWriter(committer.head, _heads_sink(settings.audit.heads), settings.audit.interval)
    await heads.start()
    stack.push_async_callback(heads.close)
    stack.push_async_callback(committer.close)
    return committer


def _heads_sink(text: str) -> HeadsSink:
    return LogHeads() if text == "log" else FileHeads(Path(text.removeprefix("file:")))
