"""Transactions that were sent, or were about to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Id, Timestamp

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("tx_id", sa.Text(), nullable=False),
        sa.Column("wallet_id", Id(), nullable=True),
        sa.Column("operation_id", Id(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rejection", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", "tenant_id", name="pk_broadcasts"),
    )
    op.create_index("ix_broadcasts_wallet_id", "broadcasts", ["wallet_id", "created_at"], unique=False)
