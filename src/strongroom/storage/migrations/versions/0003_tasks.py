"""Background work: the tasks, and how far long ones have come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Id, Timestamp

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=True),
        sa.Column("due_at", Timestamp(), nullable=True),
        sa.Column("lease_until", Timestamp(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error_code", sa.Text(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_tasks"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_tasks_due",
        "tasks",
        ["kind", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "progress",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", Timestamp(), nullable=False),
        sa.Column("finished_at", Timestamp(), nullable=True),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_progress"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Every claim and settlement writes a row of `tasks` anew: room on its page, and a vacuum that comes early.
        op.execute(
            "ALTER TABLE tasks SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, "
            "autovacuum_vacuum_threshold = 1000)"
        )
