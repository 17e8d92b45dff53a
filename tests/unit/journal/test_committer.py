from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from strongroom.domain.wallet import Wallet
from strongroom.errors import IntegrityError, InternalError, ShuttingDown, StorageUnavailable
from strongroom.journal import committer as committer_module
from strongroom.journal.audit import register
from strongroom.journal.base import Lost
from strongroom.journal.committer import Committer
from strongroom.journal.verify import verify
from strongroom.storage.base import AuditFilter, Change, Unit, WalletFilter
from tests.support import rows
from tests.support.rows import TENANT
from tests.unit.journal.conftest import AUTHENTICITY, PATIENCE, WatchedStorage


async def audited(storage: WatchedStorage) -> list[str]:
    report = await verify(storage, AUTHENTICITY.audit_key)
    assert report.ok, report.findings
    found = await storage.audit_records(AuditFilter(), None, 1000)
    return sorted(record.entry.request_id for record in found)


async def test_what_waits_is_committed_in_one_batch(committer: Committer, storage: WatchedStorage) -> None:
    storage.batches.clear()
    wallets = [rows.wallet() for _ in range(100)]
    await asyncio.gather(*[committer.commit(Unit(rows=[each]), [rows.entry(n)]) for n, each in enumerate(wallets)])
    assert storage.batches == [100]
    assert len(await storage.wallets(TENANT, WalletFilter(), None, 1000)) == 100
    assert len(await audited(storage)) == 100


async def test_a_saturated_process_waits_for_more(
    committer: Committer, storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what comes meanwhile is in the same commit."""
    begun, came = asyncio.Event(), asyncio.Event()
    asked: list[int] = []

    async def more(waiting: int) -> None:
        asked.append(waiting)
        begun.set()
        await came.wait()

    monkeypatch.setattr(committer._gathering, "more", more)
    storage.batches.clear()
    first = asyncio.create_task(committer.commit(Unit(rows=[rows.wallet()])))
    await begun.wait()
    rest = [asyncio.create_task(committer.commit(Unit(rows=[rows.wallet()]))) for _ in range(4)]
    await asyncio.sleep(0)
    came.set()
    await asyncio.gather(first, *rest)
    assert (storage.batches, asked) == ([5], [1])


async def test_a_loser_fails_alone_and_leaves_no_audit_record(committer: Committer, storage: WatchedStorage) -> None:
    there = rows.wallet(external_id="taken")
    await committer.commit(Unit(rows=[there]))
    wallets = [rows.wallet(external_id=name) for name in ("a", "taken", "b", "a", "c")]
    outcomes = await asyncio.gather(
        *[committer.commit(Unit(rows=[each]), [rows.entry(n)]) for n, each in enumerate(wallets)],
        return_exceptions=True,
    )
    assert [isinstance(each, Lost) for each in outcomes] == [False, True, False, True, False]
    assert isinstance(outcomes[1], Lost)
    assert outcomes[1].conflict.found == there
    assert await audited(storage) == ["request-0", "request-2", "request-4"]


async def test_changes_of_one_row_follow_each_other(committer: Committer, storage: WatchedStorage) -> None:
    wallet = rows.wallet()
    await committer.commit(Unit(rows=[wallet]))
    renamed = [Change(Wallet, wallet.id, {}, {"label": label}) for label in "abc"]
    took = [Change(Wallet, wallet.id, {"secret_version": 1}, {"secret_version": n}) for n in (2, 3)]
    missing = Change(Wallet, rows.wallet().id, {}, {"label": "d"})
    outcomes = await asyncio.gather(
        *[
            committer.commit(Unit(changes=[each]), [rows.entry(n)])
            for n, each in enumerate([*renamed, *took, missing, missing])
        ],
        return_exceptions=True,
    )
    assert [isinstance(each, Lost) for each in outcomes] == [False, False, False, False, True, True, True]
    assert isinstance(outcomes[4], Lost)
    assert outcomes[4].conflict.found == await storage.wallet(TENANT, wallet.id)
    assert outcomes[4].conflict.found == replace(wallet, label="c", secret_version=2)
    assert await audited(storage) == ["request-0", "request-1", "request-2", "request-3"]


async def test_the_rows_that_were_there_already_come_back(committer: Committer) -> None:
    one, other = rows.operation(), rows.operation()
    assert await committer.commit(Unit(rows=[one], same=[rows.held(one)])) == ()
    assert await committer.commit(Unit(rows=[other], same=[rows.held(other)])) == [rows.held(one)]


async def test_an_address_that_differs_is_an_integrity_error(committer: Committer) -> None:
    wallet = rows.wallet()
    account = rows.account(wallet)
    await committer.commit(Unit(rows=[wallet, account], same=[rows.address(account)]))
    with pytest.raises(IntegrityError):
        await committer.commit(Unit(same=[rows.address(account, canonical=b"other")]))


async def test_a_unit_that_cannot_be_stored_does_not_take_others_with_it(
    committer: Committer, storage: WatchedStorage
) -> None:
    orphan = Unit(rows=[rows.account(rows.wallet())])
    units = [Unit(rows=[rows.wallet()]), orphan, Unit(rows=[rows.wallet()])]
    outcomes = await asyncio.gather(
        *[committer.commit(unit, [rows.entry(n)]) for n, unit in enumerate(units)], return_exceptions=True
    )
    assert [type(each) for each in outcomes] == [tuple, InternalError, tuple]
    assert await audited(storage) == ["request-0", "request-2"]


async def test_a_database_that_is_away_fails_who_waits_and_the_chain_goes_on(
    committer: Committer, storage: WatchedStorage
) -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    storage.before = away
    outcomes = await asyncio.gather(
        *[committer.commit(Unit(rows=[rows.wallet()]), [rows.entry(n)]) for n in range(5)], return_exceptions=True
    )
    assert {type(each) for each in outcomes} == {StorageUnavailable}
    storage.before = None
    await committer.commit(Unit(rows=[rows.wallet()]), [rows.entry(7)])
    assert await audited(storage) == ["request-7"]


async def test_nobody_waits_for_a_database_that_is_away_twice(
    storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = Committer(storage, await register(storage, AUTHENTICITY.audit_key, "test"), timeout=0.1)
    committer.start()
    tried: list[object] = []

    async def hang(units: object) -> None:
        tried.append(units)
        committer._timeout = PATIENCE  # of what comes after this
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(storage, "apply", hang)
        outcomes = await asyncio.gather(
            *[committer.commit(Unit(), [rows.entry(n)]) for n in range(300)], return_exceptions=True
        )
    assert {type(each) for each in outcomes} == {StorageUnavailable}
    assert len(tried) == 1
    await committer.commit(Unit(), [rows.entry(300)])
    await committer.close()
    assert await audited(storage) == ["request-300"]


async def test_after_an_unknown_outcome_the_chain_goes_on_from_what_was_committed(
    committer: Committer, storage: WatchedStorage
) -> None:
    def reply_is_lost() -> None:
        raise StorageUnavailable("away")

    await committer.commit(Unit(), [rows.entry(0)])
    storage.after = reply_is_lost
    with pytest.raises(StorageUnavailable):
        await committer.commit(Unit(), [rows.entry(1), rows.entry(2)])
    storage.after = None
    await committer.commit(Unit(), [rows.entry(3)])
    assert await audited(storage) == ["request-0", "request-1", "request-2", "request-3"]


async def test_a_commit_that_comes_through_late_is_nobodys_fault(
    storage: WatchedStorage,
) -> None:
    chain = await register(storage, AUTHENTICITY.audit_key, "test")
    committer = Committer(storage, chain, timeout=PATIENCE)
    late = chain.extend([rows.entry(0)])
    await storage.apply([Unit(rows=late)])  # as if given up, after the chain's head was read again
    committer.start()
    await committer.commit(Unit(), [rows.entry(1)])
    await committer.close()
    assert await audited(storage) == ["request-0", "request-1"]


async def test_a_database_that_hangs_is_given_up(storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = Committer(storage, await register(storage, AUTHENTICITY.audit_key, "test"), timeout=0.05)
    committer.start()

    async def hang(units: object) -> None:
        committer._timeout = PATIENCE  # of what comes after this
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(storage, "apply", hang)
        with pytest.raises(StorageUnavailable):
            await committer.commit(Unit(), [rows.entry(0)])
    await committer.commit(Unit(), [rows.entry(1)])
    await committer.close()
    assert await audited(storage) == ["request-1"]


async def test_who_is_cancelled_corrupts_nothing(committer: Committer, storage: WatchedStorage) -> None:
    tasks = [asyncio.create_task(committer.commit(Unit(rows=[rows.wallet()]), [rows.entry(n)])) for n in range(10)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError, tuple] * 5
    assert len(await audited(storage)) == 10  # what was handed in is committed


async def test_the_queue_is_bounded(committer: Committer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.journal.committer._MAX_WAITING", 3)
    outcomes = await asyncio.gather(*[committer.commit(Unit()) for _ in range(5)], return_exceptions=True)
    assert [type(each) for each in outcomes] == [tuple] * 3 + [StorageUnavailable] * 2


async def test_closing_commits_what_waits_and_takes_nothing_more(storage: WatchedStorage) -> None:
    committer = Committer(storage, await register(storage, AUTHENTICITY.audit_key, "test"), timeout=PATIENCE)
    committer.start()
    waiting = [asyncio.create_task(committer.commit(Unit(), [rows.entry(n)])) for n in range(300)]
    await asyncio.sleep(0)
    await committer.close()
    await asyncio.gather(*waiting)
    assert len(await audited(storage)) == 300
    with pytest.raises(ShuttingDown):
        await committer.commit(Unit())


@pytest.mark.parametrize(
    ("seconds", "batches"), [(0.001, [18, *[8] * 6, 4]), (0.012, [18, *[12] * 4, 4]), (0.2, [18, 25, 25, 2])]
)
async def test_patient_units_let_others_go_before_them(
    committer: Committer, storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch, seconds: float, batches: list[int]
) -> None:
    """The longer a commit takes, the more of them it takes along."""
    monkeypatch.setattr(committer_module, "_OTHERS_GONE", 3600.0)
    monkeypatch.setattr(committer_module, "time", SimpleNamespace(perf_counter=count(0, seconds).__next__))
    committer._took = 0.0
    storage.batches.clear()
    order: list[str] = []

    async def commit(name: str, *, patient: bool) -> None:
        await committer.commit(Unit(rows=[rows.wallet()]), patient=patient)
        order.append(name)

    patient = [commit("patient", patient=True) for _ in range(60)]
    others = [commit("other", patient=False) for _ in range(10)]
    await asyncio.gather(*patient, *others)
    assert storage.batches == batches
    assert order[:10] == ["other"] * 10


async def test_patient_units_that_are_alone_go_many_at_a_time(
    committer: Committer, storage: WatchedStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer_module, "_OTHERS_GONE", 0.0)
    await committer.commit(Unit(rows=[rows.wallet()]))
    await asyncio.sleep(0.01)
    storage.batches.clear()
    await committer.commit_all([(Unit(rows=[rows.wallet()]), ()) for _ in range(250)])
    assert storage.batches == [100, 100, 50]


async def test_units_of_a_batch_are_committed_together_and_fail_alone(
    committer: Committer, storage: WatchedStorage
) -> None:
    there = rows.wallet(external_id="taken")
    await committer.commit(Unit(rows=[there]))
    storage.batches.clear()
    wallets = [rows.wallet(external_id=name) for name in ("a", "taken", "b")]
    outcomes = await committer.commit_all([(Unit(rows=[each]), [rows.entry(n)]) for n, each in enumerate(wallets)])
    assert [isinstance(each, Lost) for each in outcomes] == [False, True, False]
    assert storage.batches[0] == 3
    assert await audited(storage) == ["request-0", "request-2"]


async def test_patient_units_fail_with_the_others_where_the_database_is_away(
    committer: Committer, storage: WatchedStorage
) -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    storage.before = away
    outcomes = await asyncio.gather(
        *[committer.commit(Unit(rows=[rows.wallet()]), patient=patient) for patient in (True, False) * 150],
        return_exceptions=True,
    )
    assert {type(each) for each in outcomes} == {StorageUnavailable}


async def test_first_end_of_a_unit_is_its_end() -> None:
    asked = committer_module._Asked(2)
    asked.end(1, ())
    asked.end(1, StorageUnavailable("those behind it failed", retry_after=1))
    waiting = asyncio.create_task(asked.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    asked.end(0, ())
    assert await waiting == [(), ()]
