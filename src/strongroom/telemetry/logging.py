"""Logs: one JSON object per line on standard output, scrubbed, for structlog and the standard library."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Literal

import msgspec
import structlog
from structlog.typing import EventDict

from strongroom.errors import StrongroomError
from strongroom.telemetry import tracing
from strongroom.telemetry.lines import DirectLines, Lines, QueuedLines
from strongroom.telemetry.scrubbing import scrub, scrub_text

_QUIET: Final = (
    "_granian",
    "alembic",
    "asyncio",
    "asyncpg",
    "granian",
    "grpc",
    "hpack",
    "httpcore",
    "httpx",
    "sqlalchemy",
)
"""Libraries that may log from WARNING up. Below that, httpx logs whole URLs, and others log arguments."""
_MUTE: Final = ("apprise", "oauthlib", "requests", "requests_oauthlib", "urllib3")
"""Libraries that log whole URLs at any level. The URL of an alert channel is its secret."""
_MAX_FRAMES: Final = 30
_MAX_CAUSES: Final = 5
_SOURCES: Final = Path(__file__).parents[2]

_encode: Final = msgspec.json.Encoder().encode
_lines: Lines = QueuedLines(1)


def configure(
    level: str = "info", form: Literal["auto", "json", "console"] = "json", stream: BinaryIO | None = None
) -> None:
    """Call it once in each process, before the first event. ``auto`` means console lines if a terminal shows them.

    Lines are written to ``stream`` at once. Without a stream, a thread writes to standard output, so that callers never
    wait for it.
    """
    global _lines  # noqa: PLW0603 - one log per process
    _lines = QueuedLines(1) if stream is None else DirectLines(stream)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[_Rendering(_json if writes_json(form) else _console)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_LoggerFactory(_lines),
        cache_logger_on_first_use=True,
    )
    logging.raiseExceptions = False  # a record that cannot be formatted would be printed, arguments and all
    logging.captureWarnings(True)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(_ToStructlog())
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in _MUTE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _catch_what_nobody_caught()


def writes_json(form: Literal["auto", "json", "console"]) -> bool:
    return form == "json" or (form == "auto" and not (sys.stdout is not None and sys.stdout.isatty()))


def flush(seconds: float = 1.0) -> None:
    """Wait up to ``seconds`` until the lines so far are written. For the end of a process."""
    _lines.flush(seconds)


def lines_lost() -> int:
    """The number of this process's lines that were not written."""
    return _lines.lost


def describe_exception(error: BaseException) -> list[dict[str, Any]]:
    """An exception and its causes: class, scrubbed text and frames, without source lines or local variables."""
    return [
        {
            "type": type(each).__qualname__,
            "message": scrub_text(each.message if isinstance(each, StrongroomError) else str(each)),
            "frames": list(_frames(each.__traceback__))[-_MAX_FRAMES:],
        }
        for each in _causes(error)
    ]


class _Logger:
    """Receives the rendered line from structlog."""

    def __init__(self, lines: Lines, name: str) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = lines.write


class _LoggerFactory:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __call__(self, *args: Any) -> _Logger:
        return _Logger(self._lines, str(args[0]) if args else "")


class _Rendering:
    """Renders an event as a line. An event that cannot be rendered becomes a line that says so."""

    def __init__(self, render: Callable[[EventDict], bytes]) -> None:
        self._render = render

    def __call__(self, logger: Any, method: str, event: EventDict) -> bytes:
        try:
            return self._render(_finish(logger, method, event))
        except Exception as error:  # noqa: BLE001 whatever is wrong with an event, its caller must go on
            return self._render(
                {
                    "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "level": method,
                    "logger": logger.name,
                    "event": "log.unrenderable",
                    "error": type(error).__name__,
                }
            )


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 a record that does not fit its arguments must not stop its caller
            text = "a log record could not be formatted"
        log = structlog.get_logger(record.name)
        log.log(record.levelno, text, exc_info=record.exc_info)


def _finish(logger: Any, method: str, event: EventDict) -> EventDict:
    """Scrub every value, and add time, level, logger and trace."""
    error = _exception(event.pop("exc_info", None))
    finished: EventDict = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": method,
        "logger": logger.name,
    }
    if (trace := tracing.trace_id()) is not None:
        finished["trace_id"] = trace
    for key, value in event.items():
        finished[key] = scrub(value, key)
    if error is not None:
        finished["exception"] = describe_exception(error)
    return finished


def _json(event: EventDict) -> bytes:
    return _encode(event)


def _console(event: EventDict) -> bytes:
    head = f"{event.pop('at')} {event.pop('level'):8} {event.pop('event')}"
    rest = " ".join(f"{key}={_encode(value).decode()}" for key, value in event.items())
    return f"{head} {rest}".encode()


def _exception(info: object) -> BaseException | None:
    if isinstance(info, BaseException):
        return info
    if isinstance(info, tuple) and len(info) == 3:
        return info[1] if isinstance(info[1], BaseException) else None
    return sys.exc_info()[1] if info else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    for _ in range(_MAX_CAUSES):
        if each is None:
            return
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _frames(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        file = path.relative_to(_SOURCES) if path.is_relative_to(_SOURCES) else Path(*path.parts[-3:])
        yield f"{file}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next


def _catch_what_nobody_caught() -> None:
    """Replace Python's own hooks, which print the text of an exception unscrubbed."""
    log = structlog.get_logger("strongroom.process")

    def main(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            return
        log.critical("process.crashed", exc_info=error)

    def thread(args: threading.ExceptHookArgs) -> None:
        log.critical("thread.crashed", exc_info=args.exc_value)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        log.error("exception.unraisable", exc_info=args.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = main, thread, unraisable


@atexit.register
def _flush_at_exit() -> None:
    flush()
