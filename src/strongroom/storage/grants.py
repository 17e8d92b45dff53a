"""What the running service's role may do in PostgreSQL. The tables belong to another role, which migrates them."""

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
    "addresses": f"{_ADD}, UPDATE (networks, mac)",
    "operations": f"{_ADD}, UPDATE",
    "guards": f"{_ADD}, UPDATE, DELETE",
    "signatures": f"{_ADD}, UPDATE (mac)",
    "broadcasts": f"{_ADD}, UPDATE (raw, state, rejection, epoch, mac)",
    "discoveries": f"{_ADD}, UPDATE (operation_id, state, reason, gap, budget, change, index, unused, checked, used, "
    "keys, epoch, mac)",
    "audit_writers": _ADD,
    "audit": _ADD,
    "api_keys": f"{_ADD}, UPDATE (revoked_at, row_mac)",
    "revocations": f"{_ADD}, UPDATE (reason, revoked_by, epoch, lifted_at, mac)",
    "client_networks": f"{_ADD}, UPDATE (networks, changed_by, epoch, changed_at, mac)",
    "tasks": f"{_ADD}, UPDATE, DELETE",
    "progress": f"{_ADD}, UPDATE",
    "service_secrets": f"{_ADD}, UPDATE (kek, kek_version, wrapped, mac)",
    "floors": _ADD,
    "sightings": f"{_ADD}, UPDATE, DELETE",
    "alerts": f"{_ADD}, UPDATE, DELETE",
    "silences": f"{_ADD}, UPDATE (mac), DELETE",
    "notifications": f"{_ADD}, UPDATE (state, error, ended_at, mac), DELETE",
}
"""By table. The columns are those that `Change`, `MoveGuard`, `ReleaseGuards` and a rewrap change, and those that `keys
authenticate` fills once. A MAC by itself changes nothing.
"""


def grant(connection: Connection, role: str) -> None:
    """Gives ``role`` exactly these privileges on the tables. Raises ConfigurationError."""
    if connection.execute(text("SELECT current_user")).scalar() == role:
        _log.warning(
            "migrate.one_role",
            reason="the service's role owns the tables, so only a trigger keeps it from changing the audit",
        )
        return
    if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar():
        raise ConfigurationError("the role in database.url does not exist: see deploy/postgresql/roles.sql")
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema = quote(connection.execute(text("SELECT current_schema()")).scalar_one())
    connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {quote(role)}")
    for table, privileges in GRANTS.items():
        connection.exec_driver_sql(f"GRANT {privileges} ON {table} TO {quote(role)}")
