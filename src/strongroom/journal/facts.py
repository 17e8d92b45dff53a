"""What an operation wrote, for its audit record: enough to find each row again, and to detect that it is gone or older.

The audit is a chain under an HMAC, with heads outside the database. The tables are not. A row with a valid MAC can be
deleted, or replaced by an older version. `journal.reconcile` compares the tables with what is recorded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from strongroom.domain.access import ClientNetworks, Revocation
from strongroom.domain.label import label_digest
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import Broadcast, Floor, SignatureRecord
from strongroom.domain.signing import Guard
from strongroom.domain.wallet import Account, Address, Wallet
from strongroom.storage.base import Change, Unit

_MOST_BYTES: Final = 3584
"""Less than `brief.MOST_BYTES`, to leave room for the rest of an audit record and for the note that something
was cut.
"""
_TAKEN_LISTED: Final = 24
_HASH_DIGITS: Final = 32
_TO_JSON: Final = msgspec.json.Encoder()


def of(unit: Unit) -> dict[str, Any]:
    """What a unit writes, as JSON values under the names of the tables."""
    rows: dict[type, list[Any]] = {}
    for row in (*unit.rows, *unit.same):
        rows.setdefault(type(row), []).append(row)
    found: dict[str, Any] = {}
    for name, kind, told in _TOLD:
        values = [told(row) for row in rows.get(kind, ())]
        if unit.changes and (changed := _CHANGED.get(name)) is not None:
            values += changed(unit)
        if values:
            found[name] = values
    if signatures := len(rows.get(SignatureRecord, ())):
        found["signatures"] = signatures
    return found


def shortened(
    unit: Unit, guards: Sequence[Guard] = (), epoch: int | None = None, taken_from: Iterable[UUID] = ()
) -> dict[str, Any]:
    """As `of`, but small enough that `brief` does not cut it, because part of a row could be misread.

    ``epoch`` is that of the operation's row. ``taken_from``: operations that held one of the guards before, none of
    which holds it again. ``taken`` is their number if not all are listed. ``left_out`` counts other rows that are not
    listed.
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
    """The place of a guard, and the beginning of its payload's hash."""
    return [guard.keyspace, guard.chain_id, guard.address, guard.sequence, guard.payload_hash.hex()[:_HASH_DIGITS]]


def floor(row: Floor) -> list[str]:
    return [row.keyspace, row.chain_id, row.address, row.sequence]


def _wallet(wallet: Wallet) -> dict[str, Any]:
    return {
        "id": str(wallet.id),
        "state": wallet.state.value,
        "external_id": wallet.external_id,
        "label": label_digest(wallet.label),
    }


def _account(row: Account) -> list[Any]:
    return [str(row.id), row.next_index]


def _address(row: Address) -> list[Any]:
    return [str(row.account_id), row.change, row.index]


def _api_key(row: ApiKey) -> dict[str, Any]:
    return {"id": str(row.id)}


def _broadcast(row: Broadcast) -> list[Any]:
    return [str(row.id), row.epoch, row.state.value]


def _broadcasts_changed(unit: Unit) -> list[list[Any]]:
    return [
        [str(each.id), each.set["epoch"], each.set["state"]]
        for each in unit.changes
        if isinstance(each, Change) and each.of is Broadcast
    ]


def _epoch(row: Revocation | ClientNetworks) -> list[Any]:
    """The id and epoch of a row that is never deleted and whose epoch only rises."""
    return [str(row.id), row.epoch]


def _epochs_changed(of_type: type[Revocation | ClientNetworks], unit: Unit) -> list[list[Any]]:
    changed = [each for each in unit.changes if isinstance(each, Change) and each.of is of_type]
    return [[str(each.id), each.set["epoch"]] for each in changed]


def _changed(of_type: type[Wallet | ApiKey], unit: Unit) -> list[dict[str, Any]]:
    found = []
    for change in unit.changes:
        if isinstance(change, Change) and change.of is of_type:
            entry: dict[str, Any] = {"id": str(change.id)}
            if "state" in change.set:
                entry["state"] = str(change.set["state"])
            if "label" in change.set:
                label = change.set["label"]
                entry["label"] = label_digest(label if isinstance(label, str) else None)
            if "rates" in change.set:
                rates = change.set["rates"]
                entry["rates"] = label_digest(rates if isinstance(rates, str) else None)
            if "revoked_at" in change.set:
                entry["revoked"] = True
            found.append(entry)
    return found


_TOLD: Final[tuple[tuple[str, type, Callable[[Any], Any]], ...]] = (
    ("wallets", Wallet, _wallet),
    ("accounts", Account, _account),
    ("addresses", Address, _address),
    ("api_keys", ApiKey, _api_key),
    ("broadcasts", Broadcast, _broadcast),
    ("revocations", Revocation, _epoch),
    ("client_networks", ClientNetworks, _epoch),
    ("floors", Floor, floor),
)
"""In the order in which they are shortened. What comes first is kept."""
_CHANGED: Final[Mapping[str, Callable[[Unit], list[Any]]]] = {
    "wallets": partial(_changed, Wallet),
    "api_keys": partial(_changed, ApiKey),
    "broadcasts": _broadcasts_changed,
    "revocations": partial(_epochs_changed, Revocation),
    "client_networks": partial(_epochs_changed, ClientNetworks),
}
