"""What happens between request and response, which is T1 and T2, the idempotency key and the guards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from strongroom.domain.record import AuditOutcome, HeldGuard, OperationRecord, OperationState
from strongroom.domain.signing import Guard, SignOptions
from strongroom.errors import (
    AlreadySigned,
    ExternalIdTaken,
    IdempotencyMismatch,
    InFlight,
    InternalError,
    KeyWrapUnavailable,
    StorageUnavailable,
    StrongroomError,
    Superseded,
)
from strongroom.journal.base import Intent
from strongroom.journal.entry import Entries, Entry
from strongroom.journal.verify import verify
from strongroom.storage.base import AuditFilter, Change, Unit
from tests.support import rows
from tests.support.rows import PRINCIPAL, TENANT, guard
from tests.unit.journal.conftest import AUTHENTICITY, Answer, Clock, NewEntry, WatchedStorage

LEASE = 30


async def sign(entry: Entry, *guards: Guard, tx_id: str = "0x01", **options: Any) -> Intent:
    async with entry.intent(guards=guards, options=SignOptions(**options), details={"asked": True}) as intent:
        settle(entry, intent, tx_id)
    return intent


def settle(entry: Entry, intent: Intent, tx_id: str = "0x01") -> None:
    signature = rows.signature(rows.operation(id=intent.operation_id), tx_id)
    intent.settle(Answer(tx_id), rows=[signature], details={"tx_id": tx_id})


async def crash(entry: Entry, *guards: Guard, **options: Any) -> Intent:
    """T1 and nothing more, as in a process that was killed."""
    intent = entry.intent(guards=guards, options=SignOptions(**options))
    await intent.__aenter__()
    return intent


async def fail(intent: Intent) -> None:
    await intent.__aexit__(KeyWrapUnavailable, KeyWrapUnavailable("sealed"), None)


async def outcomes(storage: WatchedStorage) -> list[tuple[str, str]]:
    report = await verify(storage, AUTHENTICITY.audit_key)
    assert report.ok, report.findings
    found = await storage.audit_records(AuditFilter(), None, 1000)
    found.sort(key=lambda record: record.sequence)
    return [(record.entry.outcome.value, record.entry.details) for record in found]


async def holder(storage: WatchedStorage, of: Guard) -> HeldGuard | None:
    return await storage.guard(of)


async def state(storage: WatchedStorage, intent: Intent) -> OperationRecord:
    found = await storage.operation(TENANT, intent.operation_id)
    assert found is not None
    return found


async def test_an_operation_is_two_commits_and_two_audit_records(new_entry: NewEntry, storage: WatchedStorage) -> None:
    storage.batches.clear()
    intent = await sign(new_entry("k"), guard())
    assert storage.batches == [1, 1]
    record = await state(storage, intent)
    assert (record.state, record.result, record.epoch) == (OperationState.DONE, b'{"value":"0x01"}', 1)
    assert await holder(storage, guard()) == HeldGuard(TENANT, guard(), intent.operation_id)
    assert [each.tx_id for each in await storage.signatures(TENANT, intent.operation_id)] == ["0x01"]
    held = '"guards":{"count":1,"held":[["evm","eip155:1","' + "ab" * 20 + '","1","' + "70" * 16 + '"]]}'
    assert await outcomes(storage) == [
        ("requested", '{"asked":true}'),
        ("succeeded", '{"tx_id":"0x01","wrote":{"epoch":1,"signatures":1,' + held + "}}"),
    ]


async def test_nothing_runs_before_t1_is_durable(new_entry: NewEntry, storage: WatchedStorage) -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    storage.before = away
    with pytest.raises(StorageUnavailable):
        async with new_entry("k").intent(guards=[guard()]):
            pytest.fail("a key would have been opened")
    storage.before = None
    assert await outcomes(storage) == []


async def test_nothing_leaves_before_t2_is_durable(new_entry: NewEntry, storage: WatchedStorage) -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    entry = new_entry("k")
    intent = await crash(entry)
    settle(entry, intent)
    storage.before = away
    with pytest.raises(StorageUnavailable):
        await intent.__aexit__(None, None, None)
    storage.before = None
    assert (await state(storage, intent)).state is OperationState.PENDING


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyWrapUnavailable("sealed"), "keywrap_unavailable"), (ZeroDivisionError(), "internal_error"),
     (asyncio.CancelledError(), "cancelled")],
)  # fmt: skip
async def test_a_failure_is_settled_and_gives_its_guards_up(
    new_entry: NewEntry, storage: WatchedStorage, error: BaseException, code: str
) -> None:
    with pytest.raises(type(error)):
        async with new_entry("k").intent(guards=[guard()]) as intent:
            raise error
    assert (await state(storage, intent)).state is OperationState.FAILED
    assert await holder(storage, guard()) is None
    assert await outcomes(storage) == [("requested", "{}"), ("failed", f'{{"error":"{code}"}}')]
    await sign(new_entry(), guard(payload=b"q" * 32))


async def test_leaving_without_a_result_is_a_failure(new_entry: NewEntry, storage: WatchedStorage) -> None:
    with pytest.raises(InternalError):
        async with new_entry().intent() as intent:
            pass
    assert (await state(storage, intent)).state is OperationState.FAILED


async def test_a_call_that_is_cancelled_while_it_works_settles(new_entry: NewEntry, storage: WatchedStorage) -> None:
    begun = asyncio.Event()
    seen: list[Intent] = []

    async def work() -> None:
        async with new_entry("k").intent(guards=[guard()]) as intent:
            seen.append(intent)
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await state(storage, seen[0])).state is OperationState.FAILED
    assert await holder(storage, guard()) is None


async def test_a_call_that_is_cancelled_in_t1_settles(
    new_entry: NewEntry, entries: Entries, storage: WatchedStorage
) -> None:
    task = asyncio.create_task(sign(new_entry("k"), guard()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await entries.drain()
    found = await storage.operation_by_key(TENANT, PRINCIPAL, "k")
    assert found is not None
    assert found.state is OperationState.FAILED
    await sign(new_entry("k"), guard(payload=b"q" * 32))


async def test_a_replay_gives_the_stored_answer(new_entry: NewEntry) -> None:
    assert await new_entry("k").replay() is None
    await sign(new_entry("k"))
    assert await new_entry("k").replay() == b'{"value":"0x01"}'
    assert await new_entry("other").replay() is None
    assert await new_entry().replay() is None


@pytest.mark.parametrize(("command", "operation"), [(b"{1}", "transactions.sign"), (b"{}", "messages.sign")])
async def test_the_key_of_another_command_is_refused(new_entry: NewEntry, command: bytes, operation: str) -> None:
    await sign(new_entry("k"))
    with pytest.raises(IdempotencyMismatch):
        await new_entry("k", command, operation).replay()
    with pytest.raises(IdempotencyMismatch):
        await sign(new_entry("k", command, operation))


async def test_a_call_under_way_is_in_flight_until_its_lease_ends(
    new_entry: NewEntry, storage: WatchedStorage, clock: Clock
) -> None:
    late_entry = new_entry("k")
    late = await crash(late_entry, guard())
    with pytest.raises(InFlight) as refusal:
        await new_entry("k").replay()
    assert refusal.value.retry_after
    with pytest.raises(InFlight):
        await sign(new_entry("k"), guard())
    clock.pass_(LEASE)
    entry = new_entry("k")
    assert await entry.replay() is None
    again = await sign(entry, guard(), tx_id="0x02")
    assert again.operation_id == late.operation_id
    assert (await state(storage, again)).epoch == 2
    settle(late_entry, late)
    with pytest.raises(Superseded):
        await late.__aexit__(None, None, None)
    assert await new_entry("k").replay() == b'{"value":"0x02"}'


async def test_a_takeover_may_find_another_payload(new_entry: NewEntry, storage: WatchedStorage, clock: Clock) -> None:
    await crash(new_entry("k"), guard())
    clock.pass_(LEASE)
    entry = new_entry("k")
    await entry.replay()
    other = guard(payload=b"q" * 32)
    again = await sign(entry, other)
    assert await holder(storage, other) == HeldGuard(TENANT, other, again.operation_id)


async def test_the_key_of_a_failed_call_may_be_used_again(new_entry: NewEntry, storage: WatchedStorage) -> None:
    with pytest.raises(KeyWrapUnavailable):
        async with new_entry("k").intent() as first:
            raise KeyWrapUnavailable("sealed")
    entry = new_entry("k")
    assert await entry.replay() is None
    assert (await sign(entry)).operation_id == first.operation_id
    with pytest.raises(IdempotencyMismatch):
        await new_entry("k", b"other").replay()


async def test_of_two_takeovers_one_wins(new_entry: NewEntry, clock: Clock) -> None:
    await crash(new_entry("k"))
    clock.pass_(LEASE)
    entries = [new_entry("k") for _ in range(5)]
    for entry in entries:
        assert await entry.replay() is None
    done = await asyncio.gather(*[sign(entry) for entry in entries], return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["InFlight"] * 4 + ["Intent"]


async def test_a_hundred_calls_with_twenty_keys_have_twenty_effects(
    new_entry: NewEntry, storage: WatchedStorage
) -> None:
    async def call(n: int) -> bytes | StrongroomError:
        entry = new_entry(f"key-{n % 20}", b"%d" % (n % 20))
        try:
            stored = await entry.replay()
            if stored is None:
                await sign(entry, guard(n % 20), tx_id=f"0x{n % 20}")
            return stored or b"done"
        except StrongroomError as error:
            return error

    answers = await asyncio.gather(*[call(n) for n in range(100)])
    assert {type(each) for each in answers} <= {bytes, InFlight}
    assert answers.count(b"done") == 20
    again = await asyncio.gather(*[call(n) for n in range(100)])
    assert again == [b'{"value":"0x%d"}' % (n % 20) for n in range(100)]
    assert [outcome for outcome, _ in await outcomes(storage)].count("succeeded") == 20


async def test_the_same_payload_is_signed_again_and_others_are_refused(
    new_entry: NewEntry, storage: WatchedStorage
) -> None:
    first = await sign(new_entry(), guard())
    second = await sign(new_entry(), guard())
    assert second.operation_id != first.operation_id
    with pytest.raises(AlreadySigned):
        await sign(new_entry(), guard(payload=b"q" * 32))
    assert [outcome for outcome, _ in await outcomes(storage)] == ["requested", "succeeded"] * 2


async def test_other_bytes_need_the_name_of_what_they_replace(new_entry: NewEntry, storage: WatchedStorage) -> None:
    other, third = guard(payload=b"q" * 32), guard(payload=b"r" * 32)
    await sign(new_entry(), guard(), tx_id="0x01")
    with pytest.raises(AlreadySigned):
        await sign(new_entry(), other, replaces="0x07")
    second = await sign(new_entry(), other, tx_id="0x02", replaces="0x01")
    assert await holder(storage, other) == HeldGuard(TENANT, other, second.operation_id)
    with pytest.raises(AlreadySigned):
        await sign(new_entry(), third, replaces="0x01")
    await sign(new_entry(), third, tx_id="0x03", replaces="0x02")
    last = await sign(new_entry(), guard(), allow_resign=True)
    assert await holder(storage, guard()) == HeldGuard(TENANT, guard(), last.operation_id)


async def test_a_replacement_that_fails_leaves_the_guard_as_it_was(
    new_entry: NewEntry, storage: WatchedStorage
) -> None:
    first = await sign(new_entry(), guard())
    other = guard(payload=b"q" * 32)
    with pytest.raises(KeyWrapUnavailable):
        async with new_entry().intent(guards=[other], options=SignOptions(replaces="0x01")):
            raise KeyWrapUnavailable("sealed")
    assert await holder(storage, guard()) == HeldGuard(TENANT, guard(), first.operation_id)
    with pytest.raises(AlreadySigned):
        await sign(new_entry(), other)


async def test_a_replacement_under_way_keeps_others_out_until_its_lease_ends(
    new_entry: NewEntry, storage: WatchedStorage, clock: Clock
) -> None:
    await sign(new_entry(), guard())
    other, third = guard(payload=b"q" * 32), guard(payload=b"r" * 32)
    late_entry = new_entry()
    late = await crash(late_entry, other, replaces="0x01")
    with pytest.raises(InFlight):
        await sign(new_entry(), third, replaces="0x01")
    clock.pass_(LEASE)
    with pytest.raises(AlreadySigned):
        await sign(new_entry(), third)
    await sign(new_entry(), third, replaces="0x01")
    settle(late_entry, late)
    with pytest.raises(Superseded):
        await late.__aexit__(None, None, None)
    held = await holder(storage, third)
    assert held is not None
    assert held.guard == third


async def test_a_guard_of_a_dead_operation_may_be_taken(
    new_entry: NewEntry, storage: WatchedStorage, clock: Clock
) -> None:
    late_entry = new_entry()
    late = await crash(late_entry, guard(1), guard(2))
    others = [guard(1, b"q" * 32), guard(2, b"q" * 32)]
    with pytest.raises(InFlight):
        await sign(new_entry(), *others)
    clock.pass_(LEASE)
    taker = await sign(new_entry(), *others)
    record = await state(storage, late)
    assert (record.state, record.epoch) == (OperationState.FAILED, 2)
    settle(late_entry, late)
    with pytest.raises(Superseded):
        await late.__aexit__(None, None, None)
    for each in others:
        assert await holder(storage, each) == HeldGuard(TENANT, each, taker.operation_id)
    assert await storage.signatures(TENANT, late.operation_id) == []


async def test_who_passed_on_anothers_guard_holds_it_once_it_has_signed(
    new_entry: NewEntry, storage: WatchedStorage
) -> None:
    """Otherwise the holder's failure would free a nonce for which a signature has been returned."""
    first = await crash(new_entry(), guard())
    second = await sign(new_entry(), guard())
    await fail(first)
    assert await holder(storage, guard()) == HeldGuard(TENANT, guard(), second.operation_id)
    with pytest.raises(AlreadySigned):
        await sign(new_entry(), guard(payload=b"q" * 32))


async def test_who_passed_on_a_guard_that_was_given_up_meanwhile_takes_it(
    new_entry: NewEntry, storage: WatchedStorage
) -> None:
    first = await crash(new_entry(), guard())
    entry = new_entry()
    async with entry.intent(guards=[guard()]) as second:
        await fail(first)
        assert await holder(storage, guard()) is None
        settle(entry, second)
    assert await holder(storage, guard()) == HeldGuard(TENANT, guard(), second.operation_id)


async def test_who_passed_on_a_guard_that_another_took_meanwhile_signs_nothing(
    new_entry: NewEntry, storage: WatchedStorage
) -> None:
    first = await crash(new_entry(), guard())
    other = guard(payload=b"q" * 32)
    entry = new_entry()
    second = await crash(entry, guard())
    await fail(first)
    third = await sign(new_entry(), other)
    settle(entry, second)
    with pytest.raises(Superseded):
        await second.__aexit__(None, None, None)
    assert await storage.signatures(TENANT, second.operation_id) == []
    assert (await state(storage, second)).state is OperationState.FAILED
    assert await holder(storage, other) == HeldGuard(TENANT, other, third.operation_id)


async def test_a_resigned_guard_does_not_stop_its_replacement(new_entry: NewEntry, storage: WatchedStorage) -> None:
    await sign(new_entry(), guard())
    other = guard(payload=b"q" * 32)
    entry = new_entry()
    async with entry.intent(guards=[other], options=SignOptions(replaces="0x01")) as replacing:
        await sign(new_entry(), guard())
        settle(entry, replacing, "0x02")
    assert await holder(storage, other) == HeldGuard(TENANT, other, replacing.operation_id)


async def test_of_many_payloads_for_one_nonce_one_is_signed(new_entry: NewEntry) -> None:
    payloads = [bytes([n]) * 32 for n in range(20)]
    done = await asyncio.gather(*[sign(new_entry(), guard(1, payload)) for payload in payloads], return_exceptions=True)
    names = [type(each).__name__ for each in done]
    assert names.count("Intent") == 1
    assert set(names) <= {"Intent", "InFlight", "AlreadySigned"}


async def test_t2_that_meets_a_taken_external_id_fails_as_that(new_entry: NewEntry, storage: WatchedStorage) -> None:
    await storage.apply([Unit(rows=[rows.wallet(external_id="e")])])
    wallet = rows.wallet(external_id="e")
    with pytest.raises(ExternalIdTaken):
        async with new_entry().intent() as intent:
            intent.settle(Answer("x"), rows=[wallet])
    assert (await state(storage, intent)).state is OperationState.FAILED
    assert await outcomes(storage) == [("requested", "{}"), ("failed", '{"error":"external_id_taken"}')]
    assert await storage.wallet(TENANT, wallet.id) is None


async def test_t2_that_meets_a_changed_row_is_to_be_asked_again(new_entry: NewEntry, storage: WatchedStorage) -> None:
    wallet = rows.wallet()
    await storage.apply([Unit(rows=[wallet])])
    change = Change(type(wallet), wallet.id, {"label": "other"}, {"label": "new"})
    with pytest.raises(InFlight):
        async with new_entry().intent() as intent:
            intent.settle(None, changes=[change])
    assert (await state(storage, intent)).state is OperationState.FAILED
    assert await outcomes(storage) == [("requested", "{}"), ("failed", '{"error":"operation_in_flight"}')]


async def test_t2_that_meets_what_it_wanted_is_done(new_entry: NewEntry, storage: WatchedStorage) -> None:
    wallet = rows.wallet(label="new")
    await storage.apply([Unit(rows=[wallet])])
    change = Change(type(wallet), wallet.id, {"label": "other"}, {"label": "new"})
    async with new_entry().intent() as intent:
        intent.settle(Answer("mine"), changes=[change], met=lambda row: Answer("theirs") if row == wallet else None)
    record = await state(storage, intent)
    assert (record.state, record.result) == (OperationState.DONE, b'{"value":"theirs"}')
    assert await outcomes(storage) == [("requested", "{}"), ("succeeded", '{"already_done":true,"wrote":{"epoch":1}}')]


async def test_a_denial_is_written_down(new_entry: NewEntry, storage: WatchedStorage) -> None:
    await new_entry().deny("wallets:create")
    assert await outcomes(storage) == [(AuditOutcome.DENIED.value, '{"reason":"wallets:create"}')]
