"""The way of a log line out of the process: a bounded queue and one thread that writes.

Nothing that happens to the log may change or delay what the service does. A reader that is gone, a disk that is full, a
pipe that nobody empties: the thread meets it, and whoever logs goes on. Lines that found no room or could not be
written are counted.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from queue import Empty, SimpleQueue
from typing import BinaryIO, Final, Protocol

from strongroom.telemetry.metrics import LOG_LINES_LOST_TOTAL

_MOST_LINES: Final = 10_000
_MOST_BYTES: Final = 8 << 20
_BATCH: Final = 64 << 10
_PAUSE: Final = 0.2
"""Seconds between two tries after the system refused a write."""


class Lines(Protocol):
    lost: int

    def write(self, line: bytes) -> None:
        """Takes a line without its line feed. Never raises, never waits."""

    def flush(self, seconds: float = 1.0) -> None:
        """Waits until what was taken is written, at most so long."""


class DirectLines:
    """Writes at once, for commands that end soon and for tests. What cannot be written is lost."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.lost = 0

    def write(self, line: bytes) -> None:
        try:
            self._stream.write(line + b"\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream is closed
            self.lost += 1

    def flush(self, seconds: float = 1.0) -> None:  # noqa: ARG002 - it does not wait
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class QueuedLines:
    """Hands lines to a thread, which writes them to ``descriptor`` in batches.

    Only the thread ever waits for the reader. It is a daemon: a write that never returns does not hold up the end of
    the process. A forked child starts with an empty queue and a thread of its own.
    """

    def __init__(self, descriptor: int, *, lines: int = _MOST_LINES, size: int = _MOST_BYTES) -> None:
        self._descriptor = descriptor
        self._most_lines = lines
        self._most_bytes = size
        self._started = False
        self._start_anew()
        _QUEUES.add(self)

    def write(self, line: bytes) -> None:
        try:
            with self._lock:
                if not self._started:
                    self._started = True
                    threading.Thread(target=self._run, args=(self._queue,), name="log", daemon=True).start()
                if self._lines >= self._most_lines or self._bytes + len(line) >= self._most_bytes:
                    self._lose(1)
                    return
                self._lines += 1
                self._bytes += len(line) + 1
            self._queue.put(line + b"\n")
        except Exception:  # noqa: BLE001 a log that cannot start a thread or get memory must not stop who logs
            self._lose(1)

    def flush(self, seconds: float = 1.0) -> None:
        until = time.monotonic() + seconds
        while self._lines and time.monotonic() < until:
            time.sleep(0.005)

    def _start_anew(self) -> None:
        self._lock = threading.RLock()  # a finalizer may log in the middle of `write`
        self._queue: SimpleQueue[bytes] = SimpleQueue()
        self._lines = self._bytes = 0
        self._started = False
        self.lost = 0

    def _run(self, queue: SimpleQueue[bytes]) -> None:
        while True:
            batch = [queue.get()]
            size = len(batch[0])
            with contextlib.suppress(Empty):
                while size < _BATCH:
                    batch.append(queue.get_nowait())
                    size += len(batch[-1])
            written = self._put(b"".join(batch))
            with self._lock:
                self._lines -= len(batch)
                self._bytes -= size
                if not written:
                    self._lose(len(batch))
            if not written:
                time.sleep(_PAUSE)

    def _put(self, data: bytes) -> bool:
        """Whether all of it was written. Lines that were cut off count as lost with the rest of the batch."""
        view = memoryview(data)
        try:
            while view:
                try:
                    view = view[os.write(self._descriptor, view) :]
                except BlockingIOError:  # the descriptor was made non-blocking by whoever shares it
                    select.select([], [self._descriptor], [])
        except (OSError, ValueError):
            return False
        return True

    def _lose(self, lines: int) -> None:
        self.lost += lines
        with contextlib.suppress(Exception):
            LOG_LINES_LOST_TOTAL.inc(lines)


_QUEUES: Final[weakref.WeakSet[QueuedLines]] = weakref.WeakSet()


def _after_fork() -> None:
    for queue in list(_QUEUES):
        queue._start_anew()


os.register_at_fork(after_in_child=_after_fork)
