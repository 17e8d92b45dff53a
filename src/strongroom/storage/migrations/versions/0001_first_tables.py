"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Id, Timestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _wallets()
    _secrets()
    _accounts()
    _addresses()
    _operations()
    _guards()
    _signatures()
    _audit_writers()
    _audit()
    _api_keys()
    _service_secrets()
    _refuse_changes("audit_writers")
    _refuse_changes("audit")


def _refuse_changes(table: str) -> None:
    """Append-only, for the owner of the table too. To change a row, the owner must first remove the trigger."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _wallets() -> None:
    op.create_table(
        "wallets",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("secret_version", sa.BigInteger(), nullable=False),
        sa.Column("master_fingerprint", sa.Text(), nullable=True),
        sa.Column("keyspace", sa.Text(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="pk_wallets"),
    )
    op.create_index("ix_wallets_tenant_id_id", "wallets", ["tenant_id", "id"], unique=False)
    op.create_index(
        "uq_wallets_external_id",
        "wallets",
        ["tenant_id", "external_id"],
        unique=True,
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("wallet_id", Id(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=False),
        sa.Column("kek_version", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_dek", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["wallet_id", "tenant_id"], ["wallets.id", "wallets.tenant_id"], name="fk_secrets_wallets"
        ),
        sa.PrimaryKeyConstraint("wallet_id", "version", name="pk_secrets"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("wallet_id", Id(), nullable=False),
        sa.Column("keyspace", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("public_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("next_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["wallet_id", "tenant_id"], ["wallets.id", "wallets.tenant_id"], name="fk_accounts_wallets"
        ),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="pk_accounts"),
    )
    op.create_index("uq_accounts_place", "accounts", ["wallet_id", "keyspace", "scheme", "number"], unique=True)


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("wallet_id", Id(), nullable=False),
        sa.Column("keyspace", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "tenant_id"], ["accounts.id", "accounts.tenant_id"], name="fk_addresses_accounts"
        ),
        sa.PrimaryKeyConstraint("account_id", "change", "index", name="pk_addresses"),
    )
    op.create_index("ix_addresses_canonical", "addresses", ["tenant_id", "keyspace", "canonical"], unique=False)
    op.create_index("ix_addresses_wallet_id", "addresses", ["wallet_id", "account_id", "change", "index"], unique=False)


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("principal_id", Id(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wallet_id", Id(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_until", Timestamp(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="pk_operations"),
    )
    op.create_index(
        "uq_operations_idempotency_key",
        "operations",
        ["tenant_id", "principal_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )


def _guards() -> None:
    op.create_table(
        "guards",
        sa.Column("keyspace", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("operation_id", Id(), nullable=False),
        sa.Column("replaced_by", Id(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operation_id", "tenant_id"], ["operations.id", "operations.tenant_id"], name="fk_guards_operations"
        ),
        sa.PrimaryKeyConstraint("keyspace", "chain_id", "address", "sequence", name="pk_guards"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guards_operation_id", "guards", ["operation_id"], unique=False)
    op.create_index(
        "ix_guards_replaced_by",
        "guards",
        ["replaced_by"],
        unique=False,
        sqlite_where=sa.text("replaced_by IS NOT NULL"),
        postgresql_where=sa.text("replaced_by IS NOT NULL"),
    )


def _signatures() -> None:
    op.create_table(
        "signatures",
        sa.Column("operation_id", Id(), nullable=False),
        sa.Column("item", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("wallet_id", Id(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("tx_id", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id", "tenant_id"], ["operations.id", "operations.tenant_id"], name="fk_signatures_operations"
        ),
        sa.PrimaryKeyConstraint("operation_id", "item", name="pk_signatures"),
    )


def _audit_writers() -> None:
    op.create_table(
        "audit_writers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Timestamp(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_writers"),
    )
    op.create_index("uq_audit_writers_ordinal", "audit_writers", ["ordinal"], unique=True)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("writer_id", Id(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("principal_id", Id(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("operation_id", Id(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("wallet_id", Id(), nullable=True),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("writer_id", "sequence", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at", "writer_id", "sequence"], unique=False)
    op.create_index("ix_audit_wallet_id", "audit", ["wallet_id", "at"], unique=False)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_mac", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=True),
        sa.Column("revoked_at", Timestamp(), nullable=True),
        sa.Column("row_mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_tenant_id", "api_keys", ["tenant_id", "id"], unique=False)


def _service_secrets() -> None:
    op.create_table(
        "service_secrets",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kek", sa.Text(), nullable=False),
        sa.Column("kek_version", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_service_secrets"),
    )
