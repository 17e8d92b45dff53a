"""Writes log lines out of the process: a bounded queue and one thread that writes.

Trouble with the log must not change or delay what the service does. If the reader is gone, the disk is full or nobody
empties the pipe, only the thread is affected, and callers go on. Lines that found no room or could not be written are
counted.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from collections import deque
from typing import BinaryIO, Final, Protocol

from strongroom.telemetry.metrics import LOG_LINES_LOST_TOTAL

_MOST_LINES: Final = 10_000
_MOST_BYTES: Final = 8 << 20
_BATCH: Final = 64 << 10
_REST: Final = 0.02
"""Seconds for which lines are gathered."""
_PAUSE: Final = 0.2
"""Seconds between two attempts after the system refused a write."""


class Lines(Protocol):
    """Where log lines go. ``lost`` counts those that were not written."""

    lost: int

    def write(self, line: bytes) -> None:
        """Accept a line without its line feed. Never raises, never blocks."""

    def flush(self, seconds: float = 1.0) -> None:
        """Wait up to ``seconds`` until all accepted lines are written."""


class DirectLines:
    """Writes at once, for short commands and for tests. A line that cannot be written is lost."""

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

    Only the thread waits for the reader. It is a daemon, so a write that never returns does not delay the end of the
    process. A forked child starts with an empty queue and a thread of its own.

    A single line is written at once. The thread then rests, and gathers the lines that arrive meanwhile. If every line
    woke it, it would take the interpreter's lock from the callers a thousand times per second.
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
                    threading.Thread(
                        target=self._run, args=(self._waiting, self._wake), name="log", daemon=True
                    ).start()
                if self._lines >= self._most_lines or self._bytes + len(line) >= self._most_bytes:
                    self._lose(1)
                    return
                self._lines += 1
                self._bytes += len(line) + 1
                self._waiting.append(line)
                if self._resting:
                    return
            self._wake.set()
        except Exception:  # noqa: BLE001 if no thread or memory is to be had, the caller must still go on
            self._lose(1)

    def flush(self, seconds: float = 1.0) -> None:
        until = time.monotonic() + seconds
        while self._lines and time.monotonic() < until:
            time.sleep(0.005)

    def _start_anew(self) -> None:
        self._lock = threading.RLock()  # a finalizer may log in the middle of `write`
        self._wake = threading.Event()
        self._waiting: deque[bytes] = deque()
        self._resting = False
        """The thread will look again soon, without being woken."""
        self._lines = self._bytes = 0
        self._started = False
        self.lost = 0

    def _run(self, waiting: deque[bytes], wake: threading.Event) -> None:
        while True:
            with self._lock:
                self._resting = bool(waiting)
            if not self._resting:
                wake.wait()
                wake.clear()
                self._resting = True
            while waiting:
                batch: list[bytes] = []
                size = 0
                while waiting and size < _BATCH:
                    batch.append(waiting.popleft())
                    size += len(batch[-1]) + 1
                batch.append(b"")
                written = self._put(b"\n".join(batch))
                with self._lock:
                    self._lines -= len(batch) - 1
                    self._bytes -= size
                    if not written:
                        self._lose(len(batch) - 1)
                if not written:
                    time.sleep(_PAUSE)
            time.sleep(_REST)

    def _put(self, data: bytes) -> bool:
        """Whether everything was written. A line that was cut off counts as lost, with the rest of the batch."""
        view = memoryview(data)
        try:
            while view:
                try:
                    view = view[os.write(self._descriptor, view) :]
                except BlockingIOError:  # another process that shares the descriptor made it non-blocking
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
