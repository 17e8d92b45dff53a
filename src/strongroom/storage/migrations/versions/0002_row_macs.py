"""A MAC over each row that decides something, floors after a restore, and an index of the audit's marks.

Only adds: columns that may be NULL, an empty table, an index. A process of 1.0.8 that runs on goes on as before, since
it names the columns that it writes. The MACs of the rows that are there are computed later, by `keys authenticate`,
since a migration does not have the service secret.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Timestamp

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("wallets", "secrets", "accounts", "operations", "guards", "signatures", "service_secrets")
_MARKS = "operation IN ('state.authenticated', 'state.restored', 'api_keys.revoke')"


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("mac", sa.LargeBinary(), nullable=True))
    op.create_table(
        "floors",
        sa.Column("keyspace", sa.Text(), nullable=False),
        sa.Column("chain_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("accepted_at", Timestamp(), nullable=False),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("keyspace", "chain_id", "address", "accepted_at", name="pk_floors"),
    )
    op.create_index(
        "ix_audit_marks",
        "audit",
        ["operation", "at"],
        sqlite_where=sa.text(_MARKS),
        postgresql_where=sa.text(_MARKS),
    )
