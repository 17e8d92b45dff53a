"""The errors of the OpenAPI document: one schema, and one response for each status and set of codes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final, NamedTuple

from strongroom import errors
from strongroom.errors import StrongroomError
from strongroom.hints import HINTS
from strongroom.operations.registry import Operation

Schema = dict[str, Any]

_EVERY: Final = (
    errors.MalformedRequest, errors.Unauthenticated, errors.Forbidden, errors.RateLimited, errors.InvalidField,
    errors.InternalError, errors.StorageUnavailable, errors.ShuttingDown, errors.DeadlineExceeded,
)  # fmt: skip
"""What any operation may return."""
_WITH_BODY: Final = (errors.BodyTooLarge, errors.BodyTimeout, errors.UnsupportedMediaType)

REQUEST_ID: Final[Schema] = {"description": "Id of this request", "schema": {"type": "string"}}


def _hint(name: str, description: str) -> Schema:
    shown: Schema = {"type": "array", "items": {"type": "string"}} if name == "allowed" else {"type": "string"}
    return shown | {"description": description}


PROBLEM: Final[Schema] = {
    "title": "Problem",
    "description": "Problem details, RFC 9457",
    "type": "object",
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Page that explains the code, and what to do about it",
        },
        "title": {"type": "string", "description": "What the code means"},
        "status": {"type": "integer", "description": "The HTTP status"},
        "detail": {"type": "string", "description": "What is wrong, for people"},
        "code": {"type": "string", "description": "Stable code, for programs"},
        "field": {"type": "string", "description": "The field that is wrong, if there is one"},
        "reason": {
            "type": "string",
            "description": "Why the network refused the transaction: nonce_used, fee_too_low …",
        },
        "request_id": {"type": "string", "description": "Id of the request in the log and in the audit"},
        "trace_id": {"type": "string", "description": "32 hex digits, while the service traces"},
        **{name: _hint(name, description) for name, description in HINTS.items()},
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "additionalProperties": False,
}


class ProblemGroup(NamedTuple):
    """Errors of one status that an operation may return. Operations with the same errors share a response."""

    status: int
    classes: tuple[type[StrongroomError], ...]

    @property
    def name(self) -> str:
        """The name of the response in the components. It stays the same as long as the codes do."""
        return ".".join([str(self.status), *(error.code for error in self.classes)])

    def response(self) -> Schema:
        headers: Schema = {"X-Request-ID": REQUEST_ID}
        if self.status in (429, 503):
            headers["Retry-After"] = {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}
        if self.status == 401:
            headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
        return {
            "description": "; ".join(f"`{error.code}`: {error.title}" for error in self.classes),
            "headers": headers,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "x-codes": [error.code for error in self.classes],
        }


def problem_groups(operation: Operation) -> list[ProblemGroup]:
    """What the operation may return besides its result, by status."""
    by_status: dict[int, set[type[StrongroomError]]] = defaultdict(set)
    more = _WITH_BODY if operation.method != "GET" else ()
    lost = (errors.RouteNotFound,) if "{" in operation.path else ()
    for error in (*_EVERY, *more, *lost, *operation.errors):
        by_status[error.http_status].add(error)
    return [
        ProblemGroup(status, tuple(sorted(classes, key=lambda error: error.code)))
        for status, classes in sorted(by_status.items())
    ]
