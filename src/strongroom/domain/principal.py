"""Callers and their API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from strongroom.domain.client_networks import Network
from strongroom.domain.restriction import NONE, Restriction

DEVELOPMENT_TENANT: Final = UUID(int=0)
"""The tenant of the development API key."""


@dataclass(frozen=True, slots=True)
class Principal:
    id: UUID
    """The id of the API key, or `access.principals.principal_id` for a token's subject."""
    tenant_id: UUID
    name: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    """When the API key or the token expires."""
    client_networks: tuple[Network, ...] = ()
    """The client addresses that may use the key. Empty means any address."""
    restriction: Restriction = NONE


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as stored. The secret is stored as an HMAC only, and the row has a MAC of its own."""

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
    """The API key that made this one, or None for the command line and the first start."""
    restriction: Restriction = NONE
