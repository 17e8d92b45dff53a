"""The port of durable state. Rows are the plain values of `domain`; one implementation serves SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from strongroom.domain.discovery import Discovery
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import (
    AuditRecord,
    AuditWriter,
    Broadcast,
    Floor,
    HeldGuard,
    OperationRecord,
    ServiceSecret,
    SignatureRecord,
)
from strongroom.domain.signing import Guard
from strongroom.domain.task import Progress, Task
from strongroom.domain.wallet import Account, Address, SealedSecret, Wallet

Row = (
    Wallet
    | SealedSecret
    | Account
    | Address
    | OperationRecord
    | HeldGuard
    | SignatureRecord
    | Broadcast
    | Discovery
    | AuditRecord
    | AuditWriter
    | ApiKey
    | ServiceSecret
    | Task
    | Floor
)


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is to change: of type ``of``, with this id, holding ``expect``. It must be exactly one.

    ``was`` is the whole row as it stands if ``expect`` holds: with it the new MAC is computed without reading the row.
    """

    of: type[Wallet | Account | OperationRecord | ApiKey | Broadcast | Discovery]
    id: UUID
    expect: Mapping[str, object]
    set: Mapping[str, object]
    was: OperationRecord | None = None


@dataclass(frozen=True, slots=True)
class MoveGuard:
    """A guard goes over to another operation (and payload), if ``held`` is still how it stands."""

    held: HeldGuard
    to: HeldGuard


@dataclass(frozen=True, slots=True)
class SettleTask:
    """A task is done with for now, if its epoch still is what it was when ``task`` was read.

    It is due again after ``again``; None: it sleeps. Whatever woke it meanwhile makes it due at once, unless this was
    a failure that is tried again. The clock is the database's.
    """

    task: Task
    again: timedelta | None = None
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """Somebody has to look at this key ``after`` a while, or earlier where that is what is written. Never conflicts."""

    kind: str
    key: str
    tenant_id: UUID | None = None
    after: timedelta = timedelta()
    news: bool = True
    """Something has changed: who is at work on it now has to look again. Of a schedule that is not so."""


@dataclass(frozen=True, slots=True)
class ReleaseGuards:
    """Every guard that this operation holds, or was about to replace, is given up: it failed, no signature left.

    What it holds stays where it is if it has signed all the same: then its state was changed by somebody else.
    """

    operation_id: UUID


@dataclass(frozen=True, slots=True)
class Opens:
    """What is about to open this secret: it must still be its wallet's newest, unchanged, and the wallet active.

    Both rows are read and held against their MACs.
    """

    secret: SealedSecret


@dataclass(frozen=True, slots=True)
class Unit:
    """What is committed together or not at all.

    ``rows`` are inserted and must be new. ``same`` are inserted, and where one exists already it must be equal: an
    Address in everything but label, external_id and created_at, a HeldGuard in the payload hash.
    """

    rows: Sequence[Row] = ()
    same: Sequence[Address | HeldGuard] = ()
    changes: Sequence[Change | MoveGuard | SettleTask] = ()
    releases: Sequence[ReleaseGuards] = ()
    opens: Sequence[Opens] = ()
    wakes: Sequence[Wake] = ()
    progress: Sequence[Progress] = ()
    """Written over what is there: only in a unit that settles the task of that name."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a unit could not be committed: the row or change of it that lost."""

    unit: int
    """Its position among the units given."""
    cause: Row | Change | MoveGuard | SettleTask | Opens
    found: Row | None = None
    """The row that was in the way, where one was read."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Either nothing was committed and ``conflicts`` says whose fault it was, or everything was."""

    conflicts: Sequence[Conflict] = ()
    present: Sequence[tuple[int, Row]] = ()
    """(unit, row): each of ``same`` that was there already, as it stands."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A page of a table."""

    rows: Sequence[Row]
    broken: Sequence[str]
    """Keys of the rows that somebody changed; the alarm was given for each."""
    after: str | None
    """Where the next page begins; None after the last one."""


@dataclass(frozen=True, slots=True)
class KekCount:
    """How many secrets, of all tenants, have their data key under one version of a wrapping key."""

    kek: str
    version: int
    secrets: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one kind of tasks: how long the oldest has been due that nobody works on, and leases whose time is over."""

    kind: str
    oldest: timedelta
    expired: int
    """Of the 1,000 that were due first."""


@dataclass(frozen=True, slots=True)
class WalletFilter:
    state: str | None = None
    kind: str | None = None
    external_id: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class AddressFilter:
    keyspace: str | None = None
    scheme: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    tenant_id: UUID | None = None
    wallet_id: UUID | None = None
    operation: str | None = None
    operation_id: UUID | None = None
    outcome: str | None = None


class Storage(Protocol):
    """Every read is of one tenant; a row that fails its MAC or seal raises IntegrityError and gives the alarm.

    Lists are in a fixed order; ``after`` is the last id of the page before. Everything raises StorageUnavailable where
    the database cannot be asked.
    """

    async def apply(self, units: Sequence[Unit]) -> Applied:
        """One transaction for all units, multi-row statements, rows in a fixed order. All or nothing."""

    async def wallet(self, tenant_id: UUID, wallet_id: UUID) -> Wallet | None: ...
    async def wallets(self, tenant_id: UUID, where: WalletFilter, after: UUID | None, limit: int) -> list[Wallet]: ...
    async def not_active(self, wallet_ids: Sequence[UUID]) -> list[UUID]:
        """Which of these wallets, of whichever tenant, are archived."""

    async def secret(self, tenant_id: UUID, wallet_id: UUID) -> SealedSecret | None: ...

    async def account(
        self, tenant_id: UUID, wallet_id: UUID, keyspace: str, scheme: str, number: int
    ) -> Account | None: ...
    async def address(self, tenant_id: UUID, account_id: UUID, change: int, index: int) -> Address | None: ...
    async def given_indexes(self, tenant_id: UUID, account_id: UUID, start: int, limit: int) -> list[int]:
        """Receiving indexes from ``start`` on that were handed out, in order."""

    async def addresses(
        self, tenant_id: UUID, wallet_id: UUID, where: AddressFilter, after: tuple[UUID, int, int] | None, limit: int
    ) -> list[Address]:
        """In the order of (account id, change, index)."""

    async def find_addresses(
        self, tenant_id: UUID, keyspace: str, canonical: bytes, wallet_id: UUID | None = None
    ) -> list[Address]: ...

    async def operation(self, tenant_id: UUID, operation_id: UUID) -> OperationRecord | None: ...
    async def operation_by_key(
        self, tenant_id: UUID, principal_id: UUID, idempotency_key: str
    ) -> OperationRecord | None: ...
    async def guard(self, guard: Guard) -> HeldGuard | None:
        """The row of the same keyspace, chain id, address and sequence, of whichever tenant."""

    async def guards_of(self, tenant_id: UUID, operation_id: UUID) -> list[HeldGuard]:
        """All that the operation holds, in the order of the primary key."""

    async def signatures(self, tenant_id: UUID, operation_id: UUID) -> list[SignatureRecord]: ...

    async def broadcast(self, tenant_id: UUID, network: str, tx_id: str) -> Broadcast | None:
        """``network``: CAIP-2 id."""

    async def recent_broadcasts(
        self, tenant_id: UUID, wallet_id: UUID, network: str, since: datetime, limit: int
    ) -> list[Broadcast]:
        """The wallet's on a network (CAIP-2 id), newest first."""

    async def discovery(self, tenant_id: UUID, discovery_id: UUID) -> Discovery | None: ...

    async def api_key(self, key_id: UUID) -> ApiKey | None: ...
    async def api_keys(self, tenant_id: UUID, after: UUID | None, limit: int) -> list[ApiKey]: ...

    async def api_keys_made_by(self, tenant_id: UUID, makers: Sequence[UUID], limit: int) -> list[ApiKey]:
        """Keys that these keys made, by id."""

    async def service_secret(self) -> ServiceSecret | None:
        """The newest version. Not under a MAC of ours: the key wrap's own authentication protects it."""

    async def secrets_by_kek(self) -> list[KekCount]: ...
    async def secrets_not_under(
        self, kek: str, version: int, after: tuple[UUID, int] | None, limit: int
    ) -> list[SealedSecret]:
        """Of all tenants, in the order of (wallet id, version)."""

    async def rewrap_secrets(self, pairs: Sequence[tuple[SealedSecret, SealedSecret]]) -> int:
        """(as it was, under another wrapping key). A row whose wrapped data key is another by now stays as it is.

        Returns how many were changed.
        """

    async def rewrap_service_secret(self, old: ServiceSecret, new: ServiceSecret) -> bool:
        """The same for the service secret."""

    async def operations_between(self, after: UUID, before: UUID, limit: int) -> list[OperationRecord]:
        """Of all tenants, by id, which is by time; neither bound is among them."""

    async def broadcasts_after(self, after: UUID, limit: int) -> list[Broadcast]:
        """Of all tenants, by id."""

    async def task(self, kind: str, key: str) -> Task | None: ...
    async def tasks(self, tenant_id: UUID, kind: str | None, after: tuple[str, str] | None, limit: int) -> list[Task]:
        """The tenant's and the service's own, by (kind, key)."""

    async def progress(self, name: str | None = None) -> list[Progress]:
        """Of one job, or of all."""

    async def audit_writers(self) -> list[AuditWriter]:
        """All, by ordinal."""

    async def audit_writers_after(self, ordinal: int, limit: int) -> list[AuditWriter]:
        """By ordinal."""

    async def audit_writer_ids_after(self, after: UUID | None, limit: int) -> list[tuple[UUID, bool]]:
        """Whose records there are, by id, each with whether it is registered."""

    async def audit_writer_ids(self) -> set[UUID]:
        """Whose records there are, registered or not."""

    async def audit_chain(self, writer_id: UUID, after_sequence: int, limit: int) -> list[AuditRecord]:
        """By sequence: what `audit verify` walks."""

    async def audit_records(
        self, where: AuditFilter, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> list[AuditRecord]:
        """Newest first, by (at, writer id, sequence)."""

    async def scan(self, table: str, after: str | None, limit: int) -> Scanned:
        """A page of all tenants' rows in the order of the primary key."""

    async def find(self, of: type[R], names: tuple[str, ...], values: Sequence[tuple[object, ...]]) -> list[R]:
        """The rows of all tenants whose columns ``names`` have one of ``values``. Changed rows are left out."""

    async def marks(self, operation: str) -> list[AuditRecord]:
        """Records of one of the operations that are looked for at every start, oldest first."""

    async def floors(self) -> list[Floor]:
        """Oldest first."""

    async def authenticate(self, table: str, after: str | None, limit: int) -> tuple[int, str | None]:
        """Puts a page of rows under their MACs as they stand. Returns how many had none, and where the next begins."""

    @property
    def connections(self) -> int:
        """How many are open, of this process."""

    async def ping(self) -> float:
        """Milliseconds of one round trip."""

    async def close(self) -> None: ...
