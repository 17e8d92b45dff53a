"""One call without I/O: what to send, what a response means, and whether to try again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid4

import msgspec

from strongroom_client.problem import HINTS, NoResponse, StrongroomError, UnexpectedResponse
from strongroom_client.secret import SecretText

RETRIED_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
RETRIED_CODES: Final = frozenset({"operation_in_flight"})


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    """Below the base URL. Its placeholders are arguments."""
    result: type[Any]
    mutates: bool = False


@dataclass(frozen=True, slots=True)
class Retries:
    """How often to try, and how long to wait. Each call is safe to repeat: one that changes something has its key."""

    attempts: int = 4
    first_wait: float = 0.2
    """In seconds, doubled for each attempt, with jitter. A longer Retry-After of the service takes precedence."""
    longest_wait: float = 30.0
    """If the service asks for more seconds than this, its error is raised at once."""


@dataclass(slots=True)
class Call:
    """One operation with its arguments, over as many attempts as it takes."""

    operation: Operation
    arguments: Mapping[str, Any]
    errors: Mapping[str, type[StrongroomError]]
    retries: Retries
    idempotency_key: str | None = None
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    attempt: int = 0
    result: Any = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in self.arguments.items() if value is not None}
        self.path = self.operation.path
        for name in list(given):
            if f"{{{name}}}" in self.path:
                self.path = self.path.replace(f"{{{name}}}", quote(_text(given.pop(name)), safe=""))
        if self.operation.method == "GET":
            self.query = {name: _text(value) for name, value in given.items()}
        else:
            self.body = msgspec.json.encode(given)
        if self.operation.mutates:
            self.idempotency_key = self.idempotency_key or str(uuid4())

    @property
    def headers(self) -> dict[str, str]:
        found = {"Accept": "application/json"}
        if self.body is not None:
            found["Content-Type"] = "application/json"
        if self.idempotency_key is not None:
            found["Idempotency-Key"] = self.idempotency_key
        return found

    def received(self, status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """None, and ``result`` is set; or the seconds to wait before the next attempt. Raises StrongroomError."""
        if 200 <= status < 300:
            try:
                self.result = msgspec.json.decode(body, type=self.operation.result, dec_hook=_decode)
            except (msgspec.DecodeError, UnicodeDecodeError) as found:
                raise self._named(UnexpectedResponse(f"the response cannot be read: {found}", status=status)) from None
            return None
        error = self._error(status, headers, body)
        if status in RETRIED_STATUSES or error.code in RETRIED_CODES:
            return self._wait(error)
        raise error

    def broke(self, what: str) -> float:
        """The seconds to wait after a connection failed. Raises NoResponse after the last attempt."""
        return self._wait(self._named(NoResponse(what)))

    def _wait(self, error: StrongroomError) -> float:
        self.attempt += 1
        backoff: float = self.retries.first_wait * 2 ** (self.attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        wait = max(backoff, error.retry_after or 0.0)
        if self.attempt >= self.retries.attempts or wait > self.retries.longest_wait:
            raise error
        return wait

    def _error(self, status: int, headers: Mapping[str, str], body: bytes) -> StrongroomError:
        try:
            problem = msgspec.json.decode(body, type=_Problem)
            hints = {name: value for name, value in msgspec.json.decode(body).items() if name in HINTS}
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._named(UnexpectedResponse(f"HTTP {status} without problem details", status=status))
        known = self.errors.get(problem.code, StrongroomError)
        return self._named(
            known(
                problem.detail, code=problem.code, status=status, field=problem.field, reason=problem.reason,
                request_id=problem.request_id, retry_after=_seconds(headers.get("retry-after")),
                hints=hints,
            )
        )  # fmt: skip

    def _named(self, error: StrongroomError) -> StrongroomError:
        error.idempotency_key = self.idempotency_key
        return error


class _Problem(msgspec.Struct):
    code: str
    detail: str
    field: str | None = None
    reason: str | None = None
    request_id: str | None = None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (str, int, UUID)):
        return str(value)
    raise TypeError(f"a path or query parameter cannot be of type {type(value).__name__}")


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _decode(target: type, value: Any) -> Any:
    if target is SecretText and isinstance(value, str):
        return SecretText(value)
    raise TypeError("no such type in a response")
