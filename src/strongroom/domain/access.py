"""What a tenant's administrators decide about callers. They revoke tokens and restrict where calls may come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5


class RevocationKind(StrEnum):
    SUBJECT = "subject"
    """Every token of a subject, including tokens that are issued later."""
    TOKEN = "token"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class Revocation:
    """A subject or a token that is refused although its issuer considers it valid.

    Each target has one row, however often it is revoked.
    """

    id: UUID
    """From `revocation_id`."""
    tenant_id: UUID
    target: UUID
    """The principal's id for a subject, `access.principals.token_target` for a token."""
    kind: RevocationKind
    issuer: str | None
    """The ``iss`` claim, or None if the subject was revoked by its principal's id."""
    shown: str
    """The subject or the token's id, or ``sha256:`` and its hash if it looks like a secret."""
    reason: str | None
    revoked_by: UUID
    epoch: int
    """Increased by each change, so that an older version of the row is recognised."""
    created_at: datetime
    lifted_at: datetime | None
    """None while the revocation is in force."""


def revocation_id(tenant_id: UUID, target: UUID) -> UUID:
    return uuid5(tenant_id, f"revocation/{target}")


@dataclass(frozen=True, slots=True)
class ClientNetworks:
    """The client addresses that a tenant's callers may use. A tenant without a row has no restriction."""

    id: UUID
    """From `client_networks_id`."""
    tenant_id: UUID
    networks: str
    """CIDRs separated by commas. An empty text means any address."""
    changed_by: UUID
    epoch: int
    changed_at: datetime

    @property
    def listed(self) -> list[str]:
        return self.networks.split(",") if self.networks else []


def client_networks_id(tenant_id: UUID) -> UUID:
    return uuid5(tenant_id, "client_networks")
