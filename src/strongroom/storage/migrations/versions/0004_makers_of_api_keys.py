"""The maker of an API key, and an index for a tenant's audit records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from strongroom.storage.column_types import Id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("made_by", Id(), nullable=True))
    op.create_index("ix_api_keys_made_by", "api_keys", ["made_by"], unique=False)
    op.create_index("ix_audit_tenant_id", "audit", ["tenant_id", "at", "writer_id", "sequence"], unique=False)
