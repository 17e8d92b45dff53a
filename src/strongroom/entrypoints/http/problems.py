"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from strongroom.entrypoints.http.exchange import PROBLEM, Answer, Headers
from strongroom.errors import StrongroomError
from strongroom.telemetry import tracing

TYPES: Final = "/docs/errors"
"""The page of this service on which each code has an anchor."""


def problem(error: StrongroomError, request_id: str, headers: Headers = (), *, types: str = TYPES) -> Answer:
    """``detail`` is the error's own message, which never repeats what the caller sent.

    ``types`` is the page that explains the codes.
    """
    body: dict[str, Any] = {
        "type": f"{types}#{error.code}",
        "title": error.title,
        "status": error.http_status,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id,
    }
    if (trace := tracing.trace_id()) is not None:
        body["trace_id"] = trace
    if error.field is not None:
        body["field"] = error.field
    if error.reason is not None:
        body["reason"] = error.reason
    body |= error.hints
    if error.retry_after is not None:
        headers = (*headers, (b"retry-after", str(max(1, math.ceil(error.retry_after))).encode()))
    if error.http_status == 401:
        headers = (*headers, (b"www-authenticate", b'Bearer realm="strongroom"'))
    return Answer(error.http_status, msgspec.json.encode(body), PROBLEM, headers)
