"""Audit entries of what is done on the machine itself, without an API key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditEntry, AuditOutcome

_NOBODY: Final = UUID(int=0)


def local_entry(
    operation: str,
    details: dict[str, Any],
    *,
    tenant_id: UUID = _NOBODY,
    operation_id: UUID | None = None,
    outcome: AuditOutcome = AuditOutcome.SUCCEEDED,
    request_id: str = "command-line",
) -> AuditEntry:
    """``details`` are not shortened, because only an operator can cause such an entry."""
    return AuditEntry(
        at=datetime.now(UTC),
        tenant_id=tenant_id,
        principal_id=_NOBODY,
        operation=operation,
        operation_id=operation_id or new_id(),
        outcome=outcome,
        wallet_id=None,
        network=None,
        request_id=request_id,
        client="local",
        details=json.dumps(details, separators=(",", ":"), sort_keys=True),
    )
