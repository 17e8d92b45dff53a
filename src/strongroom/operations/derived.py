"""Small rules for derivation: what to ask the signer for, and how to compare a derived address with a stored one."""

from __future__ import annotations

from strongroom.domain.scheme import Position, Scheme
from strongroom.domain.wallet import Address
from strongroom.errors import IntegrityError
from strongroom.keys.base import Want
from strongroom.telemetry.alarms import integrity_alarm


def want(scheme: Scheme, at: Position) -> Want:
    path = scheme.account_path(at.account)
    return Want(scheme.path(at), scheme.curve) if path is None else Want(path, scheme.curve, node=True)


def require_same(stored: Address, derived: Address) -> None:
    """Raises IntegrityError, and the alarm, if the two differ in key, address or path."""
    if (stored.public_key, stored.canonical, stored.path) != (derived.public_key, derived.canonical, derived.path):
        integrity_alarm("address", address_account=str(stored.account_id))
        raise IntegrityError("a stored address differs from the one that its account derives")
