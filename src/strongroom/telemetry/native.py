"""Lines that native code (gRPC's C core, the HTTP server's Rust) writes to standard error, as records of the log.

A worker's standard error is a pipe that the main process reads. So its last words are read too: the text
of a panic or of a fatal error of the interpreter is in the pipe when the worker is gone. The main process keeps its own
standard error, because nobody could read a pipe at its end.

A full pipe refuses lines and never blocks a worker. The log then says that lines may be missing.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from strongroom.telemetry.metrics import LOG_LINES_LOST_TOTAL

_STDERR: Final = 2
_PIPE: Final = 1 << 20
"""The capacity of the pipe to request, in bytes."""
_SMALLEST_PIPE: Final = 1 << 16
_LONGEST: Final = 8192
"""How many characters of a line are read. The scrubber shortens it further, between two words."""
_GRAVE: Final = {"I": "info", "W": "warning", "E": "error", "F": "critical"}
_GRPC: Final = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
"""The beginning of a line of gRPC's C core."""


class NativeLines:
    """One reader thread per worker, which ends when no process has the pipe open for writing."""

    def __init__(self) -> None:
        self._readers: list[threading.Thread] = []

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """A process that starts inside the block writes to the pipe, unless no descriptor or thread is to be had."""
        with contextlib.ExitStack() as undo:
            try:
                kept = os.dup(_STDERR)
                undo.callback(os.close, kept)
                self._redirect(undo, kept)
            except (OSError, RuntimeError) as error:
                _log().warning("native.not_read", reason=type(error).__name__)
            yield

    def finish(self, seconds: float = 1.0) -> None:
        """Wait for at most ``seconds`` until everything that the workers left is read."""
        until = time.monotonic() + seconds
        for reader in self._readers:
            reader.join(max(0.0, until - time.monotonic()))

    def _redirect(self, undo: contextlib.ExitStack, kept: int) -> None:
        ours, theirs = os.pipe()
        with contextlib.closing(os.fdopen(theirs, "wb", buffering=0)):
            os.set_blocking(theirs, False)
            reader = threading.Thread(target=read, args=(ours, said, _enlarge(theirs)), name="native", daemon=True)
            try:
                reader.start()
            except RuntimeError:
                os.close(ours)
                raise
            self._readers = [each for each in self._readers if each.is_alive()] + [reader]
            undo.callback(os.dup2, kept, _STDERR)
            os.dup2(theirs, _STDERR)


def _enlarge(pipe: int) -> int:
    """Return the capacity that the pipe has then."""
    if sys.platform != "linux":
        return _SMALLEST_PIPE
    with contextlib.suppress(OSError):  # a user may have used up what is allowed
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


def said(line: str) -> None:
    grave = _GRPC.match(line)
    getattr(_log(), _GRAVE[grave[1]] if grave else "error")("native.line", text=line)


def read(descriptor: int, say: Callable[[str], None], room: int) -> None:
    """Until the end of the pipe. Of a line that is too long its beginning."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while data := pipe.read(room):
            if len(data) >= room // 2:  # pages of a full pipe need not be full
                LOG_LINES_LOST_TOTAL.inc()
                _log().warning("native.lines_may_be_missing")
            *whole, rest = (rest + decoder.decode(data)).split("\n")
            rest = rest[:_LONGEST]
            for line in whole:
                if line.strip():
                    say(line[:_LONGEST])
    if rest.strip():
        say(rest)


def _log() -> structlog.typing.WrappedLogger:
    return structlog.get_logger("native")
