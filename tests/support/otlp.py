"""A receiver of OTLP over gRPC and HTTP, with OpenTelemetry's messages. It records spans, or misbehaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

SECONDS = 60.0


@dataclass(frozen=True)
class Received:
    """One span in plain types."""

    trace: str
    id: str
    parent: str
    """Empty if there is none."""
    name: str
    kind: int
    attributes: dict[str, Any]
    links: tuple[tuple[str, str], ...]
    failed: bool
    began: int
    ended: int
    """Nanoseconds since 1970."""
    flags: int


@dataclass
class Receiver:
    """``answer`` runs before each response. It may wait, or raise what the gRPC or HTTP server raises."""

    port: int = 0
    answer: Callable[[], object] = lambda: None
    spans: list[Received] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    rejects: int = 0
    """Spans of each request that it reports as rejected."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, request: ExportTraceServiceRequest, headers: dict[str, str]) -> ExportTraceServiceResponse:
        self.answer()
        self.raw.append(request.SerializeToString())
        self.headers.append(headers)
        for whole in request.resource_spans:
            self.resources.append({each.key: _value(each.value) for each in whole.resource.attributes})
            for scope in whole.scope_spans:
                self.spans += map(_read, scope.spans)
        answer = ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = self.rejects
        return answer

    def forget(self) -> None:
        """For tests that only measure."""
        self.spans.clear()
        self.raw.clear()
        self.resources.clear()
        self.headers.clear()

    def of(self, trace: str) -> list[Received]:
        return [span for span in self.spans if span.trace == trace]

    def wait(self, found: Callable[[list[Received]], Any]) -> Any:
        """Wait until ``found`` makes something of the spans so far. Not for use in an event loop."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if made := found(list(self.spans)):
                return made
            time.sleep(0.02)
        raise AssertionError(f"not among {[span.name for span in self.spans]}")


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def _read(span: Any) -> Received:
    return Received(
        span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name, span.kind,
        {each.key: _value(each.value) for each in span.attributes},
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        span.status.code == 2, span.start_time_unix_nano, span.end_time_unix_nano, span.flags,
    )  # fmt: skip


@contextmanager
def over_grpc(port: int = 0, credentials: grpc.ServerCredentials | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Servicer(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the RPC's name
            try:
                return receiver.take(request, dict(context.invocation_metadata()))
            except Refusal as refusal:
                context.abort(refusal.code, "no")

    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Servicer(), server)
    address = f"127.0.0.1:{port}"
    receiver.port = (
        server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    )
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()


class Refusal(Exception):
    def __init__(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, status: int = 503) -> None:
        self.code = code
        self.status = status


@contextmanager
def over_http() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = 404, b""
            if self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf":
                try:
                    request = ExportTraceServiceRequest.FromString(body)
                    status, answer = 200, receiver.take(request, dict(self.headers)).SerializeToString()
                except Refusal as refusal:
                    status = refusal.status
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
