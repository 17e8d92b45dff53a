"""What is written down of an operation: its own row, its signatures, its audit records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from strongroom.domain.signing import Guard


class OperationState(StrEnum):
    PENDING = "pending"
    """T1 is committed, T2 is not."""
    DONE = "done"
    FAILED = "failed"
    """Nothing left the service. The idempotency key may be used again."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One mutating operation. T1 inserts it, T2 settles it."""

    tenant_id: UUID
    id: UUID
    principal_id: UUID
    idempotency_key: str | None
    fingerprint: bytes
    """HMAC of the parsed command, the same from every face."""
    name: str
    wallet_id: UUID | None
    state: OperationState
    lease_until: datetime
    epoch: int
    """Raised by whoever takes over after the lease; a result is accepted from the present epoch only."""
    result: bytes | None
    """The answer, canonical JSON, without words."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HeldGuard:
    """A guard and the operation that holds it."""

    tenant_id: UUID
    guard: Guard
    operation_id: UUID
    replaced_by: UUID | None = None
    """The operation that is about to sign something else for it, as it was told to. Once it has, it is the holder."""


@dataclass(frozen=True, slots=True)
class SignatureRecord:
    tenant_id: UUID
    operation_id: UUID
    item: int
    wallet_id: UUID
    network: str
    tx_id: str | None
    raw: str
    summary: bytes
    """JSON, as `domain.brief` makes it."""
    created_at: datetime


class BroadcastState(StrEnum):
    UNKNOWN = "unknown"
    """Its bytes may have left, and no node has said yet what became of it: it is asked again."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """It cannot get into a block any more."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A signed transaction that was sent, or was about to be: written before its first byte leaves."""

    id: UUID
    """`broadcast_id`: the same transaction is the same row."""
    tenant_id: UUID
    network: str
    """CAIP-2 id."""
    tx_id: str
    wallet_id: UUID | None
    """Whose it is, where we know the sender."""
    operation_id: UUID
    raw: str
    """As `domain.signing.Signed.raw`; empty where it was over long ago."""
    state: BroadcastState
    rejection: str | None
    """Why the network refused it."""
    epoch: int
    """Goes up with each change, so that an older row is known as one."""
    created_at: datetime


def broadcast_id(tenant_id: UUID, network: str, tx_id: str) -> UUID:
    """``network``: CAIP-2 id."""
    return uuid5(tenant_id, f"{network}/{tx_id}")


@dataclass(frozen=True, slots=True)
class Floor:
    """After a restore: the lowest nonce or seqno that may be signed for at an address, as an operator stated it."""

    keyspace: str
    chain_id: str
    """CAIP-2 id of the network."""
    address: str
    """Canonical address, hex, as in `Guard`."""
    accepted_at: datetime
    sequence: str
    """Decimal."""


class AuditOutcome(StrEnum):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What the audit says of one step; the committer gives it its place in the chain."""

    at: datetime
    tenant_id: UUID
    principal_id: UUID
    operation: str
    operation_id: UUID
    outcome: AuditOutcome
    wallet_id: UUID | None
    network: str | None
    request_id: str
    client: str
    """Address of the caller, trusted proxies taken off."""
    details: str
    """Canonical JSON: summary, transaction id, error code …; never a secret."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    writer_id: UUID
    sequence: int
    entry: AuditEntry
    mac: bytes
    """HMAC-SHA-256(previous mac ‖ canonical row)."""


@dataclass(frozen=True, slots=True)
class AuditWriter:
    """A process that writes audit records: itself a chained row, so that a whole chain cannot vanish unseen."""

    id: UUID
    ordinal: int
    """1, 2, 3 … over all writers of the database."""
    started_at: datetime
    host: str
    mac: bytes
    """HMAC-SHA-256(previous writer's mac ‖ canonical row); the genesis of this writer's own chain."""


@dataclass(frozen=True, slots=True)
class ServiceSecret:
    """The 32 bytes from which every MAC and row seal of the service is derived, wrapped by the key wrap."""

    version: int
    kek: str
    kek_version: int
    wrapped: bytes
