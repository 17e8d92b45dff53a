"""Reads of the tables, one query each. Loading a row detects tampering."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, exists, literal, or_, select, tuple_

from strongroom.domain.access import ClientNetworks, Revocation, client_networks_id, revocation_id
from strongroom.domain.discovery import Discovery
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import (
    AuditRecord,
    AuditWriter,
    Broadcast,
    HeldGuard,
    OperationRecord,
    ServiceSecret,
    SignatureRecord,
    broadcast_id,
)
from strongroom.domain.signing import Guard
from strongroom.domain.task import Progress, Task
from strongroom.domain.wallet import Account, Address, SealedSecret, Wallet, WalletState
from strongroom.storage import rewraps
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import AddressFilter, AuditFilter, KekCount, WalletFilter
from strongroom.storage.database import Database
from strongroom.storage.known_keys import KnownKeys
from strongroom.storage.mapping import KIND_OF, fetch, load_all
from strongroom.storage.tables import (
    addresses,
    api_keys,
    audit,
    audit_writers,
    broadcasts,
    guards,
    operations,
    progress,
    revocations,
    signatures,
    tasks,
    wallets,
)

R = TypeVar("R")


class Reads:
    def __init__(self, database: Database, authenticity: Authenticity) -> None:
        self._database = database
        self._authenticity = authenticity
        self._known_keys = KnownKeys(database)

    async def _all(self, of: type[R], query: Select[Any], bound: Mapping[str, object] | None = None) -> list[R]:
        kind = KIND_OF[of]

        def work(connection: Connection) -> list[R]:
            return load_all(kind, fetch(connection, kind.table, query, bound), self._authenticity)

        return await self._database.read(work)

    async def _scan(self, of: type[R], query: Select[Any]) -> list[R]:
        """As `_all`, for a query that may look at many more rows than it returns."""
        kind = KIND_OF[of]

        def work(connection: Connection) -> list[R]:
            return load_all(kind, fetch(connection, kind.table, query), self._authenticity)

        return await self._database.scan(work)

    async def _one(self, of: type[R], newest: str | None = None, **equal: object) -> R | None:
        """The row whose columns equal these values. If there are several, the one with the greatest ``newest``."""
        found = await self._all(of, _lookup(KIND_OF[of].table, tuple(equal), newest), equal)
        return found[0] if found else None

    async def wallet(self, tenant_id: UUID, wallet_id: UUID) -> Wallet | None:
        return await self._one(Wallet, id=wallet_id, tenant_id=tenant_id)

    async def wallets(self, tenant_id: UUID, where: WalletFilter, after: UUID | None, limit: int) -> list[Wallet]:
        query = select(wallets).where(
            wallets.c.tenant_id == tenant_id,
            *_equal(
                (wallets.c.state, where.state),
                (wallets.c.kind, where.kind),
                (wallets.c.external_id, where.external_id),
                (wallets.c.label, where.label),
            ),
            *_among((wallets.c.id, where.ids)),
        )
        if after is not None:
            query = query.where(wallets.c.id > after)
        return await self._scan(Wallet, query.order_by(wallets.c.id).limit(limit))

    async def wallets_with_rates(self, limit: int) -> list[UUID]:
        query = select(wallets.c.id).where(wallets.c.rates.is_not(None)).order_by(wallets.c.id).limit(limit)
        return await self._database.scan(lambda connection: list(connection.execute(query).scalars().all()))

    async def not_active(self, wallet_ids: Sequence[UUID]) -> list[UUID]:
        query = select(wallets.c.id).where(wallets.c.id.in_(wallet_ids), wallets.c.state != WalletState.ACTIVE.value)
        return await self._database.scan(lambda connection: list(connection.execute(query).scalars().all()))

    async def secret(self, tenant_id: UUID, wallet_id: UUID) -> SealedSecret | None:
        return await self._one(SealedSecret, "version", wallet_id=wallet_id, tenant_id=tenant_id)

    async def account(
        self, tenant_id: UUID, wallet_id: UUID, keyspace: str, scheme: str, number: int
    ) -> Account | None:
        return await self._one(
            Account, wallet_id=wallet_id, keyspace=keyspace, scheme=scheme, number=number, tenant_id=tenant_id
        )

    async def address(self, tenant_id: UUID, account_id: UUID, change: int, index: int) -> Address | None:
        return await self._one(Address, account_id=account_id, change=change, index=index, tenant_id=tenant_id)

    async def address_by_external_id(self, tenant_id: UUID, external_id: str) -> Address | None:
        return await self._one(Address, tenant_id=tenant_id, external_id=external_id)

    async def given_indexes(self, tenant_id: UUID, account_id: UUID, start: int, limit: int) -> list[int]:
        index = addresses.c.index
        query = select(index).where(
            addresses.c.account_id == account_id,
            addresses.c.change == 0,
            index >= start,
            addresses.c.tenant_id == tenant_id,
        )
        query = query.order_by(index).limit(limit)
        return await self._database.read(lambda connection: list(connection.execute(query).scalars().all()))

    async def addresses(
        self, tenant_id: UUID, wallet_id: UUID, where: AddressFilter, after: tuple[UUID, int, int] | None, limit: int
    ) -> list[Address]:
        place = (addresses.c.account_id, addresses.c.change, addresses.c.index)
        query = select(addresses).where(
            addresses.c.wallet_id == wallet_id,
            addresses.c.tenant_id == tenant_id,
            *_equal(
                (addresses.c.keyspace, where.keyspace),
                (addresses.c.scheme, where.scheme),
                (addresses.c.external_id, where.external_id),
            ),
            *_among((addresses.c.keyspace, where.keyspaces)),
            *_handed_out(where),
        )
        if after is not None:
            query = query.where(tuple_(*place) > after)
        return await self._scan(Address, query.order_by(*place).limit(limit))

    async def find_addresses(
        self, tenant_id: UUID, keyspace: str, canonical: bytes, wallet_ids: Collection[UUID] | None = None
    ) -> list[Address]:
        query = select(addresses).where(
            addresses.c.tenant_id == tenant_id,
            addresses.c.keyspace == keyspace,
            addresses.c.canonical == canonical,
            *_among((addresses.c.wallet_id, wallet_ids)),
        )
        oldest_first = (addresses.c.created_at, addresses.c.account_id, addresses.c.change, addresses.c.index)
        return await self._all(Address, query.order_by(*oldest_first))

    async def operation(self, tenant_id: UUID, operation_id: UUID) -> OperationRecord | None:
        return await self._one(OperationRecord, id=operation_id, tenant_id=tenant_id)

    async def operation_by_key(
        self, tenant_id: UUID, principal_id: UUID, idempotency_key: str
    ) -> OperationRecord | None:
        if not await self._known_keys.has((tenant_id, principal_id, idempotency_key)):
            return None
        return await self._one(
            OperationRecord, tenant_id=tenant_id, principal_id=principal_id, idempotency_key=idempotency_key
        )

    async def guard(self, guard: Guard) -> HeldGuard | None:
        return await self._one(
            HeldGuard,
            keyspace=guard.keyspace,
            chain_id=guard.chain_id,
            address=guard.address,
            sequence=guard.sequence,
        )

    async def guards_of(self, tenant_id: UUID, operation_id: UUID) -> list[HeldGuard]:
        query = select(guards).where(guards.c.operation_id == operation_id, guards.c.tenant_id == tenant_id)
        return await self._all(HeldGuard, query.order_by(*guards.primary_key.columns))

    async def signatures(self, tenant_id: UUID, operation_id: UUID) -> list[SignatureRecord]:
        query = select(signatures).where(signatures.c.operation_id == operation_id, signatures.c.tenant_id == tenant_id)
        return await self._all(SignatureRecord, query.order_by(signatures.c.item))

    async def broadcast(self, tenant_id: UUID, network: str, tx_id: str) -> Broadcast | None:
        return await self._one(Broadcast, id=broadcast_id(tenant_id, network, tx_id), tenant_id=tenant_id)

    async def discovery(self, tenant_id: UUID, discovery_id: UUID) -> Discovery | None:
        return await self._one(Discovery, id=discovery_id, tenant_id=tenant_id)

    async def recent_broadcasts(
        self, tenant_id: UUID, wallet_id: UUID, network: str, since: datetime, limit: int
    ) -> list[Broadcast]:
        table = broadcasts.c
        own = (table.wallet_id == wallet_id, table.tenant_id == tenant_id, table.network == network)
        query = select(broadcasts).where(*own, table.created_at >= since)
        return await self._all(Broadcast, query.order_by(table.created_at.desc(), table.id).limit(limit))

    async def revocations_of(self, tenant_id: UUID, targets: Sequence[UUID]) -> list[Revocation]:
        ids = [revocation_id(tenant_id, target) for target in targets]
        query = select(revocations).where(revocations.c.id.in_(ids), revocations.c.tenant_id == tenant_id)
        return await self._all(Revocation, query.order_by(revocations.c.id))

    async def revocation(self, tenant_id: UUID, revocation_id: UUID) -> Revocation | None:
        return await self._one(Revocation, id=revocation_id, tenant_id=tenant_id)

    async def revocations(self, tenant_id: UUID, after: UUID | None, limit: int) -> list[Revocation]:
        query = select(revocations).where(revocations.c.tenant_id == tenant_id)
        if after is not None:
            query = query.where(revocations.c.id > after)
        return await self._scan(Revocation, query.order_by(revocations.c.id).limit(limit))

    async def client_networks(self, tenant_id: UUID) -> ClientNetworks | None:
        return await self._one(ClientNetworks, id=client_networks_id(tenant_id), tenant_id=tenant_id)

    async def api_key(self, key_id: UUID) -> ApiKey | None:
        return await self._one(ApiKey, id=key_id)

    async def api_keys(
        self, tenant_id: UUID, after: UUID | None, limit: int, under: UUID | None = None
    ) -> list[ApiKey]:
        query = select(api_keys).where(api_keys.c.tenant_id == tenant_id)
        if under is not None:
            query = query.where(api_keys.c.id.in_(_made_under(under)))
        if after is not None:
            query = query.where(api_keys.c.id > after)
        return await self._scan(ApiKey, query.order_by(api_keys.c.id).limit(limit))

    async def api_keys_made_by(self, tenant_id: UUID, makers: Sequence[UUID], limit: int) -> list[ApiKey]:
        query = select(api_keys).where(api_keys.c.tenant_id == tenant_id, api_keys.c.made_by.in_(makers))
        return await self._all(ApiKey, query.order_by(api_keys.c.id).limit(limit))

    async def service_secret(self) -> ServiceSecret | None:
        return await self._one(ServiceSecret, "version")

    async def secrets_by_kek(self) -> list[KekCount]:
        return await self._database.scan(
            lambda connection: [KekCount(*row) for row in connection.execute(rewraps.COUNTS).all()]
        )

    async def secrets_not_under(
        self, kek: str, version: int, after: tuple[UUID, int] | None, limit: int
    ) -> list[SealedSecret]:
        return await self._scan(SealedSecret, rewraps.not_under(kek, version, after, limit))

    async def operations_between(self, after: UUID, before: UUID, limit: int) -> list[OperationRecord]:
        query = select(operations).where(operations.c.id > after, operations.c.id < before)
        return await self._all(OperationRecord, query.order_by(operations.c.id).limit(limit))

    async def broadcasts_after(self, after: UUID, limit: int) -> list[Broadcast]:
        query = select(broadcasts).where(broadcasts.c.id > after)
        return await self._all(Broadcast, query.order_by(broadcasts.c.id).limit(limit))

    async def task(self, kind: str, key: str) -> Task | None:
        return await self._one(Task, kind=kind, key=key)

    async def tasks(self, tenant_id: UUID, kind: str | None, after: tuple[str, str] | None, limit: int) -> list[Task]:
        place = (tasks.c.kind, tasks.c.key)
        query = select(tasks).where(
            or_(tasks.c.tenant_id == tenant_id, tasks.c.tenant_id.is_(None)), *_equal((tasks.c.kind, kind))
        )
        if after is not None:
            query = query.where(tuple_(*place) > after)
        return await self._all(Task, query.order_by(*place).limit(limit))

    async def progress(self, name: str | None = None) -> list[Progress]:
        query = select(progress).where(*_equal((progress.c.name, name)))
        return await self._all(Progress, query.order_by(progress.c.name))

    async def audit_writers(self) -> list[AuditWriter]:
        return await self._all(AuditWriter, select(audit_writers).order_by(audit_writers.c.ordinal))

    async def audit_writer_ids(self) -> set[UUID]:
        query = select(audit.c.writer_id).distinct()
        return await self._database.scan(lambda connection: set(connection.execute(query).scalars().all()))

    async def audit_writers_after(self, ordinal: int, limit: int) -> list[AuditWriter]:
        query = select(audit_writers).where(audit_writers.c.ordinal > ordinal)
        return await self._all(AuditWriter, query.order_by(audit_writers.c.ordinal).limit(limit))

    async def audit_writer_ids_after(self, after: UUID | None, limit: int) -> list[tuple[UUID, bool]]:
        def work(connection: Connection) -> list[tuple[UUID, bool]]:
            found: list[tuple[UUID, bool]] = []
            last = after
            while (
                len(found) < limit
            ):  # follows the index from writer to writer, because `DISTINCT` would read every record
                next_ = select(audit.c.writer_id).order_by(audit.c.writer_id).limit(1)
                if last is not None:
                    next_ = next_.where(audit.c.writer_id > last)
                last = connection.execute(next_).scalar()
                if last is None:
                    break
                registered = connection.execute(select(exists().where(audit_writers.c.id == last))).scalar_one()
                found.append((last, bool(registered)))
            return found

        return await self._database.read(work)

    async def audit_chain(self, writer_id: UUID, after_sequence: int, limit: int) -> list[AuditRecord]:
        query = select(audit).where(audit.c.writer_id == writer_id, audit.c.sequence > after_sequence)
        return await self._scan(AuditRecord, query.order_by(audit.c.sequence).limit(limit))

    async def audit_records(
        self, where: AuditFilter, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> list[AuditRecord]:
        place = (audit.c.at, audit.c.writer_id, audit.c.sequence)
        query = select(audit).where(
            *_equal(
                (audit.c.tenant_id, where.tenant_id),
                (audit.c.wallet_id, where.wallet_id),
                (audit.c.operation, where.operation),
                (audit.c.operation_id, where.operation_id),
                (audit.c.outcome, where.outcome),
            ),
            *_among((audit.c.wallet_id, where.wallets)),
        )
        if where.networks is not None:
            query = query.where(or_(audit.c.network.is_(None), audit.c.network.in_(sorted(where.networks))))
        if before is not None:
            query = query.where(tuple_(*place) < before)
        return await self._scan(AuditRecord, query.order_by(*[column.desc() for column in place]).limit(limit))


@cache
def _lookup(table: Table, names: tuple[str, ...], newest: str | None) -> Select[Any]:
    """Cached, because building a statement costs more than running it."""
    query = select(table).where(*[table.c[name] == bindparam(name) for name in names]).limit(1)
    return query if newest is None else query.order_by(table.c[newest].desc())


def _made_under(key_id: UUID) -> Select[Any]:
    """Ids of a key and of all keys that it made, directly or not."""
    first, next_ = api_keys.alias(), api_keys.alias()
    tree = select(first.c.id).where(or_(first.c.id == key_id, first.c.made_by == key_id)).cte("made", recursive=True)
    tree = tree.union(select(next_.c.id).where(next_.c.made_by == tree.c.id))
    return select(tree.c.id)


def _handed_out(where: AddressFilter) -> list[ColumnElement[bool]]:
    if not where.handed_out:
        return []
    unknown, networks = addresses.c.networks.is_(None), addresses.c.networks
    if where.networks is None:
        return [or_(unknown, networks != "")]
    padded = literal(" ").concat(networks).concat(" ")
    return [or_(unknown, *(padded.contains(f" {each} ", autoescape=True) for each in sorted(where.networks)))]


def _among(*conditions: tuple[Any, Collection[Any] | None]) -> list[ColumnElement[bool]]:
    return [column.in_(sorted(values)) for column, values in conditions if values is not None]


def _equal(*conditions: tuple[Any, object]) -> list[ColumnElement[bool]]:
    return [column == value for column, value in conditions if value is not None]
