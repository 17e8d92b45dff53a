"""From an address and a credential to a principal, in the same way for REST and gRPC.

    client networks of the service -> failures of the address -> credential -> client networks of tenant and key

The cheapest checks come first. An address that may not call is refused before its credential is read, and one that
failed too often is refused before the database is queried. What the tenant and the key permit is known only after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from strongroom.access.api_keys import Authenticator
from strongroom.access.certificates import Certificates
from strongroom.access.refusals import refuse, refuse_address
from strongroom.access.revocations import Revocations
from strongroom.access.tenant_networks import TenantNetworks
from strongroom.domain.client_networks import Network, permits
from strongroom.domain.principal import Principal
from strongroom.telemetry import tracing


class Tokens(Protocol):
    """Authenticates the tokens of the configured issuers."""

    async def authenticate(self, text: str, now: datetime, client: str) -> Principal:
        """Raises Unauthenticated, RateLimited."""


class Callers:
    """``networks`` are those from which the service accepts callers. Empty means any address.

    ``tokens`` is None if no issuer is configured. ``takes_keys`` is False if only tokens are accepted.
    """

    def __init__(
        self,
        keys: Authenticator,
        revocations: Revocations,
        tenants: TenantNetworks,
        *,
        networks: Sequence[Network] = (),
        tokens: Tokens | None = None,
        takes_keys: bool = True,
        certificates: Certificates | None = None,
    ) -> None:
        self.keys = keys
        self._revocations = revocations
        self._takes_keys = takes_keys
        self._networks = tuple(networks)
        self._tenants = tenants
        self._tokens = tokens
        self._certificates = certificates

    def admit(self, client: str) -> None:
        """Check the address only, for routes without a credential. Raises Forbidden, always with the same text."""
        if not permits(self._networks, client):
            refuse_address("address outside the service's client networks")

    @tracing.traced("authenticate")
    async def identify(
        self, credential: str | None, client: str, now: datetime, *, certificate: bytes | None = None
    ) -> Principal:
        """Return the principal of a call.

        ``credential`` is an API key or a token, told apart by their form. ``client`` is the caller's address.
        ``certificate`` is the client's TLS certificate as DER. It counts only if no credential was sent.

        Raises Forbidden (for the address), Unauthenticated, RateLimited, StorageUnavailable. `refusals.why` says more.
        """
        self.admit(client)
        if credential is None:
            principal = self._by_certificate(certificate, now)
            if await self._revocations.of(principal.tenant_id, [principal.id]):
                refuse("client certificate: its subject is revoked", principal)
        elif "." in credential:
            if self._tokens is None:
                refuse("token: no issuer is configured")
            principal = await self._tokens.authenticate(credential, now, client)
        else:
            if not self._takes_keys:
                refuse("API keys are not accepted")
            principal = await self.keys.authenticate(credential, now, client)
        if not permits(await self._tenants.of(principal.tenant_id), client):
            refuse("address outside the tenant's client networks", principal)
        if not permits(principal.client_networks, client):
            refuse("address outside the key's client networks", principal)
        return principal

    def forget(self, tenant_id: UUID, target: UUID) -> None:
        """Drop what is cached about a subject or token after its revocation was changed in this process."""
        self._revocations.forget(tenant_id, target)

    def forget_networks(self, tenant_id: UUID) -> None:
        """Drop the cached client networks of a tenant after they were changed in this process."""
        self._tenants.forget(tenant_id)

    def _by_certificate(self, certificate: bytes | None, now: datetime) -> Principal:
        if certificate is None or self._certificates is None:
            refuse("no credentials")
        return self._certificates.principal(certificate, now) or refuse(
            "the client certificate is not bound to a principal"
        )
