"""What an operation wrote, for its audit record: enough to find each row again, and to tell if it is gone or older.

The audit is a chain under an HMAC whose heads lie outside the database. The tables are not: a row with a good MAC can
be deleted, or an older version of it put back. `journal.reconcile` holds the tables against what is written here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from strongroom.domain.principal import ApiKey
from strongroom.domain.record import Broadcast, Floor, SignatureRecord
from strongroom.domain.signing import Guard
from strongroom.domain.wallet import Account, Address, Wallet
from strongroom.storage.base import Change, Row, Unit

_MOST_BYTES: Final = 3584
"""Of `brief.MOST_BYTES`: the rest is for what else an audit record says, and for the note that something was cut."""
_TAKEN_LISTED: Final = 24
_HASH_DIGITS: Final = 32
_TO_JSON: Final = msgspec.json.Encoder()


def of(unit: Unit) -> dict[str, Any]:
    """JSON values. Names are those of the tables."""
    rows = [*unit.rows, *unit.same]
    found: dict[str, Any] = {}
    found |= _listed("wallets", [*map(_wallet, _all(rows, Wallet)), *_changed(unit, Wallet)])
    found |= _listed("accounts", [[str(each.id), each.next_index] for each in _all(rows, Account)])
    found |= _listed("addresses", [[str(each.account_id), each.change, each.index] for each in _all(rows, Address)])
    found |= _listed("api_keys", [{"id": str(each.id)} for each in _all(rows, ApiKey)] + _changed(unit, ApiKey))
    found |= _listed("broadcasts", [*map(_broadcast, _all(rows, Broadcast)), *_broadcasts_changed(unit)])
    found |= _listed("floors", [floor(each) for each in _all(rows, Floor)])
    if signatures := len(_all(rows, SignatureRecord)):
        found["signatures"] = signatures
    return found


def shortened(
    unit: Unit, guards: Sequence[Guard] = (), epoch: int | None = None, taken_from: Iterable[UUID] = ()
) -> dict[str, Any]:
    """As `of`, but never so much that `brief` would cut it: half a row says nothing, or something else.

    ``epoch`` is that of the operation's row. ``taken_from``: operations that held one of the guards before. None of
    them holds it again; ``taken`` is how many, if not all are listed. ``left_out`` counts other rows that are not.
    """
    room = _MOST_BYTES
    found: dict[str, Any] = {} if epoch is None else {"epoch": epoch}
    left_out = 0
    for name, value in of(unit).items():
        if isinstance(value, list):
            found[name], room = _whole(value, room)
            left_out += len(value) - len(found[name])
        else:
            found[name] = value
    if left_out:
        found["left_out"] = left_out
    if guards:
        before = sorted({str(each) for each in taken_from})
        listed, room = _whole(before[:_TAKEN_LISTED], room)
        found["guards"] = {"count": len(guards)}
        if before:
            found["guards"]["from"] = listed
        if len(listed) < len(before):
            found["guards"]["taken"] = len(before)
        found["guards"]["held"], _ = _whole(map(held, guards), room)
    return found


def _whole(rows: Iterable[Any], room: int) -> tuple[list[Any], int]:
    """The first of ``rows`` that fit, and the room that is left."""
    kept: list[Any] = []
    for row in rows:
        size = len(_TO_JSON.encode(row)) + 1
        if size > room:
            return kept, 0
        kept.append(row)
        room -= size
    return kept, room


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


def _broadcast(row: Broadcast) -> list[Any]:
    return [str(row.id), row.epoch, row.state.value]


def _broadcasts_changed(unit: Unit) -> list[list[Any]]:
    return [
        [str(each.id), each.set["epoch"], each.set["state"]]
        for each in unit.changes
        if isinstance(each, Change) and each.of is Broadcast
    ]


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
