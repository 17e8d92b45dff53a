"""Heads of the audit chains, kept outside SQL: what shows that the end of a chain, or a whole chain, is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog

from strongroom.errors import ConfigurationError
from strongroom.journal.audit import Head

_log = structlog.get_logger(__name__)


class HeadsSink(Protocol):
    def append(self, head: Head) -> None:
        """Returns when the head is as durable as it gets. Blocks; may raise OSError."""


class FileHeads:
    """Appends one JSON line a head."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, head: Head) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if torn else b"") + (json.dumps(_line(head)) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class LogHeads:
    """Writes heads to the log, whose keeper is somebody else than the database's."""

    def append(self, head: Head) -> None:
        _log.info("audit.head", **_line(head))


def read_heads(lines: Iterable[str]) -> list[Head]:
    """What `FileHeads` wrote, or the lines of a log that hold such JSON. Raises ConfigurationError."""
    heads = []
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            break  # torn: the process died in the middle of it
        if line.strip():
            heads.append(_head(line, number))
    return heads


def _line(head: Head) -> dict[str, object]:
    return {
        "at": head.at.isoformat(timespec="microseconds"),
        "writer_id": str(head.writer_id),
        "sequence": head.sequence,
        "mac": head.mac.hex(),
    }


def _head(line: str, number: int) -> Head:
    try:
        found = json.loads(line)
        return Head(
            datetime.fromisoformat(found["at"]),
            UUID(found["writer_id"]),
            int(found["sequence"]),
            bytes.fromhex(found["mac"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"line {number} of the audit heads cannot be read") from None


class HeadsWriter:
    """Writes this process's head at start, whenever it moved, every ``interval`` seconds, and at the end."""

    def __init__(self, head: Callable[[], Head], sink: HeadsSink, interval: float = 60.0) -> None:
        self._head = head
        self._sink = sink
        self._interval = interval
        self._written = -1
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._write()
        self._task = asyncio.create_task(self._run(), name="audit-heads")

    async def close(self) -> None:
        """After the committer is closed: nothing is younger than this head."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._write()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._write()

    async def _write(self) -> None:
        head = self._head()
        if head.sequence == self._written:
            return
        try:
            await asyncio.to_thread(self._sink.append, head)
        except OSError as error:
            _log.error("audit.heads_failed", reason=type(error).__name__)
        else:
            self._written = head.sequence
