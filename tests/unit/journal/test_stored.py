"""Compares what the audit says was written with rows that are gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import pytest

from strongroom.domain.access import ClientNetworks, Revocation
from strongroom.domain.ids import new_id
from strongroom.domain.record import AuditOutcome, AuditRecord, OperationState
from strongroom.journal.stored import Stored
from strongroom.storage.base import Storage
from tests.support import rows
from tests.unit.journal.test_facts import Rows, found_in, record


def test_the_row_of_an_operation_is_missed_however_old_it_is() -> None:
    """`rows.NOW` is long ago. Retention empties such a row and leaves it there."""
    old = record(new_id(), {"wrote": {"epoch": 1}})
    row = rows.operation(id=old.entry.operation_id, state=OperationState.DONE)
    assert [finding.kind for finding in found_in([old], [])] == ["operation_missing"]
    assert found_in([old], [row]) == []


@dataclass
class Revocations(Rows):
    asked: int = 0

    async def marks(self, operation: str) -> list[AuditRecord]:
        self.asked += 1
        return [each for each in self.records if each.entry.operation == operation]


async def test_old_revocations_are_read_once_and_each_is_held_to_its_key() -> None:
    """1.0.8 named the key only in the record of the request."""
    keys = [rows.api_key(revoked_at=None if n == 3 else rows.NOW) for n in range(5)]
    done = [record(new_id(), {}, n) for n in range(5)]
    done = [replace(each, entry=replace(each.entry, operation="api_keys.revoke")) for each in done]
    requested = [
        replace(each, entry=replace(each.entry, outcome=AuditOutcome.REQUESTED, details=f'{{"key_id":"{key.id}"}}'))
        for each, key in zip(done, keys, strict=True)
    ]
    storage = Revocations(keys, [*requested, *done])
    found = await Stored(cast("Storage", storage)).compare(done)
    assert [(each.kind, each.key) for each in found] == [("revocation_undone", str(keys[3].id))]
    assert storage.asked == 1


def test_a_broadcast_that_is_gone_or_older_is_missed() -> None:
    row = rows.broadcast(epoch=2)
    told = [record(new_id(), {"wrote": {"broadcasts": [[str(row.id), epoch, "unknown"]]}}) for epoch in (1, 2)]
    assert found_in(told, [row]) == []
    assert found_in(told, [replace(row, epoch=3)]) == []
    older = [(each.kind, each.key) for each in found_in(told, [replace(row, epoch=1)])]
    assert older == [("broadcast_rolled_back", str(row.id))]
    assert [each.kind for each in found_in(told, [])] == ["broadcast_missing"] * 2


@pytest.mark.parametrize(
    ("table", "name", "row"),
    [
        ("revocations", "revocation", rows.revocation(epoch=2)),
        ("client_networks", "client_network", rows.client_networks(epoch=2)),
    ],
)
def test_what_was_decided_about_callers_is_missed(table: str, name: str, row: Revocation | ClientNetworks) -> None:
    told = [record(new_id(), {"wrote": {table: [[str(row.id), epoch]]}}) for epoch in (1, 2)]
    assert found_in(told, [row]) == []
    assert found_in(told, [replace(row, epoch=3)]) == []
    older = [(each.kind, each.key) for each in found_in(told, [replace(row, epoch=1)])]
    assert older == [(f"{name}_rolled_back", str(row.id))]
    assert [each.kind for each in found_in(told, [])] == [f"{name}_missing"] * 2
