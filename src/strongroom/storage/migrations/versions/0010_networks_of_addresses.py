"""Which networks an address was handed out for, and external ids of addresses that are unique.

Only adds a column that may be NULL, and indexes. A migration does not have the service secret, so it changes no row:
addresses that are there keep NULL and their MAC. 1.0.8 did not enforce its external ids, so they may be there twice.
The unique index leaves them out, and the service looks among them before it takes a new one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("addresses", sa.Column("networks", sa.Text(), nullable=True))
    place = ["tenant_id", "external_id"]
    given = sa.text("external_id IS NOT NULL")
    op.create_index("ix_addresses_external_id", "addresses", place, sqlite_where=given, postgresql_where=given)
    known = sa.text("external_id IS NOT NULL AND networks IS NOT NULL")
    op.create_index(
        "uq_addresses_external_id", "addresses", place, unique=True, sqlite_where=known, postgresql_where=known
    )
