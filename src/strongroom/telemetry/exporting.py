"""Sends spans out of the process: a bounded queue, and one thread that sends them by OTLP.

Imported only when tracing is on. Trouble with the receiver must not change or delay what the service does. Spans that
find no room in the queue, or that the receiver does not accept, are counted and dropped.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from strongroom.telemetry.metrics import TRACE_SPANS_TOTAL
from strongroom.telemetry.tracing import ATTRIBUTES, SERVER, Span

_log = structlog.get_logger("strongroom.tracing")

_BATCH: Final = 512
_SLICE: Final = 32
"""Spans to encode before the thread releases the interpreter's lock."""
_INTERVAL: Final = 1.0
_TRIES: Final = 3
_SET_CLOCK_NS: Final = 10_000_000
_PAUSE: Final = 1.0
_MOST_KNOWN: Final = 4096
_WORD: Final = re.compile(r"[A-Za-z0-9_.:/{} -]{1,96}", re.ASCII)
"""The allowed form of a name or value, in case a caller's text slipped in."""
_FLAGS: Final = 0x101
"""W3C's sampled flag, and OTLP's flag that it is known whether the parent is remote. Without `_REMOTE` it is not."""
_REMOTE: Final = 0x200
_ERROR: Final = Status(code=Status.STATUS_CODE_ERROR)


class NotTaken(Exception):
    """The receiver did not accept an export. ``cause`` is a word of ours. ``again`` means that a retry may help."""

    def __init__(self, cause: str, *, again: bool) -> None:
        super().__init__(cause)
        self.again = again


Send = Callable[[ExportTraceServiceRequest], int]
"""Sends an export and waits for the receiver. Returns how many spans it rejected. Raises NotTaken."""


class Exporter:
    """Implements `tracing.Recorder`. ``exported`` is called with the spans that the receiver has accepted."""

    def __init__(
        self,
        send: Send,
        resource: Mapping[str, str | int],
        *,
        queue: int,
        interval: float = _INTERVAL,
        exported: Callable[[Sequence[Span]], None] = lambda _: None,
    ) -> None:
        self._send = send
        self._resource = resource
        self._most = queue
        self._interval = interval
        self._exported = exported
        self._queue: deque[Span] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._failing = False
        self._epoch = 0
        self._attributes = _Attributes()
        self._no_room = TRACE_SPANS_TOTAL.labels("no_room")
        self._not_begun = TRACE_SPANS_TOTAL.labels("not_begun")
        self._thread = threading.Thread(target=self._run, name="tracing", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take(self, span: Span) -> None:
        waiting = len(self._queue)
        if waiting >= self._most:
            self._no_room.inc()
            return
        self._queue.append(span)
        if waiting == _BATCH:
            self._wake.set()

    def has_room(self) -> bool:
        if len(self._queue) < self._most:
            return True
        self._not_begun.inc()
        return False

    def lose(self) -> None:
        TRACE_SPANS_TOTAL.labels("trace_full").inc()

    def close(self, seconds: float = 2.0) -> None:
        """Send what is waiting, for at most ``seconds``."""
        self._closing = True
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not (self._closing and not self._queue):
            if len(self._queue) < _BATCH and not self._closing:
                self._wake.wait(self._interval)
                self._wake.clear()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCH))]
            if batch:
                self._deliver(batch)

    def _deliver(self, batch: Sequence[Span]) -> None:
        try:
            rejected = self._persist(self._encode(batch))
        except NotTaken as failure:
            TRACE_SPANS_TOTAL.labels("failed").inc(len(batch))
            if not self._failing:
                self._failing = True
                _log.warning("tracing.not_exported", cause=str(failure))
            return
        except Exception as error:  # noqa: BLE001 - the thread must go on
            TRACE_SPANS_TOTAL.labels("failed").inc(len(batch))
            _log.error("tracing.crashed", exc_info=error)
            return
        if self._failing:
            self._failing = False
            _log.info("tracing.exported_again")
        TRACE_SPANS_TOTAL.labels("exported").inc(max(0, len(batch) - rejected))
        if rejected:
            TRACE_SPANS_TOTAL.labels("rejected").inc(rejected)
        try:
            self._exported(batch)
        except Exception as error:  # noqa: BLE001 - the thread must go on
            _log.error("tracing.crashed", exc_info=error)

    def _persist(self, request: ExportTraceServiceRequest) -> int:
        for tried in range(1, _TRIES + 1):
            try:
                return self._send(request)
            except NotTaken as failure:
                if not failure.again or tried == _TRIES or self._closing:
                    raise
            self._wake.clear()
            self._wake.wait(_PAUSE * tried)
        raise AssertionError

    def _encode(self, batch: Sequence[Span]) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        whole = request.resource_spans.add()
        whole.resource.attributes.extend(_attribute(name, value) for name, value in self._resource.items())
        scope = whole.scope_spans.add()
        scope.scope.name = "strongroom"
        self._look_at_clock()
        rest = iter(batch)
        while part := list(islice(rest, _SLICE)):
            for span in part:
                self._add(scope.spans, span, self._epoch)
            time.sleep(0)
        return request

    def _look_at_clock(self) -> None:
        """All batches share an offset, or a child could begin before its parent. If the clock was set, follow it."""
        now = time.time_ns() - time.perf_counter_ns()
        if abs(now - self._epoch) > _SET_CLOCK_NS:
            self._epoch = now

    def _add(self, spans: Any, span: Span, epoch: int) -> None:
        made = spans.add(
            trace_id=span.trace.id.to_bytes(16, "big"),
            span_id=span.id.to_bytes(8, "big"),
            name=span.name if _WORD.fullmatch(span.name) else "unnamed",
            kind=span.kind,
            start_time_unix_nano=epoch + span.began,
            end_time_unix_nano=epoch + span.ended,
            flags=_FLAGS | (_REMOTE if span.kind == SERVER and span.parent else 0),
        )
        if span.parent:
            made.parent_span_id = span.parent.to_bytes(8, "big")
        if span.attributes is not None:
            made.attributes.extend(self._attributes.of(span.attributes))
        if span.links is not None:
            for trace, other in span.links:
                made.links.add(trace_id=trace.to_bytes(16, "big"), span_id=other.to_bytes(8, "big"), flags=_FLAGS)
        if span.problem:
            made.status.CopyFrom(_ERROR)
            made.attributes.extend(self._attributes.of({"error_type": span.problem}))


class _Attributes:
    """Makes attributes, and caches them, since most are the same few."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | int], KeyValue | None] = {}

    def of(self, attributes: Mapping[str, str | int]) -> list[KeyValue]:
        known = self._known
        found = []
        for pair in attributes.items():
            if pair not in known:
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                known[pair] = _allowed(*pair)
            if (made := known[pair]) is not None:
                found.append(made)
        return found


def _allowed(name: str, value: str | int) -> KeyValue | None:
    exported = ATTRIBUTES.get(name)
    if exported is None or not (isinstance(value, int) or _WORD.fullmatch(value)):
        return None
    return _attribute(exported, value)


def _attribute(name: str, value: str | int) -> KeyValue:
    made = KeyValue(key=name)
    if isinstance(value, int):
        made.value.int_value = value
    else:
        made.value.string_value = value
    return made
