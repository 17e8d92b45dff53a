"""What API keys are restricted to, and rates of a wallet's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("restriction", sa.Text(), nullable=True))
    op.add_column("wallets", sa.Column("rates", sa.Text(), nullable=True))
    given = sa.text("rates IS NOT NULL")
    op.create_index("ix_wallets_rates", "wallets", ["id"], sqlite_where=given, postgresql_where=given)
