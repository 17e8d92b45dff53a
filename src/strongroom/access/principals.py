"""Ids of principals that authenticate with an issuer's token."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5


def principal_id(issuer: str, subject: str) -> UUID:
    """The same id for every token of a subject, so that limits, idempotency keys and the audit apply across tokens."""
    return uuid5(uuid5(NAMESPACE_URL, issuer), subject)


def token_target(issuer: str, token_id: str) -> UUID:
    """The id under which the revocation of a single token is stored."""
    return uuid5(uuid5(NAMESPACE_URL, f"{issuer}#jti"), token_id)
