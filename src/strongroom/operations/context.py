"""The caller, and the storage, signer and journal that one call can reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from strongroom.domain.principal import Principal
from strongroom.domain.wallet import Wallet, WalletState
from strongroom.errors import Forbidden, IntegrityError, WalletArchived
from strongroom.journal.base import Journal
from strongroom.keys.base import Signer
from strongroom.operations.memory import Usable, WalletMemory
from strongroom.operations.sight import no_wallet, unseen_wallet
from strongroom.storage.base import Storage
from strongroom.telemetry.alarms import integrity_alarm


@dataclass(frozen=True, slots=True)
class Context:
    principal: Principal
    request_id: str
    client: str
    now: datetime
    storage: Storage
    signer: Signer
    journal: Journal
    wallets: WalletMemory

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    def require_seen(self, wallet_id: UUID) -> None:
        """Raises NotFound if the caller is restricted to other wallets, exactly as for a missing wallet."""
        seen = self.principal.restriction.wallets
        if seen is not None and wallet_id not in seen:
            raise unseen_wallet()

    async def wallet(self, wallet_id: UUID) -> Wallet:
        """A wallet of the caller's tenant. Raises the same NotFound for a foreign, a hidden and a missing wallet."""
        self.require_seen(wallet_id)
        wallet = await self.storage.wallet(self.tenant_id, wallet_id)
        if wallet is None:
            raise no_wallet()
        return wallet

    async def known_wallet(self, wallet_id: UUID) -> Wallet:
        """As `wallet`, for what never changes about it. Label and state may be out of date."""
        self.require_seen(wallet_id)
        key = (self.tenant_id, wallet_id)
        known = self.wallets.known.recall(key)
        if known is None:
            known = await self.wallet(wallet_id)
            self.wallets.known.keep(key, known)
        return known

    async def usable_wallet(self, wallet_id: UUID) -> Usable:
        """An active wallet with its secret. It may be out of date, which T1 finds out.

        Raises NotFound, WalletArchived, IntegrityError (the secret was removed from the database).
        """
        self.require_seen(wallet_id)
        key = (self.tenant_id, wallet_id)
        known = self.wallets.usable.recall(key)
        if known is not None:
            return known
        wallet = await self.wallet(wallet_id)
        if wallet.state is not WalletState.ACTIVE:
            raise WalletArchived("the wallet is archived: unarchive it to use its keys", field="wallet_id")
        secret = await self.storage.secret(self.tenant_id, wallet_id)
        if secret is None:
            integrity_alarm("secret_missing", wallet_id=str(wallet_id))
            raise IntegrityError("the wallet has no sealed secret")
        usable = Usable(wallet, secret)
        self.wallets.usable.keep(key, usable)
        return usable

    def require_scope(self, scope: str, what: str) -> None:
        """Checks a right beyond the operation's own. ``what`` names it in the error. Raises Forbidden."""
        if scope not in self.principal.scopes:
            raise Forbidden(f"{what} needs the scope {scope}")
