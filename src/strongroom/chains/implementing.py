"""Helpers for implementations of `chains.base.Chain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from strongroom.domain.signing import Algorithm, OurKey, Ours, Purpose, ToSign
from strongroom.errors import InternalError, WrongKey

T = TypeVar("T")


def own(given: object, kind: type[T]) -> T:
    """``given``, which a chain decoded or prepared earlier. Raises InternalError if another chain made it."""
    if not isinstance(given, kind):
        raise InternalError("this was decoded or prepared by another chain")
    return given


def only_signature(made: Sequence[bytes]) -> bytes:
    """The only signature. Raises InternalError unless there is exactly one."""
    if len(made) != 1:
        raise InternalError("exactly one signature was requested")
    return made[0]


def message_key(ours: Ours) -> OurKey:
    """The key that signs a message. Raises WrongKey unless there is exactly one."""
    if len(ours) != 1:
        raise WrongKey("one key signs a message")
    return next(iter(ours.values()))


def to_sign(key: OurKey, algorithm: Algorithm, payload: bytes, purpose: Purpose) -> ToSign:
    return ToSign(key.path, algorithm, payload, key.public_key, purpose)
