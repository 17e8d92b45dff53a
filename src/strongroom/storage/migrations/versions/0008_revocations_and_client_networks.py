"""Subjects and tokens that are refused, and from where a tenant's callers may come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Id, Timestamp

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("target", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("revoked_by", Id(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("lifted_at", Timestamp(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="pk_revocations"),
    )
    op.create_index("ix_revocations_tenant_id", "revocations", ["tenant_id", "id"], unique=False)
    op.create_table(
        "client_networks",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("changed_by", Id(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", Timestamp(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="pk_client_networks"),
    )
