"""Heads of the audit chains, kept outside SQL. They reveal that the end of a chain, or a whole chain, is gone."""

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
from strongroom.telemetry.metrics import ANCHOR_FAILING, ANCHOR_FAILURES_TOTAL

_log = structlog.get_logger(__name__)

_TAIL = 1 << 20
"""Bytes at the end of the file that are read while serving. `audit verify` reads the whole file."""
_RETRY = 5.0
"""Seconds after which a head that could not be kept is tried again."""


class HeadsSink(Protocol):
    def append(self, head: Head) -> None:
        """Returns when the head is as durable as it can be. Blocks. May raise OSError."""

    def newest(self) -> list[Head] | None:
        """The newest known heads, oldest first, or None if they cannot be read back. Blocks.

        Raises OSError, and ConfigurationError for a line that is not a head.
        """


class FileHeads:
    """Appends one line of JSON per head. It follows no symbolic link, because somebody else could redirect it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parsed: tuple[tuple[int, int, int], list[Head]] | None = None
        """The file's identity when it was last read, and its heads. Cached because it is read every few seconds."""

    def append(self, head: Head) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            line = (b"\n" if torn else b"") + (json.dumps(_line(head)) + "\n").encode()
            if os.write(descriptor, line) != len(line):
                raise OSError("the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def newest(self) -> list[Head] | None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            found = os.fstat(descriptor)
            size, version = found.st_size, (found.st_ino, found.st_size, found.st_ctime_ns)
            if self._parsed is not None and self._parsed[0] == version:
                return self._parsed[1]
            text = os.pread(descriptor, _TAIL, max(0, size - _TAIL)).decode(errors="replace")
        finally:
            os.close(descriptor)
        lines = text.splitlines(keepends=True)
        heads = read_heads(lines[1:] if size > _TAIL else lines)
        self._parsed = version, heads
        return heads


class LogHeads:
    """Writes heads to the log, which is kept by somebody else than the database.

    ``known``: a file of heads that the operator took from the log. Without it nothing can be compared.
    """

    def __init__(self, known: Path | None = None) -> None:
        self._known = known

    def append(self, head: Head) -> None:
        _log.info("audit.head", **_line(head))

    def newest(self) -> list[Head] | None:
        if self._known is None:
            return None
        return read_heads(self._known.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True))


def read_heads(lines: Iterable[str]) -> list[Head]:
    """Heads that `FileHeads` wrote, or lines of a log with the same JSON. Raises ConfigurationError."""
    heads = []
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            break  # torn: the process died while it was writing
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
    """Writes the head of this process at start, every ``interval`` seconds if it has moved, and at the end."""

    def __init__(self, head: Callable[[], Head], sink: HeadsSink, interval: float = 60.0) -> None:
        self._head = head
        self._sink = sink
        self._interval = interval
        self.written: Head | None = None
        """The newest head that was kept."""
        self.failing = False
        """Whether the sink refused the last head. Records younger than `written` are then not anchored."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._write()
        self._task = asyncio.create_task(self._run(), name="audit-heads")

    async def close(self) -> None:
        """Writes the last head. Call it after the committer is closed, so that no record is younger."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._write()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(self._interval, _RETRY) if self.failing else self._interval)
            await self._write()

    async def _write(self) -> None:
        head = self._head()
        if self.written is not None and head.sequence == self.written.sequence and not self.failing:
            return
        try:
            await asyncio.to_thread(self._sink.append, head)
        except OSError as error:
            self.failing = True
            ANCHOR_FAILURES_TOTAL.inc()
            _log.error("audit.heads_failed", reason=type(error).__name__)
        else:
            self.failing = False
            self.written = head
        ANCHOR_FAILING.set(self.failing)
