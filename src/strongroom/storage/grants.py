"""What PostgreSQL's role of the running service may do. The tables belong to another, which migrates them."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import Connection, text

from strongroom.errors import ConfigurationError

_log = structlog.get_logger(__name__)

_ADD: Final = "SELECT, INSERT"

GRANTS: Final = {
    "alembic_version": "SELECT",
    "wallets": f"{_ADD}, UPDATE",
    "secrets": f"{_ADD}, UPDATE (kek, kek_version, wrapped_dek, mac)",
    "accounts": f"{_ADD}, UPDATE (next_index, mac)",
    "addresses": _ADD,
    "operations": f"{_ADD}, UPDATE",
    "guards": f"{_ADD}, UPDATE, DELETE",
    "signatures": f"{_ADD}, UPDATE (mac)",
    "broadcasts": f"{_ADD}, UPDATE (raw, state, rejection, epoch, mac)",
    "discoveries": f"{_ADD}, UPDATE (operation_id, state, reason, gap, budget, change, index, unused, checked, used, "
    "keys, epoch, mac)",
    "audit_writers": _ADD,
    "audit": _ADD,
    "api_keys": f"{_ADD}, UPDATE (revoked_at, row_mac)",
    "tasks": f"{_ADD}, UPDATE, DELETE",
    "progress": f"{_ADD}, UPDATE",
    "service_secrets": f"{_ADD}, UPDATE (kek, kek_version, wrapped, mac)",
    "floors": _ADD,
}
"""By table. What changes is what `Change`, `MoveGuard` and `ReleaseGuards` change, and what a rewrap does, and what
`keys authenticate` does once: a MAC changes nothing by itself."""


def grant(connection: Connection, role: str) -> None:
    """Leaves ``role`` with these privileges on the tables and no other. Raises ConfigurationError."""
    if connection.execute(text("SELECT current_user")).scalar() == role:
        _log.warning("migrate.one_role", reason="the service owns its tables: a trigger alone keeps the audit from it")
        return
    if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar():
        raise ConfigurationError("there is no role of the name in database.url: see deploy/postgresql/roles.sql")
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = quote(connection.execute(text("SELECT current_schema()")).scalar_one())
    connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {quote(role)}")
    for table, privileges in GRANTS.items():
        connection.exec_driver_sql(f"GRANT {privileges} ON {table} TO {quote(role)}")
