"""The key wrap: wraps data keys under a key that never leaves it. It never sees a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wrapped:
    kek: str
    """Name of the wrapping key."""
    version: int
    ciphertext: bytes


class WrapFailureReason(StrEnum):
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    """This item cannot be unwrapped: other context, other key, changed bytes."""


class WrapFailure(Exception):
    """Why one item failed; a value in a list of results."""

    def __init__(self, reason: WrapFailureReason, retry_after: float | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""


@dataclass(frozen=True, slots=True)
class KeyWrapStatus:
    ok: bool
    state: str
    """ok, sealed, denied, unreachable …"""
    latency_ms: float
    circuit_state: str | None = None
    """closed, half_open or open, where there is a circuit breaker."""


class KeyWrap(Protocol):
    """Batches of any length; every item carries its context, and opens under that context only."""

    @property
    def name(self) -> str: ...

    async def wrap(self, items: Sequence[tuple[bytes, bytes]]) -> list[Wrapped]:
        """(plaintext key, context) -> wrapped. Raises KeyWrapUnavailable."""

    async def unwrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[bytes | WrapFailure]:
        """(wrapped, context) -> plaintext, in order, per item."""

    async def rewrap(self, items: Sequence[tuple[Wrapped, bytes]]) -> list[Wrapped | WrapFailure]:
        """To the newest version of the wrapping key, without giving the plaintext away where it can be helped."""

    async def newest_version(self) -> int:
        """The version that `wrap` uses now. Raises KeyWrapUnavailable."""

    async def check(self) -> KeyWrapStatus:
        """Never encrypts."""

    async def close(self) -> None: ...
