"""The tables. Primary keys begin with what a row is looked up by. Every row names its tenant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    literal_column,
)

from strongroom.storage.column_types import Id, Timestamp

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _id(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Id(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text(), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, LargeBinary(), nullable=nullable)


def _mac() -> Column[Any]:
    """A MAC over every other column (`Authenticity.row_mac`). NULL in rows of 1.0.8 that are not authenticated yet."""
    return _bytes("mac", nullable=True)


def _integer(name: str) -> Column[Any]:
    return Column(name, BigInteger(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Timestamp(), nullable=nullable)


wallets = Table(
    "wallets",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _text("kind"),
    _text("label", nullable=True),
    _text("external_id", nullable=True),
    _text("state"),
    _integer("secret_version"),
    _text("master_fingerprint", nullable=True),
    _text("keyspace", nullable=True),
    _time("created_at"),
    _text("rates", nullable=True),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
)
Index("ix_wallets_tenant_id_id", wallets.c.tenant_id, wallets.c.id)
Index(
    "ix_wallets_rates",
    wallets.c.id,
    sqlite_where=wallets.c.rates.is_not(None),
    postgresql_where=wallets.c.rates.is_not(None),
)
Index(
    "uq_wallets_external_id",
    wallets.c.tenant_id,
    wallets.c.external_id,
    unique=True,
    sqlite_where=wallets.c.external_id.is_not(None),
    postgresql_where=wallets.c.external_id.is_not(None),
)

secrets = Table(
    "secrets",
    metadata,
    _id("wallet_id"),
    _integer("version"),
    _id("tenant_id"),
    _text("kind"),
    _text("kek"),
    _integer("kek_version"),
    _bytes("wrapped_dek"),
    _bytes("blob"),
    _mac(),
    PrimaryKeyConstraint("wallet_id", "version"),
    ForeignKeyConstraint(["wallet_id", "tenant_id"], ["wallets.id", "wallets.tenant_id"]),
)

accounts = Table(
    "accounts",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _id("wallet_id"),
    _text("keyspace"),
    _text("scheme"),
    _integer("number"),
    _text("path"),
    _bytes("public_sealed"),
    _integer("next_index"),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
    ForeignKeyConstraint(["wallet_id", "tenant_id"], ["wallets.id", "wallets.tenant_id"]),
)
Index(
    "uq_accounts_place",
    accounts.c.wallet_id,
    accounts.c.keyspace,
    accounts.c.scheme,
    accounts.c.number,
    unique=True,
)

addresses = Table(
    "addresses",
    metadata,
    _id("account_id"),
    _integer("change"),
    _integer("index"),
    _id("tenant_id"),
    _id("wallet_id"),
    _text("keyspace"),
    _text("scheme"),
    _integer("account"),
    _text("path"),
    _bytes("canonical"),
    _bytes("public_key"),
    _text("label", nullable=True),
    _text("external_id", nullable=True),
    _time("created_at"),
    _text("networks", nullable=True),
    _bytes("mac"),
    PrimaryKeyConstraint("account_id", "change", "index"),
    ForeignKeyConstraint(["account_id", "tenant_id"], ["accounts.id", "accounts.tenant_id"]),
)
Index("ix_addresses_canonical", addresses.c.tenant_id, addresses.c.keyspace, addresses.c.canonical)
Index(
    "ix_addresses_external_id",
    addresses.c.tenant_id,
    addresses.c.external_id,
    sqlite_where=addresses.c.external_id.is_not(None),
    postgresql_where=addresses.c.external_id.is_not(None),
)
# Rows of 1.0.8 have no networks, and may share an external id.
_unique = and_(addresses.c.external_id.is_not(None), addresses.c.networks.is_not(None))
Index(
    "uq_addresses_external_id",
    addresses.c.tenant_id,
    addresses.c.external_id,
    unique=True,
    sqlite_where=_unique,
    postgresql_where=_unique,
)
Index("ix_addresses_wallet_id", addresses.c.wallet_id, addresses.c.account_id, addresses.c.change, addresses.c.index)

operations = Table(
    "operations",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _id("principal_id"),
    _text("idempotency_key", nullable=True),
    _bytes("fingerprint"),
    _text("name"),
    _id("wallet_id", nullable=True),
    _text("state"),
    _time("lease_until"),
    _integer("epoch"),
    _bytes("result", nullable=True),
    _time("created_at"),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
)
Index(
    "uq_operations_idempotency_key",
    operations.c.tenant_id,
    operations.c.principal_id,
    operations.c.idempotency_key,
    unique=True,
    sqlite_where=operations.c.idempotency_key.is_not(None),
    postgresql_where=operations.c.idempotency_key.is_not(None),
)

guards = Table(
    "guards",
    metadata,
    _text("keyspace"),
    _text("chain_id"),
    _text("address"),
    _text("sequence"),
    _id("tenant_id"),
    _bytes("payload_hash"),
    _id("operation_id"),
    _id("replaced_by", nullable=True),
    _mac(),
    PrimaryKeyConstraint("keyspace", "chain_id", "address", "sequence"),
    ForeignKeyConstraint(["operation_id", "tenant_id"], ["operations.id", "operations.tenant_id"]),
    sqlite_with_rowid=False,
)
Index("ix_guards_operation_id", guards.c.operation_id)
Index(
    "ix_guards_replaced_by",
    guards.c.replaced_by,
    sqlite_where=guards.c.replaced_by.is_not(None),
    postgresql_where=guards.c.replaced_by.is_not(None),
)

signatures = Table(
    "signatures",
    metadata,
    _id("operation_id"),
    _integer("item"),
    _id("tenant_id"),
    _id("wallet_id"),
    _text("network"),
    _text("tx_id", nullable=True),
    _text("raw"),
    _bytes("summary"),
    _time("created_at"),
    _mac(),
    PrimaryKeyConstraint("operation_id", "item"),
    ForeignKeyConstraint(["operation_id", "tenant_id"], ["operations.id", "operations.tenant_id"]),
)

broadcasts = Table(
    "broadcasts",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _text("network"),
    _text("tx_id"),
    _id("wallet_id", nullable=True),
    _id("operation_id"),
    _text("raw"),
    _text("state"),
    _text("rejection", nullable=True),
    _integer("epoch"),
    _time("created_at"),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
)
Index("ix_broadcasts_wallet_id", broadcasts.c.wallet_id, broadcasts.c.created_at)

discoveries = Table(
    "discoveries",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _id("wallet_id"),
    _id("operation_id"),
    _text("network"),
    _text("scheme"),
    _integer("account"),
    _text("state"),
    _text("reason", nullable=True),
    _integer("gap"),
    _integer("budget"),
    _integer("change"),
    _integer("index"),
    _integer("unused"),
    _integer("checked"),
    _integer("used"),
    _bytes("keys"),
    _integer("epoch"),
    _time("created_at"),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
)

# The audit has no foreign keys, so that nothing that happens to another table can affect it.
audit_writers = Table(
    "audit_writers",
    metadata,
    _id("id"),
    _integer("ordinal"),
    _time("started_at"),
    _text("host"),
    _bytes("mac"),
    PrimaryKeyConstraint("id"),
)
Index("uq_audit_writers_ordinal", audit_writers.c.ordinal, unique=True)

audit = Table(
    "audit",
    metadata,
    _id("writer_id"),
    _integer("sequence"),
    _time("at"),
    _id("tenant_id"),
    _id("principal_id"),
    _text("operation"),
    _id("operation_id"),
    _text("outcome"),
    _id("wallet_id", nullable=True),
    _text("network", nullable=True),
    _text("request_id"),
    _text("client"),
    _text("details"),
    _bytes("mac"),
    PrimaryKeyConstraint("writer_id", "sequence"),
)
Index("ix_audit_at", audit.c.at, audit.c.writer_id, audit.c.sequence)
Index("ix_audit_tenant_id", audit.c.tenant_id, audit.c.at, audit.c.writer_id, audit.c.sequence)
Index("ix_audit_wallet_id", audit.c.wallet_id, audit.c.at)
MARKS = ("state.authenticated", "state.restored", "api_keys.revoke")
"""Operations whose audit records are looked for at every start."""
is_mark = audit.c.operation.in_([literal_column(f"'{name}'") for name in MARKS])
Index(
    "ix_audit_marks",
    audit.c.operation,
    audit.c.at,
    sqlite_where=is_mark,
    postgresql_where=is_mark,
)

api_keys = Table(
    "api_keys",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _text("name"),
    _bytes("secret_mac"),
    _text("scopes"),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("revoked_at", nullable=True),
    _bytes("row_mac"),
    _id("made_by", nullable=True),
    _text("restriction", nullable=True),
    PrimaryKeyConstraint("id"),
)
Index("ix_api_keys_made_by", api_keys.c.made_by)
Index("ix_api_keys_tenant_id", api_keys.c.tenant_id, api_keys.c.id)

revocations = Table(
    "revocations",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _id("target"),
    _text("kind"),
    _text("issuer", nullable=True),
    _text("shown"),
    _text("reason", nullable=True),
    _id("revoked_by"),
    _integer("epoch"),
    _time("created_at"),
    _time("lifted_at", nullable=True),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
)
Index("ix_revocations_tenant_id", revocations.c.tenant_id, revocations.c.id)

client_networks = Table(
    "client_networks",
    metadata,
    _id("id"),
    _id("tenant_id"),
    _text("networks"),
    _id("changed_by"),
    _integer("epoch"),
    _time("changed_at"),
    _mac(),
    PrimaryKeyConstraint("id", "tenant_id"),
)

tasks = Table(
    "tasks",
    metadata,
    _text("kind"),
    _text("key"),
    _id("tenant_id", nullable=True),
    _time("due_at", nullable=True),
    _time("lease_until", nullable=True),
    _integer("epoch"),
    _integer("wanted"),
    _integer("attempts"),
    _text("last_error_code", nullable=True),
    _time("created_at"),
    PrimaryKeyConstraint("kind", "key"),
    sqlite_with_rowid=False,
)
Index(
    "ix_tasks_due",
    tasks.c.kind,
    tasks.c.due_at,
    sqlite_where=tasks.c.due_at.is_not(None),
    postgresql_where=tasks.c.due_at.is_not(None),
)

progress = Table(
    "progress",
    metadata,
    _text("name"),
    _bytes("cursor", nullable=True),
    _time("started_at"),
    _time("finished_at", nullable=True),
    _integer("checked"),
    _integer("findings"),
    _bytes("mac"),
    PrimaryKeyConstraint("name"),
)

service_secrets = Table(
    "service_secrets",
    metadata,
    Column("version", Integer(), nullable=False, autoincrement=False),
    _text("kek"),
    _integer("kek_version"),
    _bytes("wrapped"),
    _mac(),
    PrimaryKeyConstraint("version"),
)

# Added by `restore accept` and never changed. Of several rows for one address the newest counts.
floors = Table(
    "floors",
    metadata,
    _text("keyspace"),
    _text("chain_id"),
    _text("address"),
    _time("accepted_at"),
    _text("sequence"),
    _mac(),
    PrimaryKeyConstraint("keyspace", "chain_id", "address", "accepted_at"),
)
