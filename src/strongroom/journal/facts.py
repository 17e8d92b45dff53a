"""What an operation wrote, for its audit record: enough to find each row again, and to tell if it is gone or older.

The audit is a chain under an HMAC whose heads lie outside the database. The tables are not: a row with a good MAC can
be deleted, or an older version of it put back. `journal.reconcile` holds the tables against what is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from strongroom.domain.principal import ApiKey
from strongroom.domain.record import Floor, SignatureRecord
from strongroom.domain.signing import Guard
from strongroom.domain.wallet import Account, Address, Wallet
from strongroom.storage.base import Change, Row, Unit

GUARDS_LISTED: Final = 256
"""Of an operation with more guards the others are only counted."""
_HASH_DIGITS: Final = 32


def of(
    unit: Unit, guards: Sequence[Guard] = (), epoch: int | None = None, taken_from: Iterable[UUID] = ()
) -> dict[str, Any]:
    """JSON values. Names are those of the tables; ``epoch`` is that of the operation's row.

    ``taken_from``: operations that held one of the guards before. None of them holds it again.
    """
    rows = [*unit.rows, *unit.same]
    found: dict[str, Any] = {} if epoch is None else {"epoch": epoch}
    found |= _listed("wallets", [*map(_wallet, _all(rows, Wallet)), *_changed(unit, Wallet)])
    found |= _listed("accounts", [[str(each.id), each.next_index] for each in _all(rows, Account)])
    found |= _listed("addresses", [[str(each.account_id), each.change, each.index] for each in _all(rows, Address)])
    found |= _listed("api_keys", [{"id": str(each.id)} for each in _all(rows, ApiKey)] + _changed(unit, ApiKey))
    found |= _listed("floors", [floor(each) for each in _all(rows, Floor)])
    if signatures := len(_all(rows, SignatureRecord)):
        found["signatures"] = signatures
    if guards:
        found["guards"] = {"count": len(guards), "held": [held(guard) for guard in guards[:GUARDS_LISTED]]}
        if before := sorted({str(each) for each in taken_from}):
            found["guards"]["from"] = before
    return found


def held(guard: Guard) -> list[str]:
    """Its place, and the beginning of its payload's hash."""
    return [guard.keyspace, guard.chain_id, guard.address, guard.sequence, guard.payload_hash.hex()[:_HASH_DIGITS]]


def floor(row: Floor) -> list[str]:
    return [row.keyspace, row.chain_id, row.address, row.sequence]


def label_digest(label: str | None) -> str | None:
    return None if label is None else hashlib.sha256(label.encode()).hexdigest()[:_HASH_DIGITS]


def _wallet(wallet: Wallet) -> dict[str, Any]:
    return {
        "id": str(wallet.id),
        "state": wallet.state.value,
        "external_id": wallet.external_id,
        "label": label_digest(wallet.label),
    }


def _changed(unit: Unit, of_type: type[Wallet | ApiKey]) -> list[dict[str, Any]]:
    found = []
    for change in unit.changes:
        if isinstance(change, Change) and change.of is of_type:
            entry: dict[str, Any] = {"id": str(change.id)}
            if "state" in change.set:
                entry["state"] = str(change.set["state"])
            if "label" in change.set:
                label = change.set["label"]
                entry["label"] = label_digest(label if isinstance(label, str) else None)
            if "revoked_at" in change.set:
                entry["revoked"] = True
            found.append(entry)
    return found


def _all(rows: Iterable[Row], kind: type[Any]) -> list[Any]:
    return [row for row in rows if isinstance(row, kind)]


def _listed(name: str, values: list[Any]) -> dict[str, Any]:
    return {name: values} if values else {}
