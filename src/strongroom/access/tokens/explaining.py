"""Tells an administrator why a token is accepted or refused. The token's signature is not repeated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from strongroom.access.tokens.checking import IssuedTokens
from strongroom.access.tokens.issuer import Verified
from strongroom.access.tokens.reading import Fault, read


async def explain(tokens: IssuedTokens, text: str, now: datetime) -> dict[str, Any]:
    """Return JSON values, leaving out what is not known. Raises StorageUnavailable."""
    found: dict[str, Any] = {"accepted": False}
    try:
        unverified = read(text)
        found |= {"algorithm": unverified.algorithm, "key_id": unverified.key_id, "claims": dict(unverified.claims)}
        issuer = tokens.issuer_of(unverified)
        found["issuer"] = issuer.name
        if (fault := issuer.keys.fault()) is not None:
            found["keys"] = f"the issuer's keys could not be read: {fault}"
        verified = await issuer.verify(text, unverified, now)
        found |= _told(verified)
        await tokens.require_not_revoked(verified)
    except Fault as fault:
        found["reason"] = fault.reason
        if fault.principal is not None:
            found["principal_id"] = str(fault.principal.id)
    else:
        found["accepted"] = True
    return found


def _told(verified: Verified) -> dict[str, Any]:
    principal = verified.principal
    return {
        "principal_id": str(principal.id),
        "tenant_id": str(principal.tenant_id),
        "scopes": sorted(principal.scopes),
        "expires_at": None if principal.expires_at is None else principal.expires_at.isoformat(),
    }
