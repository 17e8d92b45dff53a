"""Run by Alembic, always on a connection that `storage.migrate` opened: it holds the transaction and the lock."""

from __future__ import annotations

from alembic import context

from strongroom.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    transactional_ddl=True,
)
context.run_migrations()
