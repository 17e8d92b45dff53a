"""OTLP 1.x over gRPC and over HTTP with protobuf, from a thread. Sending raises nothing but `NotTaken`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import grpc
import httpx
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from strongroom.errors import ConfigurationError
from strongroom.telemetry.exporting import NotTaken, Send

Headers = Callable[[], Mapping[str, str]]
"""Returns the headers for the next export. Their file may be replaced."""

_METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_PATH: Final = "/v1/traces"
_PORT: Final = 4317
_MOST_BYTES: Final = 1 << 16
"""Longest response, which says how many spans were rejected."""
_PASSING: Final = {
    grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED, grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.RESOURCE_EXHAUSTED,
}  # fmt: skip
"""Status codes after which OTLP allows a retry."""
_PASSING_STATUS: Final = {429, 502, 503, 504}


def over_grpc(endpoint: str, headers: Headers, *, ca_file: Path | None, timeout: float) -> Send:
    """``timeout`` is in seconds per export. Raises ConfigurationError."""
    parts = urlsplit(endpoint)
    target = f"{parts.netloc.rpartition('@')[2]}{'' if parts.port else f':{_PORT}'}"
    options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0), ("grpc.max_reconnect_backoff_ms", 5000)]
    if parts.scheme == "https":
        trust = grpc.ssl_channel_credentials(None if ca_file is None else _read(ca_file))
        channel = grpc.secure_channel(target, trust, options)
    else:
        channel = grpc.insecure_channel(target, options)
    export = channel.unary_unary(
        _METHOD,
        request_serializer=ExportTraceServiceRequest.SerializeToString,
        response_deserializer=ExportTraceServiceResponse.FromString,
    )

    def send(request: ExportTraceServiceRequest) -> int:
        metadata = tuple((name.lower(), value) for name, value in headers().items())
        try:
            answer: ExportTraceServiceResponse = export(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            code = error.code()
            raise NotTaken(code.name.lower(), again=code in _PASSING) from None
        return answer.partial_success.rejected_spans

    return send


def over_http(endpoint: str, headers: Headers, *, ca_file: Path | None, timeout: float) -> Send:
    """``timeout`` is in seconds per export. Raises ConfigurationError."""
    try:
        verify = ssl.create_default_context(cafile=ca_file) if ca_file else httpx.create_ssl_context(trust_env=False)
    except (OSError, ssl.SSLError):
        raise _unreadable() from None
    client = httpx.Client(
        headers={"Content-Type": "application/x-protobuf", "Accept-Encoding": "identity"},
        verify=verify,
        timeout=timeout,
        trust_env=False,
    )
    url = endpoint.rstrip("/") + _PATH

    def send(request: ExportTraceServiceRequest) -> int:
        try:
            with client.stream("POST", url, content=request.SerializeToString(), headers=headers()) as answer:
                body = bytearray()
                for part in answer.iter_raw():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise NotTaken("too_long", again=False)
        except (httpx.HTTPError, OSError) as error:
            raise NotTaken(type(error).__name__, again=True) from None
        if answer.status_code != 200:
            raise NotTaken(f"status_{answer.status_code}", again=answer.status_code in _PASSING_STATUS)
        try:
            return ExportTraceServiceResponse.FromString(bytes(body)).partial_success.rejected_spans
        except DecodeError:
            return 0  # accepted, with a body that is not OTLP

    return send


def _read(ca_file: Path) -> bytes:
    try:
        return ca_file.read_bytes()
    except OSError:
        raise _unreadable() from None


def _unreadable() -> ConfigurationError:
    return ConfigurationError("tracing.ca_file cannot be read", field="tracing.ca_file")
