"""One issuer: what its tokens must say, and which principal they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import jwt
from jwt.exceptions import InvalidJTIError, InvalidSubjectError

from strongroom.access.principals import principal_id
from strongroom.access.tokens.reading import Fault, Unverified
from strongroom.access.tokens.sources import KeySource
from strongroom.domain.principal import Principal

REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub")
LONGEST_LIFETIME: Final = 3600
MOST_LEEWAY: Final = 30
_LONGEST_SUBJECT: Final = 255
_MOST_SCOPES: Final = 1000
_LATEST: Final = 2**40
"""Seconds since 1970, later than any clock shows."""

Path = tuple[str, ...]
"""The names that lead to a claim: one, or several for a nested claim."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that was accepted."""

    issuer: Issuer
    principal: Principal
    token_id: str | None
    expires: float
    """Seconds since 1970 until which it may be cached. The leeway is not included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A configured issuer, and how its tokens are checked."""

    name: str
    url: str
    """The ``iss`` of its tokens."""
    audiences: frozenset[str]
    """``aud`` must contain one of them."""
    others: frozenset[str] = frozenset()
    """Further values that ``aud`` may contain. Any other recipient of a token could use it here, so it is refused."""
    algorithms: frozenset[str]
    keys: KeySource
    tenant: UUID | None = None
    tenant_claim: Path = ()
    tenants: Mapping[str, UUID] | None = None
    """Tenant by claim value. None if the claim holds the tenant's id itself."""
    scopes: frozenset[str]
    """The most that a token can be granted."""
    scopes_claim: Path = ()
    """Empty if every token gets all ``scopes``."""
    scope_map: Mapping[str, frozenset[str]] | None = None
    """Scopes by claim value. None if the claim uses our own names."""
    leeway: int = 10
    lifetime: int = LONGEST_LIFETIME
    require: Mapping[str, str] = field(default_factory=dict)
    """Claims that must have exactly these values."""

    def takes(self, claims: Mapping[str, Any]) -> bool:
        """Whether a token with these claims is meant for one of our audiences."""
        return not self.audiences.isdisjoint(_audiences(claims))

    async def verify(self, text: str, unverified: Unverified, now: datetime) -> Verified:
        """Check the signature and the claims. Raises Fault."""
        if unverified.algorithm not in self.algorithms:
            raise Fault("its algorithm is not one of those configured for the issuer")
        key = await self.keys.find(unverified.key_id, unverified.algorithm)
        if key is None:
            raise Fault(
                "the issuer has no key with its kid" if self.keys.keys else "the issuer's keys could not be read yet"
            )
        lapsed = None
        try:
            jwt.decode(
                text, key, algorithms=[unverified.algorithm], audience=self.audiences, issuer=self.url,
                leeway=self.leeway, options={"require": list(REQUIRED)},
            )  # fmt: skip
        except jwt.ExpiredSignatureError:
            lapsed = "expired"
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise Fault(_REASONS.get(type(error), "it is malformed")) from None
        return self.judge(unverified.claims, now, lapsed)

    def judge(self, claims: Mapping[str, Any], now: datetime, lapsed: str | None = None) -> Verified:
        """Return what the claims of a token with a good signature grant. Raises Fault."""
        expires = self._times(claims, now.timestamp())
        subject = claims.get("sub")
        if not isinstance(subject, str) or not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()):
            raise Fault("sub must be text of 1 to 255 characters")
        if claims.get("iss") != self.url:
            raise Fault("iss is not the configured issuer")
        audiences = _audiences(claims)
        if self.audiences.isdisjoint(audiences) or not audiences <= self.audiences | self.others:
            raise Fault("aud names another audience")
        if any(claims.get(name) != value for name, value in self.require.items()):
            raise Fault("a claim that the settings require is missing or differs")
        token_id = claims.get("jti")
        if token_id is not None and not (isinstance(token_id, str) and 0 < len(token_id) <= _LONGEST_SUBJECT):
            raise Fault("jti must be text of 1 to 255 characters")
        principal = Principal(
            principal_id(self.url, subject), self._tenant(claims), f"token of {self.name}", self._scopes(claims),
            datetime.fromtimestamp(expires, UTC),
        )  # fmt: skip
        if lapsed is not None or expires + self.leeway <= now.timestamp():
            raise Fault("expired", principal)
        return Verified(self, principal, token_id, expires)

    def _times(self, claims: Mapping[str, Any], now: float) -> int:
        """Check the times and return ``exp``. Raises Fault."""
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name)
            if value is None and name == "nbf" and name not in claims:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LATEST:
                raise Fault(f"{name} must be a whole number of seconds")
        exp, iat = claims["exp"], claims["iat"]
        if not 0 < exp - iat <= self.lifetime:
            raise Fault("its lifetime, exp minus iat, is too long or negative")
        if max(iat, claims.get("nbf", iat)) > now + self.leeway:
            raise Fault("not valid yet")
        return int(exp)

    def _tenant(self, claims: Mapping[str, Any]) -> UUID:
        if self.tenant is not None:
            return self.tenant
        value = _at(claims, self.tenant_claim)
        if not isinstance(value, str):
            raise Fault("the tenant claim is missing")
        if self.tenants is not None:
            found = self.tenants.get(value)
            if found is None:
                raise Fault("the tenant claim names a tenant that is not configured for the issuer")
            return found
        try:
            tenant = UUID(value)
        except ValueError:
            raise Fault("the tenant claim is not a UUID") from None
        if str(tenant) != value or tenant.int == 0:
            raise Fault("the tenant claim is not a UUID")
        return tenant

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str]:
        if not self.scopes_claim:
            return self.scopes
        value = _at(claims, self.scopes_claim)
        said = value.split(" ") if isinstance(value, str) else value
        if not isinstance(said, list) or len(said) > _MOST_SCOPES:
            return frozenset()
        names = {each for each in said if isinstance(each, str)}
        if self.scope_map is not None:
            names = {scope for name in names for scope in self.scope_map.get(name, ())}
        return self.scopes & names


_REASONS: Final[dict[type[Exception], str]] = {
    jwt.InvalidSignatureError: "its signature is invalid",
    jwt.MissingRequiredClaimError: "a claim is missing",
    jwt.ImmatureSignatureError: "not valid yet",
    jwt.InvalidIssuerError: "iss is not the configured issuer",
    jwt.InvalidAudienceError: "aud names another audience",
    jwt.InvalidAlgorithmError: "its algorithm is not one of those configured for the issuer",
    jwt.InvalidIssuedAtError: "iat must be a whole number of seconds",
    InvalidSubjectError: "sub must be text of 1 to 255 characters",
    InvalidJTIError: "jti must be text of 1 to 255 characters",
}


def _audiences(claims: Mapping[str, Any]) -> set[str]:
    value = claims.get("aud")
    if isinstance(value, str):
        return {value}
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return set(value)
    return set()


def _at(claims: Mapping[str, Any], path: Path) -> object:
    found: object = claims
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found
