"""What a call raises. The classes for each code are generated: `strongroom_client.errors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HINTS: Final = frozenset({"allowed", "did_you_mean", "limit", "setting", "expected", "received", "tx_id"})


class StrongroomError(Exception):
    """The service refused or failed (problem details, RFC 9457), or could not be reached.

    ``code`` is stable and meant for programs. ``str()`` is for people.
    """

    code: str = "unknown"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        field: str | None = None,
        reason: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        hints: Mapping[str, str | list[str]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code
        self.status = status
        """HTTP status; None if there was no response."""
        self.field = field
        """The field of the request that is wrong, if there is one."""
        self.reason = reason
        """Why the network refuses a transaction: ``nonce_used``, ``fee_too_low`` …"""
        self.request_id = request_id
        """The id of the request in the service's log."""
        self.retry_after = retry_after
        """Seconds after which a retry makes sense, according to the service."""
        self.hints = dict(hints or {})
        """Hints for correcting the request, as far as known: the members in `HINTS`."""
        self.idempotency_key: str | None = None
        """The key of this call. Repeating the call with it does nothing twice."""


class NoResponse(StrongroomError):
    """The service could not be reached, or the connection broke. With the same idempotency key it is safe to repeat."""

    code = "no_response"


class UnexpectedResponse(StrongroomError):
    """Something other than Strongroom responded, such as a proxy, or the response cannot be read."""

    code = "unexpected_response"
