"""Compares what succeeded audit records say was written with the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from strongroom.domain.access import ClientNetworks, Revocation
from strongroom.domain.label import label_digest
from strongroom.domain.principal import ApiKey
from strongroom.domain.record import (
    AuditOutcome,
    AuditRecord,
    Broadcast,
    Floor,
    HeldGuard,
    OperationRecord,
    OperationState,
    SignatureRecord,
)
from strongroom.domain.wallet import Account, Address, Wallet
from strongroom.journal import facts
from strongroom.journal.base import Finding
from strongroom.journal.guards import place as place_of
from strongroom.storage.base import AuditFilter, Storage

Details = dict[str, Any]

_TIES: Final = 3
_LONGEST: Final = 1024
"""Operations that are followed back from the holder of a guard, which may be replaced again and again."""
_STATES: Final = {"wallets.archive": "archived", "wallets.unarchive": "active"}
"""What a record of 1.0.8 says only by its name."""
_WALLET_OPERATIONS: Final = ("wallets.create", "wallets.import", "wallets.update", "wallets.limit", *_STATES)
_VALUES: Final = {"accounts": 2, "addresses": 3, "floors": 4, "held": 5, "broadcasts": 3, "revocations": 2,
           "client_networks": 2}  # fmt: skip
"""How many values a complete row has in a record."""
_SHORTENED: Final = re.compile("…sha256:[0-9a-f]{64}$")
"""How `brief` ends a string that it has cut."""


class Stored:
    """Compares one page of records, with one query per table.

    The records are read before the rows, and what they state only ever grows, so a page can be compared beside a
    running server. For what may change back (a wallet's state, label and rates) the newest record counts.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._findings: list[Finding] = []
        self._takers: dict[UUID, set[UUID] | None] = {}
        self._revocations: dict[UUID, list[Details]] | None = None

    async def compare(self, records: Sequence[AuditRecord]) -> list[Finding]:
        told = [(record, details_of(record)) for record in records]
        await self._operations(told)
        await self._signatures(told)
        await self._guards(told)
        await self._addresses(told)
        await self._accounts(told)
        await self._api_keys(told)
        await self._wallets(told)
        await self._floors(told)
        await self._broadcasts(told)
        await self._epochs(told, Revocation, "revocations")
        await self._epochs(told, ClientNetworks, "client_networks")
        return self._findings

    def _find(self, kind: str, table: str, key: object, record: AuditRecord) -> None:
        self._findings.append(Finding(kind, table, str(key), f"{record.writer_id}/{record.sequence}"))

    async def _operations(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        """A row is settled once and stays."""
        stated = [(record, wrote["epoch"]) for record, wrote in _wrote(told) if isinstance(wrote.get("epoch"), int)]
        ids = [(record.entry.operation_id,) for record, _ in stated]
        rows = {row.id: row for row in await self._storage.find(OperationRecord, ("id",), ids)}
        for record, epoch in stated:
            row = rows.get(record.entry.operation_id)
            if row is None:
                self._find("operation_missing", "operations", record.entry.operation_id, record)
            elif row.state is not OperationState.DONE or row.epoch < epoch:
                self._find("operation_rolled_back", "operations", row.id, record)

    async def _signatures(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        stated = [(record, count) for record, details in told if (count := _signatures_of(details))]
        ids = [(record.entry.operation_id,) for record, _ in stated]
        counts: dict[UUID, int] = {}
        for row in await self._storage.find(SignatureRecord, ("operation_id",), ids):
            counts[row.operation_id] = counts.get(row.operation_id, 0) + 1
        for record, count in stated:
            if counts.get(record.entry.operation_id, 0) < count:
                self._find("signature_missing", "signatures", record.entry.operation_id, record)

    async def _guards(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        """The holder must be whoever signed, signed the same, or took the guard, but not whoever held it before."""
        stated = [
            (record, tuple(held[:4]), str(held[4]), _taken_in(details) or set())
            for record, details in told
            for held in details.get("wrote", {}).get("guards", {}).get("held", ())
        ]
        columns = ("keyspace", "chain_id", "address", "sequence")
        found = await self._storage.find(HeldGuard, columns, [place for _, place, _, _ in stated])
        rows = {place_of(each.guard): each for each in found}
        for record, place, payload, before in stated:
            row = rows.get(place)
            if row is None:
                self._find("guard_missing", "guards", "/".join(place), record)
                continue
            same = row.guard.payload_hash.hex().startswith(payload)
            if same:
                continue
            if row.operation_id in {*before, record.entry.operation_id}:
                self._find("guard_rolled_back", "guards", "/".join(place), record)
            elif not await self._follows(row.operation_id, record.entry.operation_id):
                self._find("signed_twice", "guards", "/".join(place), record)

    async def _follows(self, holder: UUID, earlier: UUID) -> bool:
        """Whether ``holder`` took its guards from ``earlier``, directly or through others."""
        pending, seen = [holder], {holder}
        while pending and len(seen) < _LONGEST:
            before = await self._taken_from(pending.pop())
            if before is None or earlier in before:
                return True
            pending += before - seen
            seen |= before
        return False

    async def _taken_from(self, operation_id: UUID) -> set[UUID] | None:
        """The operations that its guards were taken from, or None if the record does not list all of them."""
        if operation_id not in self._takers:
            self._takers[operation_id] = await self._read_taken_from(operation_id)
        return self._takers[operation_id]

    async def _read_taken_from(self, operation_id: UUID) -> set[UUID] | None:
        rows = await self._storage.find(OperationRecord, ("id",), [(operation_id,)])
        if not rows:
            return set()
        where = AuditFilter(wallet_id=rows[0].wallet_id, operation_id=operation_id, outcome="succeeded")
        for record in await self._storage.audit_records(where, None, 1):
            return _taken_in(details_of(record))
        return set()

    async def _addresses(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        stated = [
            (record, (UUID(account), change, index))
            for record, wrote in _wrote(told)
            for account, change, index in wrote.get("addresses", ())
        ]
        found = await self._storage.find(Address, ("account_id", "change", "index"), [place for _, place in stated])
        there = {(row.account_id, row.change, row.index) for row in found}
        for record, place in stated:
            if place not in there:
                self._find("address_missing", "addresses", "/".join(map(str, place)), record)

    async def _accounts(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        """No index is handed out twice: the counter is above every index that was."""
        stated = []
        for record, wrote in _wrote(told):
            stated += [(record, UUID(account), next_index) for account, next_index in wrote.get("accounts", ())]
            if record.entry.operation == "addresses.next":
                stated += [(record, UUID(account), index + 1) for account, _, index in wrote.get("addresses", ())]
        found = await self._storage.find(Account, ("id",), [(account,) for _, account, _ in stated])
        rows = {row.id: row for row in found}
        for record, account, least in stated:
            row = rows.get(account)
            if row is None:
                self._find("account_missing", "accounts", account, record)
            elif row.next_index < least:
                self._find("index_set_back", "accounts", account, record)

    async def _api_keys(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        stated = []
        for record, details in told:
            keys = details.get("wrote", {}).get("api_keys", ())
            stated += [(record, UUID(key["id"]), bool(key.get("revoked"))) for key in keys]
            if not keys and record.entry.operation == "api_keys.revoke":
                stated += [(record, key, True) for key in await self._revoked_in(record, details)]
        found = await self._storage.find(ApiKey, ("id",), [(key,) for _, key, _ in stated])
        rows = {row.id: row for row in found}
        for record, key, revoked in stated:
            row = rows.get(key)
            if row is None:
                self._find("api_key_missing", "api_keys", key, record)
            elif revoked and row.revoked_at is None:
                self._find("revocation_undone", "api_keys", key, record)

    async def _revoked_in(self, record: AuditRecord, details: Details) -> list[UUID]:
        """The keys that a record of 1.0.8 revoked, which only the record of the request names."""
        if details.get("already_done"):
            return []
        if self._revocations is None:
            self._revocations = {}
            for each in await self._storage.marks("api_keys.revoke"):
                if each.entry.outcome is AuditOutcome.REQUESTED:
                    self._revocations.setdefault(each.entry.operation_id, []).append(details_of(each))
        requests = self._revocations.get(record.entry.operation_id, ())
        return [UUID(each["key_id"]) for each in requests if "key_id" in each]

    async def _wallets(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        stated = {}
        for record, details in told:
            for wallet_id, fields in _wallets_of(record, details):
                stated[record.writer_id, record.sequence, wallet_id] = (record, wallet_id, fields)
        found = await self._storage.find(Wallet, ("id",), [(wallet,) for _, wallet, _ in stated.values()])
        rows = {row.id: row for row in found}
        doubtful: dict[UUID, AuditRecord] = {}
        for record, wallet_id, fields in stated.values():
            row = rows.get(wallet_id)
            if row is None:
                self._find("wallet_missing", "wallets", wallet_id, record)
            elif not _agrees(row, fields):
                doubtful[wallet_id] = record
        for wallet_id, record in doubtful.items():
            if not await self._is_newest(wallet_id):
                self._find("wallet_rolled_back", "wallets", wallet_id, record)

    async def _is_newest(self, wallet_id: UUID) -> bool:
        """Whether the row matches the newest record of each field. Repeated, because a server may be changing it."""
        for _ in range(_TIES):
            newest: list[AuditRecord] = []
            for name in _WALLET_OPERATIONS:
                where = AuditFilter(wallet_id=wallet_id, operation=name, outcome="succeeded")
                newest += await self._storage.audit_records(where, None, 1)
            fields: dict[str, object] = {}
            for record in sorted(newest, key=lambda each: each.entry.at):
                for _, stated in _wallets_of(record, details_of(record)):
                    fields |= stated
            found = await self._storage.find(Wallet, ("id",), [(wallet_id,)])
            if found and _agrees(found[0], fields):
                return True
        return False

    async def _floors(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        stated = [(record, list(floor)) for record, wrote in _wrote(told) for floor in wrote.get("floors", ())]
        if not stated:
            return
        there = [
            facts.floor(row) for row in await self._storage.find(Floor, ("keyspace",), [(f[0],) for _, f in stated])
        ]
        for record, floor in stated:
            if floor not in there:
                self._find("floor_missing", "floors", "/".join(floor), record)

    async def _broadcasts(self, told: Sequence[tuple[AuditRecord, Details]]) -> None:
        """An older row may be from before the network refused or took the transaction."""
        stated = [
            (record, UUID(row_id), epoch)
            for record, wrote in _wrote(told)
            for row_id, epoch, _ in wrote.get("broadcasts", ())
        ]
        found = await self._storage.find(Broadcast, ("id",), [(row_id,) for _, row_id, _ in stated])
        rows = {row.id: row for row in found}
        for record, row_id, epoch in stated:
            row = rows.get(row_id)
            if row is None:
                self._find("broadcast_missing", "broadcasts", row_id, record)
            elif row.epoch < epoch:
                self._find("broadcast_rolled_back", "broadcasts", row_id, record)

    async def _epochs(
        self, told: Sequence[tuple[AuditRecord, Details]], of: type[Revocation | ClientNetworks], table: str
    ) -> None:
        """An older row may be from before somebody was refused, or from before a network was removed."""
        stated = [
            (record, UUID(row_id), epoch) for record, wrote in _wrote(told) for row_id, epoch in wrote.get(table, ())
        ]
        found = await self._storage.find(of, ("id",), [(row_id,) for _, row_id, _ in stated])
        rows = {row.id: row for row in found}
        name = table.removesuffix("s")
        for record, row_id, epoch in stated:
            row = rows.get(row_id)
            if row is None:
                self._find(f"{name}_missing", table, row_id, record)
            elif row.epoch < epoch:
                self._find(f"{name}_rolled_back", table, row_id, record)


def details_of(record: AuditRecord) -> Details:
    """The details, or nothing if they cannot be read, which the chain reveals. Of a shortened record only complete
    parts.
    """
    try:
        details = json.loads(record.entry.details)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(details, dict):
        return {}
    wrote = details.get("wrote")
    return {**details, "wrote": _whole(wrote)} if "cut" in details and isinstance(wrote, dict) else details


def _whole(wrote: Details) -> Details:
    """Leaves out rows that are incomplete, because before `facts.shortened` records were cut anywhere."""
    kept: Details = {}
    for name, value in wrote.items():
        if name == "guards":
            kept[name] = _whole(value)
        elif name in _VALUES:
            kept[name] = [row for row in value if len(row) == _VALUES[name] and not any(map(_is_shortened, row))]
        elif name in ("wallets", "api_keys"):
            rows = [{key: row[key] for key in row if not _is_shortened(row[key])} for row in value]
            kept[name] = [row for row in rows if "id" in row]
        else:
            kept[name] = value
    return kept


def _is_shortened(value: object) -> bool:
    return isinstance(value, str) and _SHORTENED.search(value) is not None


def _taken_in(details: Details) -> set[UUID] | None:
    """The operations that the guards were taken from. None if the record does not tell, as with 1.0.8 or after
    a cut.
    """
    wrote = details.get("wrote")
    guards = None if wrote is None else wrote.get("guards")
    if guards is None:
        return None if wrote is None or "cut" in details else set()
    if "cut" in details or "taken" in guards:
        return None
    return {UUID(each) for each in guards.get("from", ())}


def _wrote(told: Iterable[tuple[AuditRecord, Details]]) -> Iterable[tuple[AuditRecord, Details]]:
    return [(record, details["wrote"]) for record, details in told if isinstance(details.get("wrote"), dict)]


def _signatures_of(details: Details) -> int:
    """The number of signature rows. 1.0.8 wrote one for each transaction id or digest."""
    if "wrote" in details:
        return int(details["wrote"].get("signatures", 0))
    return int("tx_id" in details or "digest" in details)


def _wallets_of(record: AuditRecord, details: Details) -> list[tuple[UUID, dict[str, object]]]:
    stated = details.get("wrote", {}).get("wallets")
    if stated is not None:
        return [(UUID(each["id"]), {name: each[name] for name in each if name != "id"}) for each in stated]
    wallet_id, state = record.entry.wallet_id, _STATES.get(record.entry.operation)
    if "wrote" in details or wallet_id is None or record.entry.operation not in _WALLET_OPERATIONS:
        return []
    return [(wallet_id, {} if state is None else {"state": state})]


def _agrees(row: Wallet, fields: dict[str, object]) -> bool:
    now = {
        "state": row.state.value,
        "external_id": row.external_id,
        "label": label_digest(row.label),
        "rates": label_digest(row.rates),
    }
    return all(now.get(name) == value for name, value in fields.items())
