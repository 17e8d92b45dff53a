"""Assembles the access checks: API keys, issuers' tokens, certificates and client networks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from strongroom.access.api_keys import Authenticator
from strongroom.access.callers import Callers
from strongroom.access.certificates import Binding, Certificates
from strongroom.access.failures import FailureLimit
from strongroom.access.revocations import Revocations
from strongroom.access.scopes import SCOPES
from strongroom.access.tenant_networks import TenantNetworks
from strongroom.config.access import JwtSettings
from strongroom.config.settings import Settings
from strongroom.errors import ConfigurationError
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Storage

if TYPE_CHECKING:
    from strongroom.access.tokens.checking import IssuedTokens
    from strongroom.access.tokens.issuer import Issuer
    from strongroom.access.tokens.sources import KeySource

KeyFaults = Mapping[str, Callable[[], str | None]]
"""By issuer: why its keys could not be read last time, or None if they could."""


def open_callers(
    stack: AsyncExitStack, settings: Settings, storage: Storage, authenticity: Authenticity
) -> tuple[Callers, KeyFaults]:
    """Start reading the issuers' keys in the background. Raises ConfigurationError."""
    failures = FailureLimit(settings.rates.failed_authentication)
    ttl = settings.api_keys.cache_ttl
    revocations = Revocations(storage, ttl=ttl)
    keys = Authenticator(storage, authenticity.api_key_mac, ttl=ttl, failures=failures, subjects_revoked=revocations.of)
    tokens: IssuedTokens | None = None
    sources: Sequence[KeySource] = ()
    if settings.access.jwt and "jwt" in settings.access.accept:
        tokens, sources = open_tokens(stack, settings, revocations, failures)
    for source in sources:
        source.start()
    callers = Callers(
        keys,
        revocations,
        TenantNetworks(storage, ttl=ttl),
        networks=settings.access.clients,
        tokens=tokens,
        takes_keys="api_key" in settings.access.accept,
        certificates=bound_certificates(settings),
    )
    return callers, {source.name: source.fault for source in sources}


def bound_certificates(settings: Settings) -> Certificates:
    """Raises ConfigurationError."""
    return Certificates(
        Binding(each.spiffe or each.subject or "", each.name, each.tenant, frozenset(each.scopes))
        for each in settings.access.certificates
    )


def open_tokens(
    stack: AsyncExitStack, settings: Settings, revocations: Revocations, failures: FailureLimit | None = None
) -> tuple[IssuedTokens, Sequence[KeySource]]:
    """Return sources that have not read anything yet. Raises ConfigurationError."""
    from strongroom.access.tokens.checking import IssuedTokens  # noqa: PLC0415 - imports PyJWT and httpx, which most processes do without

    issuers = [_issuer(stack, each) for each in settings.access.jwt]
    return IssuedTokens(issuers, revocations, failures), [each.keys for each in issuers]


async def explain(settings: Settings, storage: Storage, token: str) -> dict[str, Any]:
    """Why a token is accepted or refused; see `tokens.explaining`. Raises ConfigurationError, StorageUnavailable."""
    from strongroom.access.tokens.explaining import explain as told  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        tokens, sources = open_tokens(stack, settings, Revocations(storage))
        await asyncio.gather(*(source.read() for source in sources))
        return await told(tokens, token, datetime.now(UTC))


def check_issuers(settings: Settings) -> None:
    """Check the scopes without any I/O. Raises ConfigurationError for a scope that does not exist."""
    for each in settings.access.jwt:
        named = {*each.scopes, *(scope for scopes in (each.scope_map or {}).values() for scope in scopes)}
        if unknown := named - SCOPES.keys():
            raise ConfigurationError(f"access.jwt {each.name}: {len(unknown)} of its scopes are unknown")


def _issuer(stack: AsyncExitStack, settings: JwtSettings) -> Issuer:
    from strongroom.access.tokens.issuer import Issuer  # noqa: PLC0415

    return Issuer(
        name=settings.name,
        url=settings.issuer,
        audiences=frozenset(settings.audience),
        others=frozenset(settings.other_audiences),
        algorithms=frozenset(settings.algorithms),
        keys=_keys(stack, settings),
        tenant=settings.tenant,
        tenant_claim=settings.tenant_claim,
        tenants=settings.tenants,
        scopes=frozenset(settings.scopes),
        scopes_claim=settings.scopes_claim,
        scope_map=None
        if settings.scope_map is None
        else {said: frozenset(scopes) for said, scopes in settings.scope_map.items()},
        leeway=settings.leeway,
        lifetime=settings.lifetime,
        require=settings.require,
    )


def _keys(stack: AsyncExitStack, settings: JwtSettings) -> KeySource:
    from strongroom.access.tokens.sources import KeySource, Url, from_file  # noqa: PLC0415

    if settings.jwks_url is not None:
        try:
            url = Url(settings.jwks_url, ca_file=settings.ca_file, token_file=settings.token_file)
        except (OSError, ValueError):
            raise ConfigurationError(
                f"access.jwt {settings.name}: ca_file cannot be read or holds no certificates in PEM"
            ) from None
        stack.push_async_callback(url.close)
        source = KeySource(settings.name, url, refresh=settings.refresh)
    else:
        assert settings.keys_file is not None
        source = KeySource(settings.name, from_file(settings.keys_file), refresh=settings.refresh)
    stack.push_async_callback(source.close)
    return source
