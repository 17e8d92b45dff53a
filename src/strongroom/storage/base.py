"""The port of durable state. Rows are the plain values of `domain`. One implementation serves SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from strongroom.domain.access import ClientNetworks, Revocation
from strongroom.domain.alert import Alert, Notification, Sighting, Silence
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
    | Revocation
    | ClientNetworks
    | AuditRecord
    | AuditWriter
    | ApiKey
    | ServiceSecret
    | Task
    | Floor
    | Sighting
    | Alert
    | Silence
    | Notification
)


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one row: the one of type ``of`` with this id that holds ``expect``. There must be exactly one.

    ``was`` is the whole row if ``expect`` holds. With it the new MAC is computed without reading the row.
    """

    of: type[
        Wallet | Account | OperationRecord | ApiKey | Broadcast | Discovery | Revocation | ClientNetworks | Notification
    ]
    id: UUID
    expect: Mapping[str, object]
    set: Mapping[str, object]
    was: OperationRecord | None = None


@dataclass(frozen=True, slots=True)
class MoveGuard:
    """A guard goes over to another operation (and payload), if it is still as in ``held``."""

    held: HeldGuard
    to: HeldGuard


@dataclass(frozen=True, slots=True)
class SettleTask:
    """A task is done for now, if its epoch is still that of ``task``.

    It is due again after ``again``; with None it sleeps. If something woke it meanwhile it is due at once, unless it
    failed and is to be retried. The clock is the database's.
    """

    task: Task
    again: timedelta | None = None
    attempts: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Wake:
    """Makes a task due ``after`` a while, or leaves it due earlier. Never conflicts."""

    kind: str
    key: str
    tenant_id: UUID | None = None
    after: timedelta = timedelta()
    news: bool = True
    """Whether something has changed, so that a process working on the task has to look again. False for a schedule."""


@dataclass(frozen=True, slots=True)
class ReleaseGuards:
    """Gives up every guard that this operation holds or was about to replace, because it failed and no signature left.

    If it has signed after all, its state was tampered with, and what it holds stays where it is.
    """

    operation_id: UUID


@dataclass(frozen=True, slots=True)
class Opens:
    """The secret that is about to be opened. It must still be its wallet's newest, unchanged, and the wallet must be
    active.

    Both rows are read and checked against their MACs.
    """

    secret: SealedSecret


@dataclass(frozen=True, slots=True)
class Unit:
    """What is committed together or not at all.

    ``rows`` are inserted and must be new. ``same`` are inserted too, but one may exist already if it is equal: an
    Address in everything but label, external_id, created_at and networks, a HeldGuard in the payload hash. The networks
    of such an Address are added to those of the existing row.
    """

    rows: Sequence[Row] = ()
    same: Sequence[Address | HeldGuard] = ()
    changes: Sequence[Change | MoveGuard | SettleTask] = ()
    releases: Sequence[ReleaseGuards] = ()
    opens: Sequence[Opens] = ()
    wakes: Sequence[Wake] = ()
    progress: Sequence[Progress] = ()
    """Written over what exists. Only in a unit that settles the task of that name."""
    puts: Sequence[Sighting | Alert] = ()
    """Written over what exists. An `Alert` only in a unit that settles its task."""

    def with_rows(self, rows: Sequence[Row]) -> Unit:
        """The same unit with more rows to insert. `dataclasses.replace` takes twice as long."""
        return Unit(
            (*self.rows, *rows),
            self.same,
            self.changes,
            self.releases,
            self.opens,
            self.wakes,
            self.progress,
            self.puts,
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a unit could not be committed: its row or change that lost."""

    unit: int
    """Position among the given units."""
    cause: Row | Change | MoveGuard | SettleTask | Opens
    found: Row | None = None
    """The row that was in the way, if one was read."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Either everything was committed, or nothing was and ``conflicts`` says why."""

    conflicts: Sequence[Conflict] = ()
    present: Sequence[tuple[int, Row]] = ()
    """(unit, row) for each of ``same`` that existed already, as it is stored."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A page of a table."""

    rows: Sequence[Row]
    broken: Sequence[str]
    """Keys of the rows that were tampered with. Each has raised the alarm."""
    after: str | None
    """Where the next page begins, or None after the last one."""


@dataclass(frozen=True, slots=True)
class KekCount:
    """The number of secrets, of all tenants, whose data key is wrapped by one version of a key."""

    kek: str
    version: int
    secrets: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """The tasks of one kind: how long the oldest free one has been due, and the number of expired leases."""

    kind: str
    oldest: timedelta
    expired: int
    """Among the 1,000 tasks that were due first."""


@dataclass(frozen=True, slots=True)
class WalletFilter:
    state: str | None = None
    kind: str | None = None
    external_id: str | None = None
    label: str | None = None
    ids: frozenset[UUID] | None = None
    """Only these; None for all."""


@dataclass(frozen=True, slots=True)
class AddressFilter:
    keyspace: str | None = None
    scheme: str | None = None
    external_id: str | None = None
    keyspaces: frozenset[str] | None = None
    """Only these; None for all."""
    handed_out: bool = False
    """Only those that were handed out."""
    networks: frozenset[str] | None = None
    """With ``handed_out``: only those handed out for one of these (CAIP-2 ids); None for any."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    tenant_id: UUID | None = None
    wallet_id: UUID | None = None
    operation: str | None = None
    operation_id: UUID | None = None
    outcome: str | None = None
    wallets: frozenset[UUID] | None = None
    """Only records of these wallets; None for all records, also those without a wallet."""
    networks: frozenset[str] | None = None
    """By name. Only records of these networks and records without one; None for all."""


class Storage(Protocol):
    """Reads are for one tenant unless they say otherwise. A row with a wrong MAC or seal raises IntegrityError and the
    alarm.

    Lists have a fixed order, and ``after`` is the last id of the previous page. Everything raises StorageUnavailable if
    the database cannot be reached.
    """

    async def apply(self, units: Sequence[Unit]) -> Applied:
        """Commits all units in one transaction, all or nothing, with multi-row statements in a fixed order of rows."""

    async def wallet(self, tenant_id: UUID, wallet_id: UUID) -> Wallet | None: ...
    async def wallets(self, tenant_id: UUID, where: WalletFilter, after: UUID | None, limit: int) -> list[Wallet]: ...
    async def wallets_with_rates(self, limit: int) -> list[UUID]:
        """Wallets of all tenants that have rates of their own."""

    async def not_active(self, wallet_ids: Sequence[UUID]) -> list[UUID]:
        """Those of these wallets, of any tenant, that are archived."""

    async def secret(self, tenant_id: UUID, wallet_id: UUID) -> SealedSecret | None: ...

    async def account(
        self, tenant_id: UUID, wallet_id: UUID, keyspace: str, scheme: str, number: int
    ) -> Account | None: ...
    async def address(self, tenant_id: UUID, account_id: UUID, change: int, index: int) -> Address | None: ...
    async def address_by_external_id(self, tenant_id: UUID, external_id: str) -> Address | None:
        """The address. 1.0.8 may have stored several; then it is one of them."""

    async def given_indexes(self, tenant_id: UUID, account_id: UUID, start: int, limit: int) -> list[int]:
        """Receiving indexes from ``start`` on that were handed out, in order."""

    async def addresses(
        self, tenant_id: UUID, wallet_id: UUID, where: AddressFilter, after: tuple[UUID, int, int] | None, limit: int
    ) -> list[Address]:
        """In the order of (account id, change, index)."""

    async def find_addresses(
        self, tenant_id: UUID, keyspace: str, canonical: bytes, wallet_ids: Collection[UUID] | None = None
    ) -> list[Address]:
        """Oldest first. ``wallet_ids``: only of these wallets."""

    async def operation(self, tenant_id: UUID, operation_id: UUID) -> OperationRecord | None: ...
    async def operation_by_key(
        self, tenant_id: UUID, principal_id: UUID, idempotency_key: str
    ) -> OperationRecord | None: ...
    async def guard(self, guard: Guard) -> HeldGuard | None:
        """The row with the same keyspace, chain id, address and sequence, of any tenant."""

    async def guards_of(self, tenant_id: UUID, operation_id: UUID) -> list[HeldGuard]:
        """All guards that the operation holds, in the order of the primary key."""

    async def signatures(self, tenant_id: UUID, operation_id: UUID) -> list[SignatureRecord]: ...

    async def broadcast(self, tenant_id: UUID, network: str, tx_id: str) -> Broadcast | None:
        """``network``: CAIP-2 id."""

    async def recent_broadcasts(
        self, tenant_id: UUID, wallet_id: UUID, network: str, since: datetime, limit: int
    ) -> list[Broadcast]:
        """The wallet's broadcasts on a network (CAIP-2 id), newest first."""

    async def discovery(self, tenant_id: UUID, discovery_id: UUID) -> Discovery | None: ...

    async def api_key(self, key_id: UUID) -> ApiKey | None: ...
    async def api_keys(
        self, tenant_id: UUID, after: UUID | None, limit: int, under: UUID | None = None
    ) -> list[ApiKey]:
        """``under``: only this key and those that it made, directly or not."""

    async def api_keys_made_by(self, tenant_id: UUID, makers: Sequence[UUID], limit: int) -> list[ApiKey]:
        """Keys that these keys made, by id."""

    async def revocations_of(self, tenant_id: UUID, targets: Sequence[UUID]) -> list[Revocation]:
        """Revocations of these subjects and tokens, in force or lifted."""

    async def revocation(self, tenant_id: UUID, revocation_id: UUID) -> Revocation | None: ...
    async def revocations(self, tenant_id: UUID, after: UUID | None, limit: int) -> list[Revocation]:
        """By id."""

    async def client_networks(self, tenant_id: UUID) -> ClientNetworks | None: ...

    async def service_secret(self) -> ServiceSecret | None:
        """The newest version. It has no MAC of ours, because the authentication of the key wrap protects it."""

    async def secrets_by_kek(self) -> list[KekCount]: ...
    async def secrets_not_under(
        self, kek: str, version: int, after: tuple[UUID, int] | None, limit: int
    ) -> list[SealedSecret]:
        """Secrets of all tenants, in the order of (wallet id, version)."""

    async def rewrap_secrets(self, pairs: Sequence[tuple[SealedSecret, SealedSecret]]) -> int:
        """Stores pairs of (old, rewrapped). A row whose wrapped data key has changed meanwhile stays as it is.

        Returns how many were changed.
        """

    async def rewrap_service_secret(self, old: ServiceSecret, new: ServiceSecret) -> bool:
        """The same for the service secret."""

    async def operations_between(self, after: UUID, before: UUID, limit: int) -> list[OperationRecord]:
        """Operations of all tenants between two ids, both exclusive, by id, which is by time."""

    async def broadcasts_after(self, after: UUID, limit: int) -> list[Broadcast]:
        """Broadcasts of all tenants, by id."""

    async def task(self, kind: str, key: str) -> Task | None: ...
    async def tasks(self, tenant_id: UUID, kind: str | None, after: tuple[str, str] | None, limit: int) -> list[Task]:
        """Tasks of the tenant and of the service itself, by (kind, key)."""

    async def progress(self, name: str | None = None) -> list[Progress]:
        """The progress of one task, or of all."""

    async def sighting(self, alert_id: UUID) -> Sighting | None: ...
    async def alert(self, alert_id: UUID) -> Alert | None: ...
    async def alerts(self, tenant_id: UUID, state: str | None, after: UUID | None, limit: int) -> list[Alert]:
        """Alerts of the tenant and of the service itself, by id."""

    async def alerts_firing(self) -> Mapping[str, int]:
        """The number of firing alerts of all tenants, by rule, without zeros. Rows are only counted, so no MAC is
        checked.
        """

    async def silences(self, rule: str, subjects: Sequence[str]) -> list[Silence]:
        """Silences of these subjects, of all tenants, in the order in which they were made."""

    async def notification(self, notification_id: UUID) -> Notification | None: ...
    async def notifications_of(self, alert_id: UUID, before: UUID, limit: int) -> list[Notification]:
        """Notifications of one alert that were made before that one, newest first."""

    async def notifications(self, tenant_id: UUID, before: UUID | None, limit: int) -> list[Notification]:
        """Notifications of the tenant and of the service itself, newest first."""

    async def api_keys_ending(self, after: datetime, before: datetime, limit: int) -> list[ApiKey]:
        """Keys of all tenants that expire between the two and are not revoked."""

    async def forget_alerts(self, before: datetime, most: int) -> int:
        """Deletes what nobody has seen since ``before``, at most ``most`` rows per table. Returns how many rows were
        deleted.
        """

    async def audit_writers(self) -> list[AuditWriter]:
        """All writers, by ordinal."""

    async def audit_writers_after(self, ordinal: int, limit: int) -> list[AuditWriter]:
        """Writers after ``ordinal``, by ordinal."""

    async def audit_writer_ids_after(self, after: UUID | None, limit: int) -> list[tuple[UUID, bool]]:
        """Ids of writers that have records, in order, each with whether it is registered."""

    async def audit_writer_ids(self) -> set[UUID]:
        """Ids of all writers that have records, registered or not."""

    async def audit_chain(self, writer_id: UUID, after_sequence: int, limit: int) -> list[AuditRecord]:
        """Records of one writer by sequence, for `audit verify`."""

    async def audit_records(
        self, where: AuditFilter, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> list[AuditRecord]:
        """Newest first, by (at, writer id, sequence)."""

    async def scan(self, table: str, after: str | None, limit: int) -> Scanned:
        """A page of the rows of all tenants, in the order of the primary key."""

    async def find(self, of: type[R], names: tuple[str, ...], values: Sequence[tuple[object, ...]]) -> list[R]:
        """The rows of all tenants whose columns ``names`` have one of ``values``. Rows that were tampered with are left
        out.
        """

    async def marks(self, operation: str) -> list[AuditRecord]:
        """Records of one of the operations in `tables.MARKS`, oldest first."""

    async def floors(self) -> list[Floor]:
        """Oldest first."""

    async def authenticate(self, table: str, after: str | None, limit: int) -> tuple[int, str | None]:
        """Gives a page of rows the MACs for their present content. Returns how many had none, and where the next page
        begins.
        """

    @property
    def connections(self) -> int:
        """Number of open connections of this process."""

    async def ping(self) -> float:
        """Milliseconds that it takes to ask the database over each kind of connection."""

    async def is_writable(self) -> bool:
        """Whether a transaction may write."""

    async def close(self) -> None: ...
