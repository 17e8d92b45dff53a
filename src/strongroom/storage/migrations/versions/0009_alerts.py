"""Alerts: what was seen, what is the matter, what is silenced, and what the channels have to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Id, Timestamp

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("id", Id(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=True),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.Column("told_at", Timestamp(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sightings"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", Timestamp(), nullable=False),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.Column("told_at", Timestamp(), nullable=True),
        sa.Column("told_of", Timestamp(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_tenant_id", "alerts", ["tenant_id", "id"], unique=False)
    op.create_table(
        "silences",
        sa.Column("id", Id(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=False),
        sa.Column("until", Timestamp(), nullable=False),
        sa.Column("principal_id", Id(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_index("ix_silences_rule", "silences", ["rule", "subject"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("id", Id(), nullable=False),
        sa.Column("alert_id", Id(), nullable=False),
        sa.Column("tenant_id", Id(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("since", Timestamp(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index("ix_notifications_alert_id", "notifications", ["alert_id", "id"], unique=False)
