"""The shape of operations over many items. Each item is an operation of its own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from strongroom.errors import StrongroomError
from strongroom.journal.base import Intent, Journal

MOST_ITEMS: Final = 1_000

Ref = Annotated[
    str, Meta(min_length=1, max_length=128, description="Your own name for the item, returned with its result")
]
Count = Annotated[int, Meta(ge=1, le=MOST_ITEMS)]

Outcome = msgspec.Struct | StrongroomError
"""The result of one item, or the error."""


Step = Callable[[Journal], tuple[msgspec.Struct, Intent]]
"""One item that opens no key, ready for its journal. It gives the item's result and its settled intent."""
AllAtOnce = Callable[[Any, Any, int], Awaitable[Sequence[Step]]]
"""Takes the command that the items share, the call, and the number of items. Gives steps for as many items as can be
done together. If it raises StrongroomError, each item runs by itself and is refused by itself.
"""


@dataclass(frozen=True, slots=True)
class Item:
    command: msgspec.Struct
    """The command of the operation that each item is."""
    ref: str | None = None


class ItemProblem(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Problem details (RFC 9457) inside a response that has its own status."""

    type: Annotated[str, Meta(description="Link to the explanation of the code")]
    title: Annotated[str, Meta(description="What the code means")]
    status: Annotated[int, Meta(description="HTTP status that a single request would get")]
    detail: Annotated[str, Meta(description="What is wrong, for people")]
    code: Annotated[str, Meta(description="Stable error code, for programs")]
    field: Annotated[str | None, Meta(description="Field that is wrong, if it is one field")] = None
    reason: Annotated[
        str | None, Meta(description="Why the network refuses the transaction: nonce_used, fee_too_low …")
    ] = None
    allowed: Annotated[list[str], Meta(description="Accepted values or fields")] = []
    did_you_mean: Annotated[str | None, Meta(description="Name that the service uses for the field")] = None
    limit: Annotated[str | None, Meta(description="Limit that was exceeded, decimal")] = None
    setting: Annotated[str | None, Meta(description="Setting that holds the limit")] = None
    expected: Annotated[str | None, Meta(description="What was expected here")] = None
    received: Annotated[str | None, Meta(description="What was received, if it is a number")] = None
    tx_id: Annotated[str | None, Meta(description="The transaction that was signed before")] = None
    retry_after: Annotated[int | None, Meta(description="Seconds to wait before another attempt")] = None

    @classmethod
    def of(cls, error: StrongroomError) -> ItemProblem:
        return cls(
            type=f"/docs/errors#{error.code}",
            title=error.title,
            status=error.http_status,
            detail=error.message,
            code=error.code,
            field=error.field,
            reason=error.reason,
            retry_after=None if error.retry_after is None else max(1, math.ceil(error.retry_after)),
            **_hints(error),
        )


def _hints(error: StrongroomError) -> dict[str, Any]:
    return {name: list(value) if name == "allowed" else value for name, value in error.hints.items()}  # type: ignore[call-overload]


class ItemResult(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The outcome of one item. Each kind of batch adds the ``result`` of its operation."""

    ref: str | None = None
    status: Annotated[Literal["ok", "error"], Meta(description="ok: see `result`; error: see `error`")]
    error: ItemProblem | None = None


def item_result(of: type[ItemResult], item: Item, outcome: Outcome) -> ItemResult:
    if isinstance(outcome, StrongroomError):
        return of(ref=item.ref, status="error", error=ItemProblem.of(outcome))
    return of(ref=item.ref, status="ok", result=outcome)  # type: ignore[call-arg] # each kind has it


def item_key(key: str, position: int) -> str:
    """The idempotency key of the item at a position. With it the repeat of a batch finds what was done.

    It is a hash because the batch's own key may have any length.
    """
    return f"batch:{hashlib.sha256(key.encode()).hexdigest()[:32]}:{position}"
