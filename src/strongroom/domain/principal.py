"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Principal:
    id: UUID
    """The API key's id."""
    tenant_id: UUID
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    """Of the API key."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is stored. Its secret is kept as an HMAC, the row under a MAC of its own."""

    tenant_id: UUID
    id: UUID
    name: str
    secret_mac: bytes
    """HMAC-SHA-256 of the secret part under the service secret."""
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    made_by: UUID | None = None
    """The API key that made this one; None: the command line, or the first start."""
