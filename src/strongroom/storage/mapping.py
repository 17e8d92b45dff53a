"""Domain values to rows and back. Reading a row verifies what protects it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Connection, Executable, Row, Table

from strongroom.domain.access import ClientNetworks, Revocation, RevocationKind
from strongroom.domain.alert import (
    Alert,
    AlertState,
    Message,
    Notification,
    NotificationState,
    Severity,
    Sighting,
    Silence,
)
from strongroom.domain.discovery import Discovery, DiscoveryState
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import (
    AuditEntry,
    AuditOutcome,
    AuditRecord,
    AuditWriter,
    Broadcast,
    BroadcastState,
    Floor,
    HeldGuard,
    OperationRecord,
    OperationState,
    ServiceSecret,
    SignatureRecord,
)
from strongroom.domain.restriction import read_restriction, write_restriction
from strongroom.domain.signing import Guard
from strongroom.domain.task import Progress, Task
from strongroom.domain.wallet import Account, Address, SealedSecret, Wallet, WalletKind, WalletState
from strongroom.errors import IntegrityError
from strongroom.storage import alert_tables, tables
from strongroom.storage.authenticity import Authenticity
from strongroom.storage.base import Change
from strongroom.telemetry.alarms import integrity_alarm

Key = tuple[str, ...]
"""Names of the columns of a unique key."""


def names_of(table: Table, *but: str) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.name not in but)


@dataclass(frozen=True)
class Kind:
    """How one type of row is stored. ``keys`` are its unique keys, the primary key first."""

    of: type
    table: Table
    values: Callable[[Any, Authenticity], tuple[Any, ...]]
    """The values in the order of the table's columns."""
    load: Callable[[Row[Any], Authenticity], Any]
    keys: tuple[Key, ...]
    mac: str = ""
    """The column with a MAC over the others, if there is one. A change of any column changes it too."""

    @property
    def names(self) -> tuple[str, ...]:
        return names_of(self.table)

    def key_of(self, key: Key) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """A function that takes a unique key out of what ``values`` gives."""
        places = [self.names.index(name) for name in key]
        if len(places) > 1:
            return itemgetter(*places)
        return lambda values: (values[places[0]],)


def _plain(of: type, table: Table, *keys: Key, **convert: Callable[[Any], Any]) -> Kind:
    """A kind whose columns have the names of its attributes."""
    own = {field.name for field in fields(of)}
    names = tuple(name for name in names_of(table) if name in own)
    get = attrgetter(*names)

    def load(row: Row[Any], _: Authenticity) -> Any:
        found = dict(zip(names, row, strict=False))
        for name, function in convert.items():
            found[name] = function(found[name])
        return of(**found)

    return Kind(of, table, lambda value, _: get(value), load, keys)


def _under_mac(kind: Kind) -> Kind:
    """The same kind in a table whose last column is a MAC over all others."""
    name = kind.table.name

    def values(value: Any, authenticity: Authenticity) -> tuple[Any, ...]:
        cells = kind.values(value, authenticity)
        return (*cells, authenticity.row_mac(name, cells))

    def load(row: Row[Any], authenticity: Authenticity) -> Any:
        authenticity.check_row(name, row)
        return kind.load(row, authenticity)

    return replace(kind, values=values, load=load, mac="mac")


_account_columns = attrgetter("id", "tenant_id", "wallet_id", "keyspace", "scheme", "number", "path")


def _account_values(account: Account, authenticity: Authenticity) -> tuple[Any, ...]:
    return (*_account_columns(account), authenticity.seal_node(account), account.next_index)


def _load_account(row: Row[Any], authenticity: Authenticity) -> Account:
    account = Account(
        tenant_id=row.tenant_id,
        id=row.id,
        wallet_id=row.wallet_id,
        keyspace=row.keyspace,
        scheme=row.scheme,
        number=row.number,
        path=row.path,
        node=None,
        next_index=row.next_index,
    )
    return replace(account, node=authenticity.open_node(account, row.public_sealed))


_address_names = names_of(tables.addresses, "mac")
_address_columns = attrgetter(*_address_names)


def _address_values(address: Address, authenticity: Authenticity) -> tuple[Any, ...]:
    return (*_address_columns(address), authenticity.address_mac(address))


def _load_address(row: Row[Any], authenticity: Authenticity) -> Address:
    address = Address(**dict(zip(_address_names, row[:-1], strict=True)))
    authenticity.check_address(address, row[-1])
    return address


def _operation_values(record: OperationRecord, authenticity: Authenticity) -> tuple[Any, ...]:
    return (
        record.id,
        record.tenant_id,
        record.principal_id,
        record.idempotency_key,
        record.fingerprint,
        record.name,
        record.wallet_id,
        record.state,
        record.lease_until,
        record.epoch,
        None if record.result is None else authenticity.tag_result(record.id, record.result),
        record.created_at,
    )


def _load_operation(row: Row[Any], authenticity: Authenticity) -> OperationRecord:
    fields = dict(row._mapping)
    del fields["mac"]
    fields["state"] = OperationState(row.state)
    if row.result is not None:
        fields["result"] = authenticity.open_result(row.id, row.result)
    return OperationRecord(**fields)


def _guard_values(held: HeldGuard, _: Authenticity) -> tuple[Any, ...]:
    guard = held.guard
    return (
        guard.keyspace,
        guard.chain_id,
        guard.address,
        guard.sequence,
        held.tenant_id,
        guard.payload_hash,
        held.operation_id,
        held.replaced_by,
    )


def _load_guard(row: Row[Any], _: Authenticity) -> HeldGuard:
    keyspace, chain_id, address, sequence, tenant_id, payload_hash, operation_id, replaced_by = tuple(row)[:8]
    return HeldGuard(tenant_id, Guard(keyspace, chain_id, address, sequence, payload_hash), operation_id, replaced_by)


_entry_names = names_of(tables.audit, "writer_id", "sequence", "mac")
_entry_columns = attrgetter(*_entry_names)


def _audit_values(record: AuditRecord, _: Authenticity) -> tuple[Any, ...]:
    return (record.writer_id, record.sequence, *_entry_columns(record.entry), record.mac)


def _load_audit(row: Row[Any], _: Authenticity) -> AuditRecord:
    fields: dict[str, Any] = dict(zip(_entry_names, row[2:-1], strict=True))
    fields["outcome"] = AuditOutcome(row.outcome)
    return AuditRecord(row.writer_id, row.sequence, AuditEntry(**fields), row.mac)


_api_key_columns = attrgetter("created_at", "expires_at", "revoked_at")


def _api_key_values(key: ApiKey, authenticity: Authenticity) -> tuple[Any, ...]:
    scopes = json.dumps(key.scopes)
    row_mac = authenticity.api_key_row_mac(key)
    columns = _api_key_columns(key)
    restriction = write_restriction(key.restriction)
    return (key.id, key.tenant_id, key.name, key.secret_mac, scopes, *columns, row_mac, key.made_by, restriction)


def _load_api_key(row: Row[Any], authenticity: Authenticity) -> ApiKey:
    key = ApiKey(
        tenant_id=row.tenant_id,
        id=row.id,
        name=row.name,
        secret_mac=row.secret_mac,
        scopes=tuple(json.loads(row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        made_by=row.made_by,
        restriction=read_restriction(row.restriction),
    )
    authenticity.check_api_key(key, row.row_mac)
    return key


def _progress_values(progress: Progress, authenticity: Authenticity) -> tuple[Any, ...]:
    return (*_progress_columns(progress), authenticity.progress_mac(progress))


_progress_columns = attrgetter(*names_of(tables.progress, "mac"))


def _load_progress(row: Row[Any], authenticity: Authenticity) -> Progress:
    fields = dict(row._mapping)
    mac = fields.pop("mac")
    progress = Progress(**fields)
    authenticity.check_progress(progress, mac)
    return progress


KINDS: tuple[Kind, ...] = (
    _under_mac(
        _plain(
            Wallet,
            tables.wallets,
            ("id", "tenant_id"),
            ("tenant_id", "external_id"),
            kind=WalletKind,
            state=WalletState,
        )
    ),
    _under_mac(_plain(SealedSecret, tables.secrets, ("wallet_id", "version"), kind=WalletKind)),
    _under_mac(
        Kind(
            Account,
            tables.accounts,
            _account_values,
            _load_account,
            (("id", "tenant_id"), ("wallet_id", "keyspace", "scheme", "number")),
        )
    ),
    Kind(
        Address,
        tables.addresses,
        _address_values,
        _load_address,
        (("account_id", "change", "index"), ("tenant_id", "external_id")),
    ),
    _under_mac(
        Kind(
            OperationRecord,
            tables.operations,
            _operation_values,
            _load_operation,
            (("id", "tenant_id"), ("tenant_id", "principal_id", "idempotency_key")),
        )
    ),
    _under_mac(
        Kind(HeldGuard, tables.guards, _guard_values, _load_guard, (("keyspace", "chain_id", "address", "sequence"),))
    ),
    _under_mac(_plain(SignatureRecord, tables.signatures, ("operation_id", "item"))),
    _under_mac(_plain(Broadcast, tables.broadcasts, ("id", "tenant_id"), state=BroadcastState)),
    _under_mac(_plain(Discovery, tables.discoveries, ("id", "tenant_id"), state=DiscoveryState)),
    _plain(AuditWriter, tables.audit_writers, ("id",), ("ordinal",)),
    Kind(AuditRecord, tables.audit, _audit_values, _load_audit, (("writer_id", "sequence"),)),
    Kind(ApiKey, tables.api_keys, _api_key_values, _load_api_key, (("id",),), mac="row_mac"),
    _under_mac(_plain(Revocation, tables.revocations, ("id", "tenant_id"), kind=RevocationKind)),
    _under_mac(_plain(ClientNetworks, tables.client_networks, ("id", "tenant_id"))),
    _under_mac(_plain(ServiceSecret, tables.service_secrets, ("version",))),
    _under_mac(_plain(Floor, tables.floors, ("keyspace", "chain_id", "address", "accepted_at"))),
    _plain(Task, tables.tasks, ("kind", "key")),
    _under_mac(_plain(Sighting, alert_tables.sightings, ("id",))),
    _under_mac(_plain(Alert, alert_tables.alerts, ("id",), severity=Severity, state=AlertState)),
    _under_mac(_plain(Silence, alert_tables.silences, ("id",))),
    _under_mac(
        _plain(
            Notification,
            alert_tables.notifications,
            ("id",),
            message=Message,
            severity=Severity,
            state=NotificationState,
        )
    ),
    Kind(Progress, tables.progress, _progress_values, _load_progress, (("name",),)),
)
"""In the order of insertion. A row comes after those that it refers to."""

KIND_OF: dict[type, Kind] = {kind.of: kind for kind in KINDS}


def fetch(
    connection: Connection, of: Table, query: Executable, bound: Mapping[str, object] | None = None
) -> Sequence[Row[Any]]:
    """The rows of a query that begins with the columns of ``of``. Raises IntegrityError, as `load_all`.

    All are fetched before one is looked at. SQLite keeps a statement open until its last row is fetched, and its
    connection sees the database as it was then. A row that cannot be read must not leave it so.
    """
    with readable(of):
        return connection.execute(query, bound).all()


def load_all(kind: Kind, found: Sequence[Row[Any] | tuple[Any, ...]], authenticity: Authenticity) -> list[Any]:
    """The loaded rows. Raises IntegrityError, and the alarm, for a row that we did not write like this."""
    with readable(kind.table):
        return [kind.load(row, authenticity) for row in found]  # type: ignore[arg-type] # plain kinds read by place


@contextmanager
def readable(table: Table) -> Iterator[None]:
    """Raises IntegrityError, and the alarm, for what cannot be read: not an id, a time or a state of ours."""
    try:
        yield
    except (ValueError, TypeError, AttributeError):
        integrity_alarm("row", table=table.name)
        raise IntegrityError("a row cannot be read: it was changed") from None


def amend(kind: Kind, change: Change, row: Row[Any] | None, authenticity: Authenticity) -> dict[str, object]:
    """What an UPDATE has to set, with new tags and MACs.

    That needs the whole row: either ``change.was`` with the changes, or ``row`` as the database has it.
    """
    if kind.of is ApiKey:
        assert row is not None
        [was] = load_all(kind, [row], authenticity)
        return _whole(kind, (*change.set, kind.mac), replace(was, **change.set), authenticity)
    if change.was is not None:
        return _whole(kind, (*change.set, kind.mac), replace(change.was, **change.set), authenticity)  # type: ignore[arg-type]
    assert row is not None
    load_all(kind, [row], authenticity)
    cells = dict(zip(kind.names, row, strict=True))
    changed = dict(change.set)
    if isinstance(result := change.set.get("result"), bytes):
        changed["result"] = authenticity.tag_result(change.id, result)
    del cells[kind.mac]
    mac = authenticity.row_mac(kind.table.name, [*{**cells, **changed}.values()])
    return {**changed, kind.mac: mac}


def _whole(kind: Kind, names: Key, value: Any, authenticity: Authenticity) -> dict[str, object]:
    whole = dict(zip(kind.names, kind.values(value, authenticity), strict=True))
    return {name: whole[name] for name in names}
