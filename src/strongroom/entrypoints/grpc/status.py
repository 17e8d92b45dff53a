"""Errors as google.rpc.Status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from grpc_status import rpc_status

from strongroom.errors import StrongroomError
from strongroom.telemetry import tracing

DOMAIN: Final = "strongroom"


def to_status(error: StrongroomError, request_id: str) -> Any:
    """The gRPC status: the class's code, its own text, ErrorInfo, and RetryInfo if a retry makes sense."""
    metadata = {"request_id": request_id}
    if (trace := tracing.trace_id()) is not None:
        metadata["trace_id"] = trace
    if error.field is not None:
        metadata["field"] = error.field
    if error.reason is not None:
        metadata["reason"] = error.reason
    for name, hint in error.hints.items():
        metadata[name] = hint if isinstance(hint, str) else ", ".join(cast("Sequence[str]", hint))
    details: list[Message] = [ErrorInfo(reason=error.code, domain=DOMAIN, metadata=metadata)]
    if error.retry_after is not None:
        delay = Duration()
        delay.FromMilliseconds(max(0, round(error.retry_after * 1000)))
        details.append(RetryInfo(retry_delay=delay))
    number, _ = grpc.StatusCode[error.grpc_status].value
    return rpc_status.to_status(Status(code=number, message=error.message, details=map(_packed, details)))


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
