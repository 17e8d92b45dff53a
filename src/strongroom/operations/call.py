"""What one call of an operation can reach: the services of the process, and who asks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import msgspec

from strongroom.domain.principal import Principal
from strongroom.domain.signing import Guard, SignOptions
from strongroom.keys.base import Signer
from strongroom.storage.base import Change, Row, Storage

if TYPE_CHECKING:
    from strongroom.domain.network import Network
    from strongroom.domain.wallet import Address
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

    async def remember(self, addresses: Sequence[Address]) -> None:
        """Stores addresses that follow from a public node, so that they can be looked up: no key, no audit record.

        Raises IntegrityError where another row stands in their place.
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

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id
