"""What becomes of a transaction that is sent through a fake reader, and of the task that looks after it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from strongroom.chains.evm.chain import Evm
from strongroom.domain.network import Network
from strongroom.domain.record import Broadcast, BroadcastState
from strongroom.domain.signing import SignedIds
from strongroom.errors import SourceMissing, StorageUnavailable
from strongroom.journal.committer import Committer
from strongroom.journal.reconcile import Reconciler
from strongroom.operations import broadcasting
from strongroom.operations.offload import Offload
from strongroom.rpc.base import Block, Capability, Sent, State, Status
from strongroom.storage.base import Change, Unit
from tests.parity.story import MNEMONIC, transfer
from tests.support.fake_reader import FakeReader
from tests.support.service import TENANT, Face, NewService, Outcome, RunningService

ETH = {"network": "ethereum"}
COIN = "eip155:1/slip44:60"
PATIENCE = 120


@pytest.fixture
def stack() -> str:
    """Nothing here depends on what the service runs on."""
    return "embedded"


class Sender:
    def __init__(self, service: RunningService, face: Face) -> None:
        self.service, self.face = service, face
        self.fake = FakeReader()
        service.readers["eip155:1"] = self.fake
        self.wallet = self.signed = self.tx_id = ""

    async def prepare(self) -> Sender:
        command = {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}
        self.wallet = (await self.ok("wallets.import", command))["id"]
        signed = await self.ok("transactions.sign", {"wallet_id": self.wallet, **ETH, "unsigned_tx": transfer()})
        self.signed, self.tx_id = signed["signed_tx"], signed["tx_id"]
        return self

    async def call(self, operation: str, command: dict[str, Any], **more: Any) -> Outcome:
        return await self.face.call(operation, command, key=self.service.key, **more)

    async def ok(self, operation: str, command: dict[str, Any], **more: Any) -> Any:
        outcome = await self.call(operation, command, **more)
        assert outcome.code == "ok", outcome
        return outcome.result

    async def send(self, key: str | None = None) -> Outcome:
        return await self.call("transactions.broadcast", {**ETH, "signed_tx": self.signed}, idempotency_key=key)

    async def sign(self, key: str | None = None, nonce: str = "0x7") -> Outcome:
        command = {"wallet_id": self.wallet, **ETH, "unsigned_tx": transfer(nonce=nonce), "broadcast": True}
        return await self.call("transactions.sign", command, idempotency_key=key)

    async def row(self, tx_id: str = "") -> Broadcast:
        found = await self.service.admin.storage.broadcast(TENANT, "eip155:1", tx_id or self.tx_id)
        assert found is not None
        return found

    async def follow(self, tx_id: str = "") -> Broadcast:
        """The state after the task has looked."""
        row = await self.row(tx_id)
        looks = self.fake.asked["status"]
        await self.ok("tasks.retry", {"kind": "broadcast", "key": str(row.id)})
        end = time.monotonic() + PATIENCE
        while True:
            has_looked = self.fake.asked["status"] > looks
            task = await self.service.admin.storage.task("broadcast", str(row.id))
            if has_looked and task is not None and task.lease_until is None:
                return await self.row(tx_id)
            assert time.monotonic() < end, "the task does nothing"
            await asyncio.sleep(0.02)


@pytest.fixture(params=["http", "grpc"])
async def sender(request: pytest.FixtureRequest, new_service: NewService) -> AsyncIterator[Sender]:
    async with new_service(TASKS__POLL="0.05", RATES__CHAIN="off") as service:
        yield await Sender(service, getattr(service, request.param)).prepare()


async def test_accepted(sender: Sender) -> None:
    found = (await sender.send()).result
    assert (found["tx_id"], found["state"], found["source"]) == (sender.tx_id, "accepted", "fake")
    row = await sender.row()
    assert (row.state, row.epoch, str(row.wallet_id)) == (BroadcastState.ACCEPTED, 2, sender.wallet)
    records = (await sender.ok("audit.list", {"wallet_id": sender.wallet}))["records"]
    about = [(each["outcome"], each["details"]) for each in records if each["operation"] == "transactions.broadcast"]
    assert [outcome for outcome, _ in about] == ["succeeded", "succeeded", "requested"], "what it wrote, too"
    assert {about[at][1]["tx_id"] for at in (0, 2)} == {sender.tx_id}
    assert about[0][1]["state"] == "accepted"
    assert sender.fake.sent == [sender.signed]


async def test_the_same_bytes_twice(sender: Sender) -> None:
    assert (await sender.send()).result.get("already_known", False) is False
    again = (await sender.send()).result
    assert (again["state"], again["already_known"]) == ("accepted", True)
    assert (await sender.row()).epoch == 2  # nothing new
    tasks = (await sender.ok("tasks.list", {"kind": "broadcast"}))["tasks"]
    assert len(tasks) == 1


@pytest.mark.parametrize("silent", [False, True])
async def test_other_bytes_of_the_same_id_are_the_ones_that_are_sent(sender: Sender, silent: bool) -> None:
    """As with a Bitcoin transaction that has another witness."""
    sender.fake.silent = silent
    await sender.send()
    before, first = await sender.row(), sender.signed
    sender.signed = "0x" + first[2:].upper()
    assert (await sender.send()).result["tx_id"] == sender.tx_id
    assert sender.fake.sent == [first, sender.signed]
    row = await sender.row()
    assert (row.raw, row.state, row.epoch) == (sender.signed, before.state, before.epoch + 1)
    assert await findings(sender) == set()


async def test_replay_sends_nothing(sender: Sender) -> None:
    first, second = await sender.send("b-1"), await sender.send("b-1")
    assert first.result == second.result
    assert sender.fake.asked["broadcast"] == 1
    signed = [await sender.sign("s-1") for _ in range(2)]
    assert [each.result["broadcast"]["state"] for each in signed] == ["accepted", "unknown"]  # as it was in T2
    assert signed[0].result["signed_tx"] == signed[1].result["signed_tx"]
    assert sender.fake.asked["broadcast"] == 2


@pytest.mark.parametrize("reason", ["insufficient_funds", "nonce_used", "policy"])
async def test_rejected(sender: Sender, reason: str) -> None:
    sender.fake.refuses = reason
    refused = await sender.send()
    assert (refused.code, refused.reason) == ("transaction_rejected", reason)
    assert refused.status == (422 if sender.face.name == "http" else grpc.StatusCode.FAILED_PRECONDITION)
    row = await sender.row()
    assert (row.state, row.rejection, row.epoch) == (BroadcastState.REJECTED, reason, 2)
    state = await sender.ok("transactions.state", {**ETH, "tx_id": sender.tx_id})
    assert (state["state"], state["rejected"]) == ("unknown", reason)


async def test_what_was_rejected_is_not_sent_again_by_itself(sender: Sender) -> None:
    sender.fake.refuses = "fee_too_low"
    await sender.send()
    sender.fake.refuses = None
    row = await sender.row()
    await sender.ok("tasks.retry", {"kind": "broadcast", "key": str(row.id)})
    end = time.monotonic() + PATIENCE
    while (task := await sender.service.admin.storage.task("broadcast", str(row.id))) and task.due_at is not None:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    assert (await sender.row(), sender.fake.sent) == (row, [])


async def test_what_was_rejected_may_be_sent_again(sender: Sender) -> None:
    sender.fake.refuses = "fee_too_low"
    await sender.send()
    sender.fake.refuses, sender.fake.silent = None, True
    assert (await sender.send()).result["state"] == "unknown"
    row = await sender.row()
    assert (row.state, row.rejection, row.epoch) == (BroadcastState.UNKNOWN, None, 3)
    assert (await sender.follow()).state is BroadcastState.ACCEPTED


async def test_no_node_says_that_it_took_it(sender: Sender) -> None:
    sender.fake.silent = True
    assert (await sender.send()).result["state"] == "unknown"
    assert (await sender.row()).state is BroadcastState.UNKNOWN
    assert (await sender.follow()).state is BroadcastState.ACCEPTED
    assert sender.fake.asked["broadcast"] == 1  # it was there already


async def test_a_node_that_never_ends_its_answer(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes have left, so it is not an error, whatever the deadline of the operation."""
    monkeypatch.setattr(broadcasting, "_LONGEST", 0.05)
    sender.fake.hangs = True
    assert (await sender.send()).result["state"] == "unknown"
    assert (await sender.sign(nonce="0x8")).result["broadcast"]["state"] == "unknown"
    assert (await sender.row()).state is BroadcastState.UNKNOWN
    assert (await sender.follow()).state is BroadcastState.ACCEPTED


async def test_a_caller_with_less_time_than_the_nodes_take(new_service: NewService) -> None:
    """The deadline of the operation ends first, and bytes have left. A 504 would be taken for a failure."""
    async with new_service(TIMEOUTS__OPERATION="6", RATES__CHAIN="off") as service:
        for face, nonce in ((service.http, "0x8"), (service.grpc, "0x9")):
            sender = await Sender(service, face).prepare()
            sender.fake.hangs = True
            assert ((await sender.send()).result["state"]) == "unknown"
            assert (await sender.row()).state is BroadcastState.UNKNOWN
            signed = (await sender.sign(nonce=nonce)).result
            assert (bool(signed["signed_tx"]), signed["broadcast"]["state"]) == (True, "unknown")


@pytest.mark.parametrize("what", ["broadcast", "sign"])
async def test_what_came_of_it_cannot_be_written_down(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A node has it. A 503 would be taken for a failure."""
    usual = Committer.commit

    async def commit(self: Committer, unit: Unit, audit: Any = (), **how: Any) -> Any:
        if sender.fake.sent:
            raise StorageUnavailable("the database does not respond", retry_after=1)
        return await usual(self, unit, audit, **how)

    monkeypatch.setattr(Committer, "commit", commit)
    answer = await (sender.send() if what == "broadcast" else sender.sign(nonce="0x8"))
    assert answer.code == "ok"
    told = answer.result if what == "broadcast" else answer.result["broadcast"]
    assert told["state"] == ("accepted" if what == "broadcast" else "unknown")
    row = await sender.row(told["tx_id"])
    assert row.state is BroadcastState.UNKNOWN
    monkeypatch.undo()
    assert (await sender.follow(told["tx_id"])).state is BroadcastState.ACCEPTED


async def test_balance_counts_what_was_sent_until_a_source_shows_it(sender: Sender) -> None:
    """With the most that it can cost, while it waits for a block. The same on every read within the lifetime."""
    address = (await sender.ok("addresses.derive", {"wallet_id": sender.wallet, **ETH, "index": 0}))["address"]
    sender.fake.held[address, COIN] = 10**18

    async def balance(**more: Any) -> tuple[int, int, bool, list[str]]:
        found = await sender.ok("balances.wallet", {"wallet_id": sender.wallet, **ETH, **more})
        [coin] = [each for each in found["balances"] if each["asset"] == COIN]
        return int(coin["confirmed"]), int(coin["pending"]), coin.get("adjusted", False), found.get("unseen", [])

    assert await balance() == (10**18, 0, False, [])
    summary = (await sender.ok("transactions.decode", {**ETH, "unsigned_tx": transfer()}))["summary"]
    cost = int(summary["actions"][0]["amount"]) + int(summary["fee"]["amount"])
    await sender.send()
    for fresh in (False, False, True):
        assert await balance(fresh=fresh) == (10**18, -cost, True, [sender.tx_id])
    asked = sender.fake.asked["status"]
    assert await balance() == (10**18, -cost, True, [sender.tx_id])
    assert sender.fake.asked["status"] == asked

    mined = Block(sender.fake.height + 1, "0x" + "22" * 32, None)
    sender.fake.statuses[sender.tx_id] = Status(State.CONFIRMED, mined)
    assert (await balance(fresh=True))[1] == -cost  # the balance is from the block before
    sender.fake.height += 1
    sender.fake.held[address, COIN] = 10**18 - cost
    assert await balance(fresh=True) == (10**18 - cost, 0, False, [])


@pytest.mark.parametrize("status", [Status(State.REPLACED), Status(State.EXPIRED), Status(State.UNKNOWN), None])
async def test_what_cannot_get_into_a_block_is_not_counted(sender: Sender, status: Status | None) -> None:
    await sender.ok("addresses.derive", {"wallet_id": sender.wallet, **ETH, "index": 0})
    if status is None:
        sender.fake.refuses = "nonce_used"
    await sender.send()
    if status is not None:
        sender.fake.statuses[sender.tx_id] = status
    found = await sender.ok("balances.wallet", {"wallet_id": sender.wallet, **ETH})
    counted = status is not None and status.state is State.UNKNOWN
    assert found.get("unseen", []) == ([sender.tx_id] if counted else [])
    [coin] = [each for each in found["balances"] if each["asset"] == COIN]
    assert (int(coin["pending"]) < 0, coin.get("adjusted", False)) == (counted, counted)


@pytest.mark.parametrize("sender", ["http"], indirect=True)
async def test_rest_tells_what_is_still_open(sender: Sender) -> None:
    assert (await sender.send()).status == 200
    sender.fake.silent = True
    assert (await sender.send()).status == 202


async def test_signing_and_sending_counts_as_sending_too(new_service: NewService) -> None:
    async with new_service(RATES__BROADCAST="1/day") as service:
        for face, code in ((service.http, "ok"), (service.grpc, "rate_limited")):
            sender = await Sender(service, face).prepare()
            assert (await sender.sign(nonce="0x8")).code == code


async def test_a_node_that_took_it_stays_believed(sender: Sender) -> None:
    await sender.send()
    sender.fake.silent = True
    assert (await sender.send()).result["state"] == "unknown"
    assert ((await sender.row()).state, (await sender.row()).epoch) == (BroadcastState.ACCEPTED, 2)


async def test_no_node_answers(sender: Sender) -> None:
    sender.fake.away = True
    assert (await sender.send()).result["state"] == "unknown"
    assert sender.fake.sent == []
    assert (await sender.follow()).state is BroadcastState.UNKNOWN
    sender.fake.away = False
    assert (await sender.follow()).state is BroadcastState.ACCEPTED
    assert sender.fake.sent == [sender.signed]


async def test_no_source_can_send(sender: Sender) -> None:
    """It is refused before anything is signed or stored."""
    sender.fake.able = frozenset(Capability) - {Capability.BROADCAST}
    signed = len(await sender.service.audit(operation="transactions.sign"))
    for refused in (await sender.send(), await sender.sign()):
        assert (refused.code, refused.field) == ("source_missing", "network")
    assert await sender.service.admin.storage.broadcast(TENANT, "eip155:1", sender.tx_id) is None
    later = (await sender.service.audit(operation="transactions.sign"))[signed:]
    assert "requested" not in {each["outcome"] for each in later}


async def test_a_source_that_can_no_longer_send_leaves_it_open(sender: Sender) -> None:
    def missing(question: str) -> None:
        if question == "broadcast":
            raise SourceMissing("no configured source of this network can answer this: broadcast", field="network")

    sender.fake.before = missing
    assert (await sender.send()).result["state"] == "unknown"
    assert (await sender.row()).state is BroadcastState.UNKNOWN


@pytest.mark.parametrize(
    ("status", "state", "rejection"),
    [
        (Status(State.PENDING), BroadcastState.ACCEPTED, None),
        (Status(State.CONFIRMED), BroadcastState.ACCEPTED, None),
        (Status(State.FINAL, final=True), BroadcastState.ACCEPTED, None),
        (Status(State.FAILED), BroadcastState.ACCEPTED, None),
        (Status(State.EXPIRED, final=True), BroadcastState.EXPIRED, None),
        (Status(State.REPLACED, final=True), BroadcastState.REJECTED, "nonce_used"),
        (Status(State.UNKNOWN), BroadcastState.ACCEPTED, None),
        (Status(State.DROPPED), BroadcastState.ACCEPTED, None),
    ],
    ids=lambda each: each.state.value if isinstance(each, Status) else None,
)
async def test_what_the_task_finds_out(
    sender: Sender, status: Status, state: BroadcastState, rejection: str | None
) -> None:
    sender.fake.away = True
    await sender.send()
    sender.fake.away = False
    sender.fake.statuses[sender.tx_id] = status
    row = await sender.follow()
    assert (row.state, row.rejection, row.epoch) == (state, rejection, 2)
    sent_again = status.state in (State.UNKNOWN, State.DROPPED)
    assert sender.fake.sent == ([sender.signed] if sent_again else [])
    last = (await sender.service.audit(operation="transactions.broadcast"))[-1]
    assert (last["request_id"], last["outcome"]) == ("background", "succeeded")
    assert last["details"]["wrote"] == {"broadcasts": [[str(row.id), 2, state.value]]}


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("state", [State.EXPIRED, State.REPLACED])
async def test_an_end_that_is_not_final_or_that_operators_do_not_agree_on_is_none(
    sender: Sender, state: State, final: bool
) -> None:
    sender.fake.away = True
    await sender.send()
    sender.fake.away, sender.fake.contradicted = False, final
    sender.fake.statuses[sender.tx_id] = Status(state, final=final)
    assert (await sender.follow()).state is BroadcastState.UNKNOWN
    assert sender.fake.sent == []
    assert sender.fake.asked["agreed"] == int(final)


async def test_the_task_is_refused(sender: Sender) -> None:
    """The bytes may have left before, so the task goes on asking."""
    sender.fake.away = True
    await sender.send()
    sender.fake.away, sender.fake.refuses = False, "already_spent"
    row = await sender.follow()
    assert (row.state, row.rejection, row.epoch) == (BroadcastState.UNKNOWN, None, 1)
    task = await sender.service.admin.storage.task("broadcast", str(row.id))
    assert task is not None
    assert task.due_at is not None


async def test_a_refusal_of_what_a_node_took_before_is_none(sender: Sender) -> None:
    await sender.send()
    sender.fake.refuses = "fee_too_low"
    again = (await sender.send()).result
    assert (again["state"], again["already_known"]) == ("accepted", True)
    assert ((await sender.row()).state, (await sender.row()).epoch) == (BroadcastState.ACCEPTED, 2)


@pytest.mark.parametrize("operation", ["broadcast", "sign"])
async def test_a_refusal_at_the_same_moment_as_a_node_takes_it_is_none(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    usual = sender.fake.broadcast

    async def broadcast(signed: str, ids: SignedIds) -> Sent:
        row = await sender.row(ids.tx_ids[0])
        other = Unit(changes=broadcasting._changes(row, BroadcastState.REJECTED, "fee_too_low"))
        assert not (await sender.service.admin.storage.apply([other])).conflicts
        return await usual(signed, ids)

    monkeypatch.setattr(sender.fake, "broadcast", broadcast)
    result = (await (sender.send() if operation == "broadcast" else sender.sign(nonce="0x8"))).result
    told = result if operation == "broadcast" else result["broadcast"]
    assert told["state"] == "accepted"
    row = await sender.row(told["tx_id"])
    assert (row.state, row.rejection, row.epoch) == (BroadcastState.ACCEPTED, None, 3)
    assert await findings(sender) == set()


async def test_a_refusal_of_what_may_have_left_before_leaves_it_open(sender: Sender) -> None:
    sender.fake.silent = True
    await sender.send()
    sender.fake.refuses = "nonce_used"
    assert (await sender.send()).result["state"] == "unknown"
    assert ((await sender.row()).state, (await sender.row()).epoch) == (BroadcastState.UNKNOWN, 1)


@pytest.mark.parametrize("sender", ["http"], indirect=True)
@pytest.mark.parametrize(("age", "seconds"), [(0, 30), (299, 30), (6000, 600), (10**6, 3600)])
async def test_what_stays_unknown_is_asked_for_less_often(sender: Sender, age: int, seconds: int) -> None:
    sender.fake.away = True
    await sender.send()
    row = await sender.row()
    duties = SimpleNamespace(clock=lambda: row.created_at + timedelta(seconds=age))
    assert broadcasting._pause(row, duties).total_seconds() == seconds  # type: ignore[arg-type]


async def test_the_task_gets_no_word_either(sender: Sender) -> None:
    sender.fake.away = True
    await sender.send()
    sender.fake.away, sender.fake.silent = False, True
    assert (await sender.follow()).state is BroadcastState.UNKNOWN
    task = await sender.service.admin.storage.task("broadcast", str((await sender.row()).id))
    assert task is not None
    assert task.due_at is not None


@pytest.mark.parametrize("sender", ["http"], indirect=True)
async def test_bytes_that_are_no_longer_kept(sender: Sender) -> None:
    await sender.send()
    row = await sender.row()
    emptied = Unit(changes=[Change(Broadcast, row.id, {"epoch": row.epoch}, {"raw": ""})])
    assert not (await sender.service.admin.storage.apply([emptied])).conflicts
    assert (await sender.ok("transactions.state", {**ETH, "tx_id": sender.tx_id}))["state"] == "pending"
    assert (await sender.send()).result["already_known"] is True
    assert sender.fake.sent == [sender.signed] * 2
    assert (await sender.row()).raw == sender.signed
    assert await findings(sender) == set()


async def test_signed_and_sent(sender: Sender) -> None:
    signed = (await sender.sign()).result
    assert (signed["broadcast"]["state"], signed["broadcast"]["tx_id"]) == ("accepted", signed["tx_id"])
    assert sender.fake.sent == [signed["signed_tx"]]
    assert (await sender.row(signed["tx_id"])).state is BroadcastState.ACCEPTED


async def test_signed_and_refused(sender: Sender) -> None:
    """The signature stands, so it is not an error."""
    sender.fake.refuses = "nonce_gap"
    signed = (await sender.sign()).result
    assert (signed["broadcast"]["state"], signed["broadcast"]["rejected"]) == ("rejected", "nonce_gap")
    assert (await sender.row(signed["tx_id"])).rejection == "nonce_gap"


async def test_signed_and_no_node_answers(sender: Sender) -> None:
    sender.fake.away = True
    signed = (await sender.sign()).result
    assert signed["broadcast"]["state"] == "unknown"
    sender.fake.away = False
    assert (await sender.follow(signed["tx_id"])).state is BroadcastState.ACCEPTED


async def test_balance_is_asked_for_again_after_a_broadcast(sender: Sender) -> None:
    for _ in range(2):
        await sender.ok("balances.wallet", {"wallet_id": sender.wallet, **ETH})
    assert sender.fake.asked["balances"] == 1
    await sender.send()
    for _ in range(2):
        await sender.ok("balances.wallet", {"wallet_id": sender.wallet, **ETH})
    assert sender.fake.asked["balances"] == 2


@pytest.mark.parametrize("sender", ["http"], indirect=True)
async def test_large_transactions_keep_nobody_waiting(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their ids are computed in threads."""
    threads: list[threading.Thread] = []
    usual = Evm.identify

    def identify(chain: Evm, network: Network, signed: str) -> SignedIds:
        threads.append(threading.current_thread())
        return usual(chain, network, signed)

    monkeypatch.setattr(Evm, "identify", identify)
    monkeypatch.setattr(Offload, "is_large", lambda *_: True)
    sender.fake.silent = True
    await sender.send()
    await sender.sign(nonce="0x8")
    await sender.ok("transactions.state", {**ETH, "tx_id": sender.tx_id})
    await sender.follow()
    assert len(threads) >= 4
    assert threading.current_thread() not in threads


async def findings(sender: Sender) -> set[tuple[str, str]]:
    """Kind and key of the findings when everything is verified."""
    admin = sender.service.admin
    reconciler = Reconciler(admin.storage, admin.authenticity.audit_key)
    found: set[tuple[str, str]] = set()
    cursor: str | None = None
    while True:
        part = await reconciler.slice(cursor, 100)
        found |= {(each.kind, each.key) for each in part.findings}
        cursor = part.cursor
        if cursor is None:
            return found


async def test_everything_that_was_written_is_told(sender: Sender) -> None:
    await sender.send()
    await sender.sign()
    sender.fake.refuses = "policy"
    await sender.sign(nonce="0x8")
    assert await findings(sender) == set()


@pytest.mark.parametrize("sender", ["http"], indirect=True)
async def test_rows_that_are_gone_older_or_edited_are_told(sender: Sender) -> None:
    sender.fake.silent = True
    await sender.send()
    key = str((await sender.row()).id)
    with closing(sqlite3.connect(sender.service.settings.data_dir / "strongroom.db", timeout=60)) as database:
        older = database.execute("SELECT * FROM broadcasts").fetchone()
        assert (await sender.follow()).state is BroadcastState.ACCEPTED
        assert await findings(sender) == set()
        for statement, kind in (
            ("UPDATE broadcasts SET state = 'rejected'", "row_changed"),
            ("UPDATE broadcasts SET raw = '0x'", "row_changed"),
            ("DELETE FROM broadcasts", "broadcast_missing"),
        ):
            database.execute(statement)
            database.commit()
            assert kind in {each for each, _ in await findings(sender)}, statement
        places = ", ".join("?" * len(older))
        database.execute(f"INSERT INTO broadcasts VALUES ({places})", older)
        database.commit()
        assert await findings(sender) == {("broadcast_rolled_back", key)}
