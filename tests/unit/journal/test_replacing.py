"""Replacements between T1 and T2, by several signers, and with a database that was edited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from strongroom.domain.record import HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard
from strongroom.errors import AlreadySigned, InFlight, StorageUnavailable, StrongroomError, Superseded
from strongroom.journal.base import Intent
from strongroom.storage.base import Change, Unit
from tests.support.rows import TENANT
from tests.unit.journal.conftest import Clock, NewEntry, WatchedStorage
from tests.unit.journal.test_entry import LEASE, crash, fail, settle, sign

A, B, C = 1, 2, 3


def spends(outputs: list[int], payload: str) -> list[Guard]:
    return [Guard("bitcoin", "bip122:0", "0014", f"{n}", payload.encode() * 32, joint=True) for n in outputs]


async def held_by(storage: WatchedStorage, output: int) -> HeldGuard | None:
    return await storage.guard(*spends([output], "?"))


async def edit(storage: WatchedStorage, intent: Intent, state: OperationState) -> None:
    change = Change(OperationRecord, intent.operation_id, {}, {"state": state})
    assert not (await storage.apply([Unit(changes=[change])])).conflicts


async def refused(new_entry: NewEntry, guards: list[Guard], **options: Any) -> type[StrongroomError]:
    with pytest.raises(StrongroomError) as caught:
        await sign(new_entry(), *guards, tx_id="never", **options)
    return type(caught.value)


async def test_what_a_replacement_drops_is_held_by_it(new_entry: NewEntry, storage: WatchedStorage) -> None:
    await sign(new_entry(), *spends([A, B], "p"), tx_id="p")
    second = await sign(new_entry(), *spends([A], "q"), tx_id="q", replaces="p")
    for output in (A, B):
        held = await held_by(storage, output)
        assert held is not None
        assert (held.operation_id, held.guard.payload_hash) == (second.operation_id, b"q" * 32)
    assert await refused(new_entry, spends([B], "r")) is AlreadySigned
    await sign(new_entry(), *spends([A, B], "r"), tx_id="r", replaces="q")
    assert await refused(new_entry, spends([B], "s"), replaces="r") is AlreadySigned


async def test_a_replacement_that_fails_leaves_all_as_it_was(new_entry: NewEntry, storage: WatchedStorage) -> None:
    await sign(new_entry(), *spends([A, B], "p"), tx_id="p")
    before = [await held_by(storage, output) for output in (A, B)]
    late = await crash(new_entry(), *spends([A], "q"), replaces="p")
    assert await refused(new_entry, spends([B], "r"), replaces="p") is InFlight
    await fail(late)
    assert [await held_by(storage, output) for output in (A, B)] == before
    await sign(new_entry(), *spends([B], "r"), tx_id="r", replaces="p")


async def test_a_replacement_that_died_may_be_taken_over(new_entry: NewEntry, clock: Clock) -> None:
    await sign(new_entry(), *spends([A, B], "p"), tx_id="p")
    entry = new_entry()
    late = await crash(entry, *spends([A], "q"), replaces="p")
    clock.pass_(LEASE)
    await sign(new_entry(), *spends([B], "r"), tx_id="r", replaces="p")
    settle(entry, late, "q")
    with pytest.raises(Superseded):
        await late.__aexit__(None, None, None)
    assert await refused(new_entry, spends([A], "q"), replaces="p") is AlreadySigned


async def test_other_signers_of_a_replacement_name_what_it_replaces(new_entry: NewEntry) -> None:
    await sign(new_entry(), *spends([A], "p"), tx_id="p")
    await sign(new_entry(), *spends([B], "p"), tx_id="p")
    await sign(new_entry(), *spends([A], "q"), tx_id="q", replaces="p")
    await sign(new_entry(), *spends([B], "q"), tx_id="q", replaces="p")
    await sign(new_entry(), *spends([C], "q"), tx_id="q")
    assert await refused(new_entry, spends([C], "r"), replaces="q") is AlreadySigned
    await sign(new_entry(), *spends([B], "r"), tx_id="r", replaces="q")


async def test_what_was_replaced_does_not_become_a_replacement(new_entry: NewEntry) -> None:
    """Otherwise its own replacement would be valid next to the transaction that it then replaces."""
    await sign(new_entry(), *spends([A], "p"), tx_id="p")
    await sign(new_entry(), *spends([B], "q"), tx_id="q")
    await sign(new_entry(), *spends([B], "r"), tx_id="r", replaces="q")
    assert await refused(new_entry, spends([A], "q"), replaces="p") is AlreadySigned


async def test_two_ids_of_one_transaction_are_not_replaced_apart(new_entry: NewEntry) -> None:
    """Cosigners may finish a transaction without a witness in several ways."""
    await sign(new_entry(), *spends([A], "p"), tx_id="p1")
    await sign(new_entry(), *spends([B], "p"), tx_id="p2")
    await sign(new_entry(), *spends([A], "q"), tx_id="q", replaces="p1")
    assert await refused(new_entry, spends([B], "r"), replaces="p2") is AlreadySigned


@pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.PENDING])
async def test_a_state_that_somebody_else_wrote_frees_no_guard(
    new_entry: NewEntry, storage: WatchedStorage, clock: Clock, state: OperationState
) -> None:
    first = await sign(new_entry(), *spends([A], "p"), tx_id="p")
    await edit(storage, first, state)
    clock.pass_(LEASE)
    assert await refused(new_entry, spends([A], "q")) is AlreadySigned
    second = await sign(new_entry(), *spends([A], "q"), tx_id="q", replaces="p")
    await edit(storage, second, state)
    assert await refused(new_entry, spends([A], "r"), replaces="p") is AlreadySigned


async def test_an_operation_made_to_run_again_gives_up_nothing(new_entry: NewEntry, storage: WatchedStorage) -> None:
    first = await sign(new_entry("key"), *spends([A], "p"), tx_id="p")
    await edit(storage, first, OperationState.FAILED)
    again = new_entry("key")
    assert await again.replay() is None
    with pytest.raises((InFlight, StorageUnavailable)):
        await sign(again, *spends([A], "p"), tx_id="p")
    [guard] = spends([A], "p")
    assert await held_by(storage, A) == HeldGuard(TENANT, guard, first.operation_id)
    other = new_entry("key")
    assert await other.replay() is None
    with pytest.raises(AlreadySigned):
        await sign(other, *spends([A], "q"), tx_id="q")
    assert await refused(new_entry, spends([A], "q")) is AlreadySigned


async def test_the_refusal_names_what_was_signed(new_entry: NewEntry, storage: WatchedStorage) -> None:
    await sign(new_entry(), *spends([A], "p"), tx_id="p")
    with pytest.raises(AlreadySigned, match=r"set options.replaces to its id: p$"):
        await sign(new_entry(), *spends([A], "q"))
    entry = new_entry()
    entry.principal = replace(entry.principal, tenant_id=entry.principal.id)
    with pytest.raises(AlreadySigned, match=r"set options.replaces to its id$"):
        await sign(entry, *spends([A], "q"), allow_resign=True)
