"""The interface of slices, which verify stored state piece by piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that does not hold. ``place`` says where by the service's own ids and numbers, never by contents."""

    kind: str
    place: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """The outcome of one slice."""

    flaws: Sequence[Flaw]
    cursor: bytes | None
    """Where the next slice begins, or None after the last one."""
    checked: int
    """The number of rows looked at."""


Slice = Callable[[bytes | None], Awaitable[Looked]]
"""Looks at a bounded number of rows from a cursor on, or from the start if it is None. Raises only StorageUnavailable.

The cursor is stored under a MAC, and any process may continue from it.
"""
