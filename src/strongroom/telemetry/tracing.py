"""Spans of what a process does. Nothing is recorded before `start`, nor outside a span that began a trace.

A step is ``with span("bind"):`` or ``@traced("authenticate")``. Without a recorded span around it, it costs one look at
a context variable. Names and attributes are our own words: never a caller's value, a URL, a statement or the text of an
exception.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import ContextVar, Token
from functools import wraps
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Final, ParamSpec, Protocol, TypeVar

from strongroom.errors import StrongroomError

P = ParamSpec("P")
T = TypeVar("T")

INTERNAL: Final = 1
SERVER: Final = 2
CLIENT: Final = 3
"""Kinds of spans, numbered as in OTLP."""

ATTRIBUTES: Final = {
    "attempts": "strongroom.task.attempts",
    "code": "strongroom.code",
    "error_type": "error.type",
    "http_method": "http.request.method",
    "http_route": "http.route",
    "http_status": "http.response.status_code",
    "kind": "strongroom.task.kind",
    "network": "strongroom.network",
    "operation": "strongroom.operation",
    "outcome": "strongroom.task.outcome",
    "question": "strongroom.question",
    "rpc_method": "rpc.method",
    "rpc_status": "rpc.response.status_code",
    "source": "strongroom.source",
    "units": "strongroom.units",
}
"""The only attributes that are exported, with their names, which are OpenTelemetry's if it has one."""

_MOST_SPANS: Final = 512
"""Per trace and process."""
_MOST_LINKS: Final = 32
_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?",
    re.ASCII,
)
_LONGEST: Final = 256


class Recorder(Protocol):
    """Receives ended spans."""

    def take(self, span: Span) -> None:
        """Accept a span that has ended. Never raises, never blocks."""

    def has_room(self) -> bool:
        """Whether a trace that begins now may get through. A trace that is not begun costs nothing."""

    def lose(self) -> None:
        """Count a span that found no room in its trace."""


class Trace:
    """This process's part of a trace."""

    __slots__ = ("id", "open", "recorder", "room", "sampled")

    def __init__(self, number: int, recorder: Recorder, sampled: bool) -> None:
        self.id = number
        self.sampled = sampled
        self.recorder = recorder
        self.open = True
        """Whether its first span is still open. Work that outlives a request is no longer part of its trace."""
        self.room = _MOST_SPANS


class Span:
    """Times are from `time.perf_counter_ns`."""

    __slots__ = ("_before", "attributes", "began", "ended", "id", "kind", "links", "name", "parent", "problem", "trace")

    def __init__(self, trace: Trace, parent: int, name: str, kind: int) -> None:
        self.trace = trace
        self.parent = parent
        """0 if there is none."""
        self.name = name
        self.kind = kind
        self.id = _bits(64) or 1
        self.attributes: dict[str, str | int] | None = None
        self.links: list[tuple[int, int]] | None = None
        """Trace id and span id of each."""
        self.problem = ""
        """Why it failed: an error code of ours, or the class of an exception."""
        self.ended = 0

    def __enter__(self) -> Span:
        self._before: Token[Span | None] | None = _current.set(self)
        self.began = perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended = perf_counter_ns()
        assert self._before is not None
        _current.reset(self._before)
        self._before = None
        if error is not None:
            self.problem = _code(error)
        trace = self.trace
        if trace.sampled:
            trace.recorder.take(self)

    def note(self, **attributes: str | int) -> None:
        """Set attributes named in `ATTRIBUTES`. Ignored once the span has ended, when another thread reads it."""
        if self.ended:
            return
        if self.attributes is None:
            self.attributes = attributes
        else:
            self.attributes.update(attributes)

    def link(self, other: Span) -> None:
        if self.links is None:
            self.links = []
        if len(self.links) < _MOST_LINKS:
            self.links.append((other.trace.id, other.id))

    def fail(self, code: str) -> None:
        self.problem = code

    def forget(self) -> None:
        """Record nothing more of its trace."""
        self.trace.sampled = False


class First(Span):
    """The first span of a trace in this process. When it ends, no further spans begin.

    The span of a request fails only by `fail`, because handlers may raise for refusals and successes alike, as their
    server requires.
    """

    __slots__ = ()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        is_answer = self.kind == SERVER and not isinstance(error, asyncio.CancelledError)
        super().__exit__(kind, None if is_answer else error, traceback)
        self.trace.open = False


class Nothing:
    """Stands in for a span that is not recorded."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return ""

    @name.setter
    def name(self, _: str) -> None:
        pass

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def note(self, **attributes: str | int) -> None:
        pass

    def fail(self, code: str) -> None:
        pass

    def forget(self) -> None:
        pass


NOTHING: Final = Nothing()

_current: Final[ContextVar[Span | None]] = ContextVar("span", default=None)
_recorder: Recorder | None = None
_follows = True
_threshold = 0
_bits: Callable[[int], int] = random.getrandbits


def start(recorder: Recorder, *, sample: float, follow: bool) -> None:
    """Begin to record traces. ``sample`` is the share of traces without a parent that is recorded, from 0 to 1.

    If ``follow`` is true, the parent's decision applies to requests that have one.
    """
    global _recorder, _follows, _threshold, _bits  # noqa: PLW0603 - one per process
    _bits = random.Random().getrandbits  # noqa: S311 - seeded anew, because a fork would repeat its parent's numbers
    _follows, _threshold = follow, round(sample * 2**64)
    _recorder = recorder


def stop() -> None:
    """Begin no further traces."""
    global _recorder  # noqa: PLW0603 - one per process
    _recorder = None


def span(name: str, kind: int = INTERNAL) -> Span | Nothing:
    """A span below the current one, or nothing if that is not recorded."""
    parent = _current.get()
    if parent is None:
        return NOTHING
    trace = parent.trace
    if not (trace.sampled and trace.open):
        return NOTHING
    if trace.room <= 0:
        trace.recorder.lose()
        return NOTHING
    trace.room -= 1
    return Span(trace, parent.id, name, kind)


def traced(
    name: str, kind: int = INTERNAL
) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], Callable[P, Coroutine[Any, Any, T]]]:
    """Make each call of a coroutine function a span."""

    def decorate(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
            call = function(*args, **kwargs)
            parent = _current.get()
            return call if parent is None or not parent.trace.sampled else _within(span(name, kind), call)

        return wrapper

    return decorate


async def _within(span: Span | Nothing, call: Coroutine[Any, Any, T]) -> T:
    with span:
        return await call


def serve(traceparent: Sequence[str]) -> Span | Nothing:
    """The span of a request, with the caller's `traceparent`. Name it once the operation is known."""
    recorder = _recorder
    if recorder is None:
        return NOTHING
    came = parse(traceparent[0]) if len(traceparent) == 1 else None
    if came is None:
        return _first(recorder, "request", SERVER)
    number, parent, sampled = came
    if not _follows:
        sampled = _bits(64) < _threshold  # the caller has chosen the trace's id, so that must not decide
    return First(Trace(number, recorder, sampled and recorder.has_room()), parent, "request", SERVER)


def begin(name: str) -> Span | Nothing:
    """The first span of work that no request has caused directly."""
    return NOTHING if _recorder is None else _first(_recorder, name, INTERNAL)


def join(name: str, waiting: Iterable[Any]) -> Span | Nothing:
    """The span of work done at once for several waiting items, each of which has a ``span``.

    It is a trace of its own with links in both directions, and is recorded if one of theirs is.
    """
    if _recorder is None:
        return NOTHING
    spans = [each.span for each in waiting if isinstance(each.span, Span)]
    if not spans:
        return NOTHING
    made = First(Trace(_bits(128) or 1, _recorder, _recorder.has_room()), 0, name, INTERNAL)
    for each in spans:
        made.link(each)
        each.link(made)
    return made


def note(**attributes: str | int) -> None:
    """Set attributes of the current span. Only names in `ATTRIBUTES`."""
    current = _current.get()
    if current is not None and current.trace.sampled:
        current.note(**attributes)


def trace_id() -> str | None:
    """The id of the current trace, recorded or not, as 32 hex digits."""
    current = _current.get()
    return f"{current.trace.id:032x}" if current is not None and current.trace.open else None


def traceparent() -> str | None:
    """The `traceparent` header for requests to others on behalf of the current span."""
    current = _current.get()
    if current is None or not current.trace.open:
        return None
    return f"00-{current.trace.id:032x}-{current.id:016x}-{int(current.trace.sampled):02x}"


def parse(header: str) -> tuple[int, int, bool] | None:
    """Trace, parent and sampled flag. None if it is not a valid `traceparent` (W3C Trace Context, section 3.2)."""
    found = _TRACEPARENT.fullmatch(header) if len(header) <= _LONGEST else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["rest"] is not None):
        return None
    trace, parent = int(found["trace"], 16), int(found["parent"], 16)
    return (trace, parent, bool(int(found["flags"], 16) & 1)) if trace and parent else None


def _first(recorder: Recorder, name: str, kind: int) -> Span:
    number = _bits(128) or 1
    return First(Trace(number, recorder, _is_sampled(number) and recorder.has_room()), 0, name, kind)


def _is_sampled(trace: int) -> bool:
    """Decide by the trace's id, as OpenTelemetry's TraceIdRatioBased, so that services with one share agree."""
    return trace & (2**64 - 1) < _threshold


def _code(error: BaseException) -> str:
    if isinstance(error, StrongroomError):
        return error.code
    return "cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__name__
