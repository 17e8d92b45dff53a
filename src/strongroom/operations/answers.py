"""Results of the signer, with its failures turned into errors of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from strongroom.errors import IntegrityError, InternalError, KeyWrapUnavailable
from strongroom.keys.base import KeyFailure, KeyFailureReason
from strongroom.telemetry.alarms import integrity_alarm

T = TypeVar("T")


async def from_signer(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except KeyFailure as failure:
        raise key_error(failure) from None


def key_error(failure: KeyFailure) -> Exception:
    if failure.reason is KeyFailureReason.UNAVAILABLE:
        return KeyWrapUnavailable(
            "the key wrap cannot be reached: nothing was signed", retry_after=failure.retry_after or 1
        )
    if failure.reason is KeyFailureReason.TAMPERED:
        integrity_alarm("secret")
        return IntegrityError("the wallet's sealed secret is not the one stored for it")
    if failure.reason is KeyFailureReason.WRONG_PUBLIC_KEY:
        integrity_alarm("public_key")
        return IntegrityError("the key at this path is not the one stored for it")
    return InternalError("the signer does not support this")


def signatures_of(answers: Sequence[bytes | KeyFailure]) -> list[bytes]:
    """All signatures. Raises the error of the first failure."""
    for answer in answers:
        if isinstance(answer, KeyFailure):
            raise key_error(answer)
    return [answer for answer in answers if isinstance(answer, bytes)]
