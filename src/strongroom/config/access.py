"""The settings of access: who may call, from where, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from strongroom.config.fields import Cidr, Name, Pause, Rate, Section, Whole, check_hosts, listed
from strongroom.config.tls import CertificateSettings
from strongroom.domain.client_networks import Network, means_everybody
from strongroom.domain.rate import Rate as ParsedRate


def _texts(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _claim(value: object) -> object:
    """One name means a claim of that name, dots included. A list leads to a nested claim."""
    return (value,) if isinstance(value, str) else value


class ProxySettings(Section):
    trusted: Annotated[tuple[Cidr, ...], BeforeValidator(listed)] = Field(
        default=(), description="Networks of proxies whose X-Forwarded-For is trusted, separated by commas"
    )

    @field_validator("trusted")
    @classmethod
    def _believe_not_everybody(cls, trusted: tuple[Network, ...]) -> tuple[Network, ...]:
        if means_everybody(trusted):
            raise ValueError("must not trust every address")
        return trusted


class ApiKeySettings(Section):
    cache_ttl: Pause = Field(default=2.0, le=5, description="Seconds until a revocation is in force in every process")


class RateSettings(Section):
    """Rates by the limit classes of `operations.registry`."""

    read: Rate = Field(
        default="500/second", description="Lookups, lists, decoding, verifying: calls per principal, or `off`"
    )
    create: Rate = Field(default="100/second", description="Creating and importing wallets")
    write: Rate = Field(default="100/second", description="Renaming and archiving wallets")
    address: Rate = Field(default="1000/second", description="Deriving addresses")
    sign: Rate = Field(default="1000/second", description="Signing")
    admin: Rate = Field(default="20/second", description="API keys and audit records")
    chain: Rate = Field(default="100/second", description="Reading chains: balances, history, fees, state")
    fresh: Rate = Field(default="5/second", description="Reading balances with `fresh=true`")
    broadcast: Rate = Field(default="10/second", description="Broadcasting transactions")
    failed_authentication: Rate = Field(
        default="600/minute",
        description="Invalid credentials: attempts per client address (per /64 for IPv6), or `off`",
    )

    replicas: Whole = Field(
        default=1,
        ge=1,
        le=1000,
        description=(
            "Number of replicas. While Redis is not available, each worker allows a rate divided by the replicas "
            "and workers"
        ),
    )

    def by_class(self) -> dict[str, ParsedRate]:
        return _by_class((name, rate) for name, rate in self if name not in ("failed_authentication", "replicas"))


class WalletRateSettings(Section):
    """Rates of one wallet across all callers, by the same classes. A wallet can have rates of its own."""

    read: Rate = Field(default=None, description="Reading one wallet: calls of all principals together, or `off`")
    write: Rate = Field(default=None, description="Renaming and archiving one wallet")
    address: Rate = Field(default=None, description="Deriving addresses of one wallet")
    sign: Rate = Field(default=None, description="Signing with one wallet")
    chain: Rate = Field(default=None, description="Reading balances and history of one wallet")
    fresh: Rate = Field(default=None, description="Reading balances of one wallet with `fresh=true`")
    broadcast: Rate = Field(default=None, description="Signing with one wallet and broadcasting in one request")

    def by_class(self) -> dict[str, ParsedRate]:
        return _by_class(iter(self))


Claim = Annotated[tuple[str, ...], BeforeValidator(_claim), Field(max_length=8)]
"""The name of a claim, or the names that lead to a nested claim."""


class JwtSettings(Section):
    """One ``[[access.jwt]]`` in the TOML file: an issuer whose tokens are accepted."""

    name: Name
    """For the log and health."""
    issuer: str = Field(min_length=1, max_length=1024)
    """The ``iss`` of its tokens, character for character."""
    audience: Annotated[tuple[str, ...], BeforeValidator(_texts), Field(min_length=1, max_length=16)]
    """``aud`` must contain one of these."""
    other_audiences: Annotated[tuple[str, ...], BeforeValidator(_texts), Field(max_length=16)] = ()
    """Further values that ``aud`` may contain."""
    algorithms: Annotated[tuple[Literal["EdDSA", "ES256", "RS256"], ...], Field(min_length=1)]
    jwks_url: str | None = Field(default=None, pattern=r"^https?://[^\s@#]+$")
    keys_file: Path | None = None
    """A JSON Web Key Set, or one public key in PEM."""
    refresh: Annotated[float, Field(ge=5, le=86_400, allow_inf_nan=False)] = 300.0
    """Seconds between reads of the keys."""
    ca_file: Path | None = None
    token_file: Path | None = None
    """A bearer token to send to ``jwks_url``."""
    allow_http: bool = False
    """Allow ``jwks_url`` to be ``http://`` to another machine."""
    tenant: UUID | None = None
    tenant_claim: Claim = ()
    tenants: dict[str, UUID] | None = None
    """Tenants by claim value. Without it, the claim is the tenant's id."""
    scopes: Annotated[tuple[str, ...], BeforeValidator(_texts), Field(min_length=1)]
    """The most that a token can be granted. Without ``scopes_claim`` every token gets all of these."""
    scopes_claim: Claim = ()
    scope_map: dict[str, Annotated[tuple[str, ...], BeforeValidator(_texts)]] | None = None
    """Our scopes by claim value. Without it, the claim uses our names."""
    leeway: Whole = Field(default=10, ge=0, le=30)
    """Seconds by which clocks may differ."""
    lifetime: Whole = Field(default=3600, ge=60, le=3600)
    """Maximum seconds from ``iat`` to ``exp``."""
    require: dict[str, str] = Field(default={})
    """Claims that must have exactly these values."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.jwks_url is None) == (self.keys_file is None):
            raise ValueError("give jwks_url or keys_file")
        if (self.tenant is None) == (self.tenant_claim == ()):
            raise ValueError("give tenant or tenant_claim")
        if self.tenants is not None and not self.tenant_claim:
            raise ValueError("tenants needs tenant_claim")
        if self.scope_map is not None and not self.scopes_claim:
            raise ValueError("scope_map needs scopes_claim")
        if self.jwks_url is not None:
            check_hosts(self.jwks_url)
            host = re.split(r"[/?]", self.jwks_url.partition("://")[2], maxsplit=1)[0].rsplit(":", 1)[0]
            local = host in ("127.0.0.1", "localhost", "[::1]")
            if self.jwks_url.startswith("http://") and not (local or self.allow_http):
                raise ValueError(
                    "jwks_url must be https://, unless it is on this machine: over http:// the keys "
                    "could be replaced on "
                    "the way"
                )
        return self


class AccessSettings(Section):
    """Where callers may come from, and which credentials they may use."""

    accept: Annotated[tuple[Literal["api_key", "jwt"], ...], BeforeValidator(listed), Field(min_length=1)] = Field(
        default=("api_key", "jwt"), description="Accepted credentials: api_key, jwt, or both, separated by a comma"
    )
    everybody: bool = Field(default=False, description="Allow access.clients to cover every address")
    clients: Annotated[tuple[Cidr, ...], BeforeValidator(listed)] = Field(
        default=(),
        description=(
            "Networks that calls may come from, separated by commas. Empty means anywhere. Probes are always answered"
        ),
    )
    certificates: tuple[CertificateSettings, ...] = Field(
        default=(), description="Client certificates that stand for principals; in the TOML file only"
    )

    @field_validator("clients")
    @classmethod
    def _not_everybody_by_mistake(cls, clients: tuple[Network, ...], others: ValidationInfo) -> tuple[Network, ...]:
        if means_everybody(clients) and not others.data.get("everybody"):
            raise ValueError("covers every address: leave it empty, or set access.everybody")
        return clients

    jwt: tuple[JwtSettings, ...] = Field(default=(), description="Issuers of tokens; in the TOML file only")

    @field_validator("jwt")
    @classmethod
    def _told_apart(cls, issuers: tuple[JwtSettings, ...]) -> tuple[JwtSettings, ...]:
        if len({each.name for each in issuers}) < len(issuers):
            raise ValueError("two issuers have the same name")
        places = [(each.issuer, audience) for each in issuers for audience in each.audience]
        if len(set(places)) < len(places):
            raise ValueError("two issuers have the same issuer and audience")
        return issuers


def _by_class(rates: Iterable[tuple[str, Any]]) -> dict[str, ParsedRate]:
    return {name: ParsedRate.parse(rate) for name, rate in rates if rate is not None}
