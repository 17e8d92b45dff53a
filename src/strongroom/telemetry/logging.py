"""Logs: one JSON object a line on standard output, scrubbed, for structlog and the standard library alike."""

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
"""Libraries that are heard from WARNING on: below it httpx logs whole URLs, others arguments."""
_MAX_FRAMES: Final = 30
_MAX_CAUSES: Final = 5
_SOURCES: Final = Path(__file__).parents[2]

_encode: Final = msgspec.json.Encoder().encode
_lines: Lines = QueuedLines(1)


def configure(level: str = "info", form: Literal["json", "console"] = "json", stream: BinaryIO | None = None) -> None:
    """Call it once in each process, before the first event.

    ``stream`` is written to at once. Without it a thread writes to standard output, and nobody who logs waits for it.
    """
    global _lines  # noqa: PLW0603 - a process has one log
    _lines = QueuedLines(1) if stream is None else DirectLines(stream)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[_Rendering(_json if form == "json" else _console)],
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
    _catch_what_nobody_caught()


def flush(seconds: float = 1.0) -> None:
    """Waits until the lines so far are written, at most so long. For the end of a process."""
    _lines.flush(seconds)


def lines_lost() -> int:
    """How many lines of this process were not written."""
    return _lines.lost


def describe_exception(error: BaseException) -> list[dict[str, Any]]:
    """An exception and its causes: class, scrubbed text and where; no source line, no local variable."""
    return [
        {
            "type": type(each).__qualname__,
            "message": scrub_text(each.message if isinstance(each, StrongroomError) else str(each)),
            "frames": list(_frames(each.__traceback__))[-_MAX_FRAMES:],
        }
        for each in _causes(error)
    ]


class _Logger:
    """What structlog hands the rendered line to."""

    def __init__(self, lines: Lines, name: str) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = lines.write


class _LoggerFactory:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __call__(self, *args: Any) -> _Logger:
        return _Logger(self._lines, str(args[0]) if args else "")


class _Rendering:
    """From an event to its line. An event that cannot be rendered becomes a line that says so."""

    def __init__(self, render: Callable[[EventDict], bytes]) -> None:
        self._render = render

    def __call__(self, logger: Any, method: str, event: EventDict) -> bytes:
        try:
            return self._render(_finish(logger, method, event))
        except Exception as error:  # noqa: BLE001 whatever is wrong with an event must not break who logged it
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
        except Exception:  # noqa: BLE001 a record that does not fit its arguments must not break who logged it
            text = "a log record could not be formatted"
        log = structlog.get_logger(record.name)
        log.log(record.levelno, text, exc_info=record.exc_info)


def _finish(logger: Any, method: str, event: EventDict) -> EventDict:
    """Scrubs every value and adds when, how grave and from where."""
    error = _exception(event.pop("exc_info", None))
    finished: EventDict = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": method,
        "logger": logger.name,
    }
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
    """Python's own hooks print the text of an exception as it is."""
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
