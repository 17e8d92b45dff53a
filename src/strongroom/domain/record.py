"""The rows that an operation leaves, which are its own row, its signatures and its audit records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from strongroom.domain.signing import Guard

REWRAP: Final = "keys.rewrap"
RESTORED_MARK: Final = "state.restored"
AUTHENTICATED_MARK: Final = "state.authenticated"
LOCAL_OPERATIONS: Final = (REWRAP, RESTORED_MARK, AUTHENTICATED_MARK)
"""What only commands on the machine itself do, by the names in audit records."""


class OperationState(StrEnum):
    PENDING = "pending"
    """T1 is committed and T2 is not."""
    DONE = "done"
    FAILED = "failed"
    """Nothing left the service, so the idempotency key may be used again."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One operation that changes something. T1 inserts it and T2 settles it."""

    tenant_id: UUID
    id: UUID
    principal_id: UUID
    idempotency_key: str | None
    fingerprint: bytes
    """HMAC of the parsed command. It is the same over REST, gRPC and the command line."""
    name: str
    wallet_id: UUID | None
    state: OperationState
    lease_until: datetime
    epoch: int
    """Increased by a process that takes over after the lease. Only the current epoch may store a result."""
    result: bytes | None
    """The response in canonical JSON, without the words of a mnemonic."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HeldGuard:
    """A guard and the operation that holds it."""

    tenant_id: UUID
    guard: Guard
    operation_id: UUID
    replaced_by: UUID | None = None
    """The operation that is about to sign a replacement on request. It becomes the holder once it has signed."""


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
    """JSON, shortened by `domain.brief`."""
    created_at: datetime


class BroadcastState(StrEnum):
    UNKNOWN = "unknown"
    """The bytes may have left the service, and no node has said yet what became of them. Nodes are asked again."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    """No block can include it any more."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A signed transaction that was sent or may have been. The row is written before the first byte leaves."""

    id: UUID
    """From `broadcast_id`, so that the same transaction is the same row."""
    tenant_id: UUID
    network: str
    """CAIP-2 id."""
    tx_id: str
    wallet_id: UUID | None
    """The sender's wallet, if it is known."""
    operation_id: UUID
    raw: str
    """Like `domain.signing.Signed.raw`. Emptied some time after the outcome is known."""
    state: BroadcastState
    rejection: str | None
    """Why the network refused it."""
    epoch: int
    """Increased by each change, so that an older version of the row is recognised."""
    created_at: datetime


def broadcast_id(tenant_id: UUID, network: str, tx_id: str) -> UUID:
    """``network`` is a CAIP-2 id."""
    return uuid5(tenant_id, f"{network}/{tx_id}")


@dataclass(frozen=True, slots=True)
class Floor:
    """The lowest nonce or seqno that may be signed for at an address after a restore, as stated by an operator."""

    keyspace: str
    chain_id: str
    """CAIP-2 id of the network."""
    address: str
    """Canonical address in hex, as in `Guard`."""
    accepted_at: datetime
    sequence: str
    """Nonce or seqno in decimal."""


class AuditOutcome(StrEnum):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One step of an operation in the audit. The committer gives it its place in the chain."""

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
    """Address of the caller, behind any trusted proxies."""
    details: str
    """Canonical JSON with the summary, the transaction id, an error code and the like. Never a secret."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    writer_id: UUID
    sequence: int
    entry: AuditEntry
    mac: bytes
    """HMAC-SHA-256(previous mac ‖ canonical row)."""


@dataclass(frozen=True, slots=True)
class AuditWriter:
    """A process that writes audit records. Writers form a chain too, so that no chain can vanish undetected."""

    id: UUID
    ordinal: int
    """Number of the writer, counted from 1 over all writers of the database."""
    started_at: datetime
    host: str
    mac: bytes
    """HMAC-SHA-256(previous writer's mac ‖ canonical row). This writer's own chain starts from it."""


@dataclass(frozen=True, slots=True)
class ServiceSecret:
    """The 32 bytes from which all MAC and row seal keys of the service are derived, wrapped by the key wrap."""

    version: int
    kek: str
    kek_version: int
    wrapped: bytes
