"""Verifying stored state in slices: what a slice takes and gives, whatever it looks at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that does not hold. ``place`` says where, in ids and numbers of ours, never in contents."""

    kind: str
    place: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one slice has seen."""

    flaws: Sequence[Flaw]
    cursor: bytes | None
    """Where the next slice begins; None: this was the last one."""
    checked: int
    """How many rows were looked at."""


Slice = Callable[[bytes | None], Awaitable[Looked]]
"""Looks at a bounded number of rows from a cursor on (None: from the start). Raises StorageUnavailable alone.

A cursor is kept under a MAC of ours; any process may go on from it.
"""
