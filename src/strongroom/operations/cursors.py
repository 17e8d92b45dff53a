"""Cursors of lists: where a page ended, as text that a caller sends back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote, unquote
from uuid import UUID

from strongroom.errors import MalformedRequest

T = TypeVar("T")


def encode_cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(",".join(str(part) for part in parts).encode()).decode().rstrip("=")


def page_of(found: list[T], limit: int, place: Callable[[T], tuple[object, ...]]) -> tuple[list[T], str | None]:
    """The first ``limit`` of ``found``, and the cursor of the next page, or None if ``found`` has no more than that.

    ``place`` gives the parts of the cursor that stands for an entry.
    """
    page = found[:limit]
    return page, encode_cursor(*place(page[-1])) if len(found) > limit else None


def decode_cursor(cursor: str | None, parts: int) -> list[str] | None:
    """The parts of a cursor. Raises MalformedRequest."""
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    found = text.split(",")
    if len(found) != parts:
        raise _not_ours()
    return found


def cursor_uuid(cursor: str | None) -> UUID | None:
    """The id in a cursor of one part. Raises MalformedRequest."""
    found = decode_cursor(cursor, 1)
    return None if found is None else parse_cursor_uuid(found[0])


def parse_cursor_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _not_ours() from None


def cursor_place(parts: Sequence[str]) -> tuple[UUID, int, int]:
    """The account, branch and index of an address. Raises MalformedRequest."""
    account, *numbers = parts
    if not all(text.isascii() and text.isdigit() and len(text) <= 10 for text in numbers):
        raise _not_ours()
    change, index = map(int, numbers)
    return parse_cursor_uuid(account), change, index


def cursor_moment(cursor: str | None) -> tuple[datetime, UUID, int] | None:
    """The time, writer and sequence number of an audit record. Raises MalformedRequest."""
    parts = decode_cursor(cursor, 3)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[0])
        in_utc = at.astimezone(UTC)
        sequence = int(parts[2])
    except (ValueError, OverflowError):
        raise _not_ours() from None
    if at.tzinfo is None or not 0 <= sequence < 2**63:
        raise _not_ours()
    return in_utc, parse_cursor_uuid(parts[1]), sequence


def task_place(kind: str, key: str) -> tuple[str, str]:
    """The parts of the cursor that stands for a task. Its key may be any text."""
    return kind, quote(key)


def cursor_task(cursor: str | None) -> tuple[str, str] | None:
    """The kind and the key of a task. Raises MalformedRequest."""
    parts = decode_cursor(cursor, 2)
    if parts is None:
        return None
    kind, key = parts[0], unquote(parts[1], errors="replace")
    if "\0" in kind + key:  # which PostgreSQL does not take
        raise _not_ours()
    return kind, key


def _not_ours() -> MalformedRequest:
    return MalformedRequest("cursor is not one that this service returned", field="cursor")
