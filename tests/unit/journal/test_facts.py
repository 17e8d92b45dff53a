"""What an audit record says was written must be readable again, however much it was and wherever it was cut."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.domain.brief import MOST_BYTES, brief
from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditOutcome, AuditRecord, Floor, HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard
from strongroom.journal import facts
from strongroom.journal.base import Finding
from strongroom.journal.reconcile import Reconciler
from strongroom.journal.stored import details_of
from strongroom.storage.base import AuditFilter, Storage, Unit
from tests.support import rows
from tests.support.rows import NOW
from tests.unit.journal.conftest import AUTHENTICITY, Answer, NewEntry, WatchedStorage

OUTPUT = "1976a914" + "ab" * 20 + "88ac"


def spends(count: int, payload: bytes = b"p" * 32) -> list[Guard]:
    """A fact as on Bitcoin, with an address and the output that is spent."""
    return [Guard("bitcoin", "bip122:" + "0" * 32, OUTPUT, f"{n:064x}:{n}", payload) for n in range(count)]


def as_before(unit: Unit, guards: Sequence[Guard], epoch: int, taken_from: Sequence[UUID]) -> dict[str, Any]:
    """What was written until `facts.shortened`: cut by `brief` wherever it happened to be full."""
    found: dict[str, Any] = {"epoch": epoch} | facts.of(unit)
    if guards:
        found["guards"] = {"count": len(guards), "held": [facts.held(guard) for guard in guards[:256]]}
        if taken_from:
            found["guards"]["from"] = sorted(map(str, taken_from))
    return found


@dataclass
class Rows:
    """As much of a storage as is asked for what was written."""

    rows: Sequence[Any]
    records: Sequence[AuditRecord] = ()

    async def find(self, of: type[Any], names: tuple[str, ...], values: Sequence[tuple[object, ...]]) -> list[Any]:
        found = [row for row in self.rows if isinstance(row, of)]
        return [row for row in found if tuple(_value(row, name) for name in names) in values]

    async def audit_records(self, where: AuditFilter, before: None, limit: int) -> list[AuditRecord]:
        wanted = (where.operation_id, where.operation)
        found = [
            each
            for each in self.records
            if (where.operation_id and each.entry.operation_id, where.operation and each.entry.operation) == wanted
        ]
        return found[:limit]

    async def marks(self, operation: str) -> list[AuditRecord]:
        return []


def _value(row: Any, name: str) -> object:
    return getattr(row.guard if isinstance(row, HeldGuard) and name != "operation_id" else row, name)


def record(operation_id: UUID, details: dict[str, Any], sequence: int = 1) -> AuditRecord:
    text = brief(details).decode()
    entry = rows.entry(operation_id=operation_id, outcome=AuditOutcome.SUCCEEDED, details=text)
    return AuditRecord(UUID(int=7), sequence, entry, b"m" * 32)


def found_in(records: Sequence[AuditRecord], stored: Sequence[Any]) -> list[Finding]:
    storage = cast("Storage", Rows(stored, records))
    return list(asyncio.run(Reconciler(storage, b"k" * 32).recent(1000)).findings)


@pytest.mark.parametrize("count", [1, 2, 16, 23, 40, 1_000])
def test_guards_are_listed_whole_or_not_at_all(count: int) -> None:
    taken_from = [new_id() for _ in range(count)]
    wrote = facts.shortened(Unit(), spends(count), 1, taken_from)
    kept = json.loads(brief({"wrote": wrote, "tx_id": "ab" * 32, "complete": True}))
    assert "cut" not in kept
    guards = kept["wrote"]["guards"]
    assert (guards["count"], guards.get("taken", len(guards["from"]))) == (count, count)
    assert guards["held"] == [facts.held(guard) for guard in spends(len(guards["held"]))]
    assert guards["from"] == sorted(map(str, taken_from))[: len(guards["from"])]
    assert len(guards["held"]) >= min(count, 8)


@pytest.mark.parametrize("count", [1, 19, 40, 1_000])
async def test_what_was_signed_with_many_guards_holds(new_entry: NewEntry, storage: WatchedStorage, count: int) -> None:
    async with new_entry("pay").intent(guards=spends(count), details={"summary": {"to": "x" * 9_000}}) as intent:
        intent.settle(Answer("signed"), details={"tx_id": "ab" * 32, "complete": True})
    assert (await Reconciler(storage, AUTHENTICITY.audit_key).recent(1000)).findings == ()


ROWS = st.builds(
    lambda wallets, addresses, keys, floors: (wallets, addresses, keys, floors),
    st.lists(st.text(max_size=255), max_size=4),
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 30),
)


@given(ROWS, st.integers(0, 60), st.integers(0, 100), st.integers(0, 5_000), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_record_that_was_cut_anywhere_neither_stops_the_check_nor_gives_a_false_alarm(
    sizes: tuple[list[str], int, int, int], guards: int, taken: int, before: int, old: bool
) -> None:
    names, addresses, keys, floors = sizes
    wallets = [rows.wallet(external_id=name) for name in names]
    accounts = [rows.account(wallet) for wallet in wallets]
    unit = Unit(
        rows=[
            *wallets,
            *accounts,
            *[rows.api_key() for _ in range(keys)],
            *[Floor("evm", "eip155:1", f"{n:040x}", NOW, str(n)) for n in range(floors)],
        ],
        same=[rows.address(accounts[0], n) for n in range(addresses)] if accounts else [],
    )
    operation = rows.operation(state=OperationState.DONE)
    written = as_before if old else facts.shortened
    wrote = written(unit, spends(guards), 1, [new_id() for _ in range(taken)])
    details = {"before": ["x" * 8] * (before // 12), "wrote": wrote} if old else {"wrote": wrote, "tx": "x" * 70}
    held = [HeldGuard(operation.tenant_id, guard, operation.id) for guard in spends(guards)]
    made = record(operation.id, details)
    assert len(made.entry.details.encode()) <= MOST_BYTES
    assert found_in([made], [operation, *unit.rows, *unit.same, *held]) == []
    if not old:
        assert details_of(made)["wrote"] == wrote


@given(st.integers(1, 60), st.integers(1, 100), st.booleans())
@settings(max_examples=50, deadline=None)
def test_of_whom_guards_were_taken_is_not_lost_with_the_guards(guards: int, others: int, old: bool) -> None:
    """The first signer is followed by the operation that took its guards, so nothing was signed twice."""
    first, second = (rows.operation(state=OperationState.DONE) for _ in range(2))
    written = as_before if old else facts.shortened
    taken_from = [first.id, *[new_id() for _ in range(others)]]
    records = [
        record(first.id, {"wrote": written(Unit(), spends(guards), 1, [])}, 1),
        record(second.id, {"wrote": written(Unit(), spends(guards, b"q" * 32), 1, taken_from)}, 2),
    ]
    held = [HeldGuard(second.tenant_id, guard, second.id) for guard in spends(guards, b"q" * 32)]
    assert found_in(records, [first, second, *held]) == []


def test_one_that_is_replaced_again_and_again_was_not_signed_twice() -> None:
    operations = [rows.operation(state=OperationState.DONE) for _ in range(100)]
    payloads = [hashlib.sha256(bytes([n])).digest() for n in range(100)]
    records = []
    for n, operation in enumerate(operations):
        wrote = facts.shortened(Unit(), spends(1, payloads[n]), 1, [operations[n - 1].id] if n else [])
        records.append(record(operation.id, {"wrote": wrote}, n + 1))
    held = HeldGuard(operations[-1].tenant_id, spends(1, payloads[-1])[0], operations[-1].id)
    assert found_in(records, [*operations, held]) == []
    # An older version of the row, put back.
    old = replace(held, guard=spends(1, payloads[50])[0], operation_id=operations[50].id)
    assert {finding.kind for finding in found_in(records, [*operations, old])} == {"guard_rolled_back", "signed_twice"}


def test_a_record_that_nobody_can_read_is_named_and_hides_no_other() -> None:
    operation: OperationRecord = rows.operation()
    strange: list[Any] = [{"guards": {"held": [["evm"]]}}, {"accounts": [["no id", 1]]}, 7]
    records = [record(new_id(), {"wrote": wrote}, n) for n, wrote in enumerate(strange, 1)]
    records.append(record(operation.id, {"wrote": {"epoch": 1}}, 9))
    kinds = {(each.kind, each.key or each.record) for each in found_in(records, [operation])}
    place = UUID(int=7)
    assert kinds >= {("unreadable", f"{place}/1"), ("unreadable", f"{place}/2"), ("unreadable", f"{place}/3")}
    assert ("operation_rolled_back", str(operation.id)) in kinds
