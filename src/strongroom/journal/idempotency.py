"""When an operation may run again, and when a later one may take over from it."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import datetime

from strongroom.domain.record import OperationRecord, OperationState
from strongroom.errors import IdempotencyMismatch, InFlight
from strongroom.storage.base import Change
from strongroom.telemetry.scrubbing import looks_like_secret


def fingerprint(key: bytes, operation: str, command: bytes) -> bytes:
    """HMAC of the parsed command, the same from every face."""
    name = operation.encode()
    return hmac.digest(key, len(name).to_bytes(2, "big") + name + command, "sha256")


def kept_key(key: bytes, sent: str) -> str:
    """The idempotency key as it is stored: one that looks like a secret is known again by its HMAC alone."""
    if not looks_like_secret(sent):
        return sent
    return "hmac:" + hmac.digest(key, b"idempotency-key" + sent.encode(), "sha256").hex()


def stored_answer(record: OperationRecord, fingerprint: bytes, now: datetime) -> bytes | None:
    """The answer of the operation that used the idempotency key; None where it may be taken over.

    Raises IdempotencyMismatch, InFlight.
    """
    if not hmac.compare_digest(record.fingerprint, fingerprint):
        raise IdempotencyMismatch("the idempotency key was used for another request", field="Idempotency-Key")
    if record.state is OperationState.DONE:
        return record.result or b"null"
    if not is_abandoned(record, now):
        raise in_flight(record, now)
    return None


def is_abandoned(record: OperationRecord, now: datetime) -> bool:
    """No signature of it has left, and by its epoch none will once somebody has taken over."""
    if record.state is OperationState.PENDING:
        return record.lease_until <= now
    return record.state is OperationState.FAILED


def in_flight(record: OperationRecord, now: datetime) -> InFlight:
    wait = max(1.0, (record.lease_until - now).total_seconds())
    return InFlight("the same operation is under way", retry_after=min(wait, 1.0))


def taken_over(record: OperationRecord, lease_until: datetime) -> tuple[OperationRecord, Change]:
    """The record as it is when its call runs again, and the change that makes it so."""
    new = replace(record, state=OperationState.PENDING, epoch=record.epoch + 1, lease_until=lease_until, result=None)
    # What did not succeed has no result. One that somebody put there goes, or the row would not be what its MAC covers.
    emptied: dict[str, object] = {} if record.result is None else {"result": None}
    return new, _advance(record, state=new.state, lease_until=lease_until, **emptied)


def given_up(record: OperationRecord) -> Change:
    """Another operation takes what this one held: whatever it still does is too late."""
    return _advance(record, state=OperationState.FAILED)


def settled(record: OperationRecord, **to: object) -> Change:
    """T2: counts only in the epoch in which T1 was made."""
    return Change(OperationRecord, record.id, {"epoch": record.epoch, "state": OperationState.PENDING}, to, record)


def _advance(record: OperationRecord, **to: object) -> Change:
    expect = {"epoch": record.epoch, "state": record.state}
    return Change(OperationRecord, record.id, expect, {"epoch": record.epoch + 1, **to}, record)
