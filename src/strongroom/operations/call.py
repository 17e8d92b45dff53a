"""What one call of an operation can reach: the services of the process, and who asks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import msgspec

from strongroom.access.api_keys import Authenticator
from strongroom.domain.principal import Principal
from strongroom.domain.signing import Guard, SignOptions
from strongroom.domain.wallet import Address, SealedSecret, Wallet, WalletState
from strongroom.errors import Forbidden, IntegrityError, NotFound, WalletArchived
from strongroom.keys.base import Signer
from strongroom.storage.base import Change, Row, Storage, Unit
from strongroom.telemetry.alarms import integrity_alarm

if TYPE_CHECKING:
    from strongroom.operations.keyring import Keyring
    from strongroom.operations.networks import Networks


class Intent(Protocol):
    """An operation between its two commits: T1 is durable, T2 is what `settle` was given."""

    @property
    def operation_id(self) -> UUID: ...

    def settle(
        self,
        result: msgspec.Struct | None,
        *,
        rows: Sequence[Row] = (),
        same: Sequence[Address] = (),
        changes: Sequence[Change] = (),
        stored: msgspec.Struct | None = None,
        details: dict[str, Any] | None = None,
        wallet_id: UUID | None = None,
    ) -> None:
        """What T2 commits: the answer (``stored`` in its place where the answer holds words) and the domain rows.

        ``details`` go into the audit record of the outcome.
        """


class Journal(Protocol):
    """The journal as one call sees it (`journal.entry.Entry`)."""

    def intent(
        self,
        *,
        wallet_id: UUID | None = None,
        network: str | None = None,
        guards: Sequence[Guard] = (),
        details: dict[str, Any] | None = None,
        options: SignOptions | None = None,
    ) -> AbstractAsyncContextManager[Intent]:
        """T1 on entering {operation, guards, audit `requested`}, T2 on leaving.

        Leaving without `settle`, or by an exception, settles the operation as failed: guards released, audit `failed`.
        Raises InFlight, AlreadySigned, Superseded, StorageUnavailable; whatever T2's rows conflict with.
        """

    async def commit(self, unit: Unit) -> None:
        """Commits what needs neither a key nor an audit record: an address that follows from a public node, a counter.

        Raises Conflict where a row or change of it loses, IntegrityError where a `same` row differs.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """One call. Its services are shared by all calls of the process."""

    principal: Principal
    request_id: str
    client: str
    now: datetime
    storage: Storage
    signer: Signer
    journal: Journal
    networks: Networks
    keyring: Keyring
    authenticator: Authenticator

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    async def wallet(self, wallet_id: UUID) -> Wallet:
        """A wallet of the caller's tenant. Raises NotFound, the same for a foreign and for a missing one."""
        wallet = await self.storage.wallet(self.tenant_id, wallet_id)
        if wallet is None:
            raise NotFound("there is no such wallet", field="wallet_id")
        return wallet

    async def active_wallet(self, wallet_id: UUID) -> Wallet:
        """One whose keys may be used. Raises NotFound, WalletArchived."""
        wallet = await self.wallet(wallet_id)
        if wallet.state is not WalletState.ACTIVE:
            raise WalletArchived("the wallet is archived: its keys are not used", field="wallet_id")
        return wallet

    async def secret(self, wallet: Wallet) -> SealedSecret:
        """Raises IntegrityError: a wallet without its secret was tampered with."""
        secret = await self.storage.secret(self.tenant_id, wallet.id)
        if secret is None:
            integrity_alarm("secret_missing", wallet_id=str(wallet.id))
            raise IntegrityError("the wallet has no sealed secret")
        return secret

    def require_scope(self, scope: str, what: str) -> None:
        """For what needs a right beyond the operation's own. Raises Forbidden."""
        if scope not in self.principal.scopes:
            raise Forbidden(f"{what} needs the scope {scope}")
