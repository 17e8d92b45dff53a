"""Run by Alembic, always on a connection that `storage.migrate` opened: it holds the transaction and the lock."""

from __future__ import annotations

from alembic import context

from strongroom.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    transactional_ddl=True,
    on_version_apply=context.config.attributes.get("applied"),
)
context.run_migrations()
