"""When an operation may run again, and when a later one may take it over."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from strongroom.codecs.mac import hmac_sha256
from strongroom.domain.record import OperationRecord, OperationState
from strongroom.errors import IdempotencyMismatch, InFlight
from strongroom.storage.base import Change
from strongroom.telemetry.scrubbing import looks_like_secret


def fingerprint(key: bytes, operation: str, command: bytes) -> bytes:
    """HMAC of the parsed command, the same from every face. Without an idempotency key the command is empty."""
    return _fingerprint(key, operation, command) if command else _of_no_command(key, operation)


def _fingerprint(key: bytes, operation: str, command: bytes) -> bytes:
    name = operation.encode()
    return hmac_sha256(key, len(name).to_bytes(2, "big") + name + command)


@lru_cache(maxsize=256)
def _of_no_command(key: bytes, operation: str) -> bytes:
    return _fingerprint(key, operation, b"")


def kept_key(key: bytes, sent: str) -> str:
    """The idempotency key as it is stored. A key that looks like a secret is stored as an HMAC."""
    if not looks_like_secret(sent):
        return sent
    return "hmac:" + hmac_sha256(key, b"idempotency-key" + sent.encode()).hex()


def stored_answer(record: OperationRecord, fingerprint: bytes, now: datetime) -> bytes | None:
    """The result of the operation that used the idempotency key, or None if it may be taken over.

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
    """Whether no signature of it has left. Once it is taken over, its epoch keeps it from sending one later."""
    if record.state is OperationState.PENDING:
        return record.lease_until <= now
    return record.state is OperationState.FAILED


def in_flight(record: OperationRecord, now: datetime) -> InFlight:
    wait = max(1.0, (record.lease_until - now).total_seconds())
    return InFlight("the same operation is in progress", retry_after=min(wait, 1.0))


def taken_over(record: OperationRecord, lease_until: datetime) -> tuple[OperationRecord, Change]:
    """The record when its call runs again, and the change that makes it so."""
    new = replace(record, state=OperationState.PENDING, epoch=record.epoch + 1, lease_until=lease_until, result=None)
    # An unsuccessful operation has no result. If somebody added one it is removed, or the MAC would not match the row.
    emptied: dict[str, object] = {} if record.result is None else {"result": None}
    return new, _advance(record, state=new.state, lease_until=lease_until, **emptied)


def given_up(record: OperationRecord) -> Change:
    """Another operation takes what this one held, so whatever it still does comes too late."""
    return _advance(record, state=OperationState.FAILED)


def settled(record: OperationRecord, **to: object) -> Change:
    """T2, which is only valid in the epoch of T1."""
    return Change(OperationRecord, record.id, {"epoch": record.epoch, "state": OperationState.PENDING}, to, record)


def _advance(record: OperationRecord, **to: object) -> Change:
    expect = {"epoch": record.epoch, "state": record.state}
    return Change(OperationRecord, record.id, expect, {"epoch": record.epoch + 1, **to}, record)
