"""From a token of any configured issuer to a principal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from strongroom.access.failures import FailureLimit
from strongroom.access.principals import token_target
from strongroom.access.recent import Recent
from strongroom.access.refusals import refuse
from strongroom.access.revocations import Revocations
from strongroom.access.tokens.issuer import Issuer, Verified
from strongroom.access.tokens.keysets import KeySet
from strongroom.access.tokens.reading import LONGEST, Fault, Unverified, read
from strongroom.domain.principal import Principal

_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    verified: Verified
    keys: KeySet | None
    """The keys that its signature was checked with."""


class IssuedTokens:
    """A token with a good signature is cached by its SHA-256 until its issuer's keys change.

    Whether the token or its subject is revoked is checked on every call.
    """

    def __init__(
        self, issuers: Iterable[Issuer], revocations: Revocations, failures: FailureLimit | None = None
    ) -> None:
        self._by_url: dict[str, list[Issuer]] = {}
        for each in issuers:
            self._by_url.setdefault(each.url, []).append(each)
        self._revocations = revocations
        self._failures = failures or FailureLimit(None)
        self._known: Recent[bytes, _Known] = Recent(_REMEMBERED)

    async def authenticate(self, text: str, now: datetime, client: str) -> Principal:
        """Raises Unauthenticated, always with the same text, and RateLimited if the address failed too often."""
        digest = _digest(text)
        verified = self._recall(digest, now)
        if verified is None:
            self._failures.check(client)
        try:
            if verified is None:
                verified = await self.verify(text, now)
                self._known.keep(digest, _Known(verified, verified.issuer.keys.keys))
            await self.require_not_revoked(verified)
        except Fault as fault:
            self._failures.count(client)
            refuse(f"token: {fault.reason}", fault.principal)
        return verified.principal

    async def verify(self, text: str, now: datetime) -> Verified:
        """Check the token's form, signature and claims, but not whether it is revoked. Raises Fault."""
        unverified = read(text)
        return await self.issuer_of(unverified).verify(text, unverified, now)

    def issuer_of(self, unverified: Unverified) -> Issuer:
        """The issuer that the token names, if it is configured. Nothing in the token is trusted yet. Raises Fault."""
        named = unverified.claims.get("iss")
        found: Sequence[Issuer] = self._by_url.get(named, ()) if isinstance(named, str) else ()
        if not found:
            raise Fault("its issuer is not configured")
        return next((each for each in found if each.takes(unverified.claims)), found[0])

    async def require_not_revoked(self, verified: Verified) -> None:
        """Raises Fault, StorageUnavailable."""
        principal = verified.principal
        targets = [principal.id]
        if verified.token_id is not None:
            targets.append(token_target(verified.issuer.url, verified.token_id))
        revoked = await self._revocations.of(principal.tenant_id, targets)
        if revoked:
            raise Fault("its subject is revoked" if principal.id in revoked else "the token is revoked", principal)

    def _recall(self, digest: bytes, now: datetime) -> Verified | None:
        known = self._known.get(digest)
        if known is None or known.verified.expires <= now.timestamp():
            return None
        return known.verified if known.keys is known.verified.issuer.keys.keys else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text[: LONGEST + 1].encode("utf-8", "surrogatepass")).digest()
