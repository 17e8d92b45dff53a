"""Discovery of used addresses through a fake reader, over REST and gRPC, also if something goes wrong meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH

from strongroom.domain.discovery import discovery_id
from strongroom.journal.reconcile import Reconciler
from strongroom.rpc.base import Capability, Holder, Used
from tests.parity.story import MNEMONIC
from tests.support.fake_reader import FakeReader
from tests.support.service import TENANT, Face, NewService, Outcome, RunningService

ETH = "eip155:1"
SOL = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
PATIENCE = 180
QUICK = {"TASKS__POLL": "0.05", "RATES__READ": "off", "RATES__ADDRESS": "off", "NODES__DISCOVERY_RATE": "1000"}

Account.enable_unaudited_hdwallet_features()


@pytest.fixture
def stack() -> str:
    """Nothing here depends on what the service runs on."""
    return "embedded"


def ours(index: int, change: int = 0) -> str:
    """Computed by eth-account."""
    path = ETHEREUM_DEFAULT_PATH.removesuffix("0/0") + f"{change}/{index}"
    return str(Account.from_mnemonic(MNEMONIC, account_path=path).address)


@dataclass
class Busy(FakeReader):
    """Does something with the service while the first response is on its way."""

    meanwhile: Any = None

    async def used(self, holders: Sequence[Holder]) -> Used:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super().used(holders)


class Finder:
    def __init__(self, service: RunningService, face: Face) -> None:
        self.service, self.face = service, face
        self.fake, self.sol = Busy(), FakeReader()
        service.readers |= {ETH: self.fake, SOL: self.sol}
        self.wallet = ""

    async def prepare(self, **more: Any) -> Finder:
        command = {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"], **more}
        self.wallet = (await self.ok("wallets.import", command))["id"]
        return self

    async def call(self, operation: str, command: dict[str, Any], **more: Any) -> Outcome:
        return await self.face.call(operation, command, **({"key": self.service.key} | more))

    async def ok(self, operation: str, command: dict[str, Any], **more: Any) -> Any:
        outcome = await self.call(operation, command, **more)
        assert outcome.code == "ok", outcome
        return outcome.result

    async def discover(self, network: str = "ethereum", **more: Any) -> Any:
        return await self.ok("addresses.discover", {"wallet_id": self.wallet, "network": network, **more})

    async def until(self, discovery: str, *states: str, error: str | None = None, least: int = 0) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            found = await self.ok("addresses.discovery", {"wallet_id": self.wallet, "discovery_id": discovery})
            if found["state"] in states and found.get("error") == error and found["checked"] >= least:
                return found
            assert time.monotonic() < end, found
            await asyncio.sleep(0.02)

    async def listed(self, network: str = "ethereum") -> list[tuple[int, int]]:
        found = await self.ok("addresses.list", {"wallet_id": self.wallet, "network": network, "limit": 200})
        return [(each.get("change", 0), each.get("index", 0)) for each in found["addresses"]]

    async def next(self) -> int:
        found = await self.ok("addresses.next", {"wallet_id": self.wallet, "network": "ethereum"})
        return int(found["index"])


@pytest.fixture(params=["http", "grpc"])
async def finder(request: pytest.FixtureRequest, new_service: NewService) -> AsyncIterator[Finder]:
    async with new_service(**QUICK) as service:
        yield await Finder(service, getattr(service, request.param)).prepare()


one_face = pytest.mark.parametrize("finder", ["http"], indirect=True)
USED = {ours(0), ours(5), ours(24), ours(3, 1)}
FOUND = [(0, 0), (0, 5), (0, 24), (1, 3)]
LOOKED = 45 + 24


async def findings(finder: Finder) -> set[str]:
    reconciler = Reconciler(finder.service.admin.storage, finder.service.admin.authenticity.audit_key)
    found: set[str] = set()
    cursor: str | None = None
    while True:
        part = await reconciler.slice(cursor, 500)
        found |= {each.kind for each in part.findings}
        cursor = part.cursor
        if cursor is None:
            return found


async def test_everything_that_was_used_is_handed_out(finder: Finder) -> None:
    finder.fake.used_addresses = USED
    began = await finder.discover()
    assert (began["state"], began["gap"], began["budget"]) == ("running", 20, 1000)
    ended = await finder.until(began["id"], "done")
    assert (ended["checked"], ended["used"], ended["budget"]) == (LOOKED, 4, 1000 - LOOKED)
    assert await finder.listed() == FOUND
    assert len(finder.fake.looked_at) == len(set(finder.fake.looked_at)) == LOOKED
    assert [await finder.next() for _ in range(2)] == [25, 26]
    again = await finder.ok("addresses.find", {"network": "ethereum", "address": ours(24)})
    assert again["addresses"][0]["wallet_id"] == finder.wallet
    audited = await finder.service.audit(operation="addresses.discover")
    background = [each for each in audited if each["request_id"] == "background"]
    wrote = [tuple(row[1:]) for each in background for row in each["details"].get("wrote", {}).get("addresses", ())]
    assert sorted(wrote) == FOUND
    assert background[0]["details"]["state"] == "done" or background[-1]["details"]["state"] == "done"
    assert len({each["principal_id"] for each in audited}) == 1  # of the caller that asked
    assert await findings(finder) == set()


async def test_a_budget_that_is_used_up_is_said_and_can_be_continued(finder: Finder) -> None:
    finder.fake.used_addresses, finder.fake.at_once = USED, 3
    began = await finder.discover(budget=10)
    for spent in (10, 20, 30):
        stopped = await finder.until(began["id"], "stopped")
        assert (stopped["reason"], stopped["checked"], stopped.get("budget", 0)) == ("budget", spent, 0)
        on = await finder.discover(budget=10 if spent < 30 else 1000)
        assert (on["id"], on["state"], on["checked"]) == (began["id"], "running", spent)
    ended = await finder.until(began["id"], "done")
    assert (ended["checked"], ended["used"]) == (LOOKED, 4)
    assert len(finder.fake.looked_at) == len(set(finder.fake.looked_at)) == LOOKED
    assert await finder.listed() == FOUND


async def test_one_that_runs_is_not_begun_twice(finder: Finder) -> None:
    finder.fake.away = True
    first = await finder.discover(gap=5)
    second = await finder.discover(gap=9, budget=7)
    assert (second["id"], second["gap"], second["budget"]) == (first["id"], 5, 1000)
    tasks = (await finder.ok("tasks.list", {"kind": "discover"}))["tasks"]
    assert [each["key"] for each in tasks] == [first["id"]]


async def test_sources_that_are_down_are_waited_for(finder: Finder) -> None:
    finder.fake.used_addresses, finder.fake.away = USED, True
    began = await finder.discover()
    await finder.until(began["id"], "running", error="node_unavailable")
    finder.fake.away = False
    await finder.ok("tasks.retry", {"kind": "discover", "key": began["id"]})
    assert (await finder.until(began["id"], "done"))["used"] == 4


@one_face
async def test_it_stops_where_nothing_answers_for_hours_and_can_be_continued(finder: Finder) -> None:
    finder.fake.away = True
    began = await finder.discover()
    await finder.until(began["id"], "running", error="node_unavailable")
    with closing(sqlite3.connect(finder.service.settings.data_dir / "strongroom.db", timeout=60)) as database:
        database.execute("UPDATE tasks SET attempts = 299 WHERE kind = 'discover'")
        database.commit()
    await finder.ok("tasks.retry", {"kind": "discover", "key": began["id"]})
    assert (await finder.until(began["id"], "stopped"))["reason"] == "failed"
    finder.fake.away = False
    await finder.discover()
    await finder.until(began["id"], "done")


@one_face
async def test_no_used_address_is_given_while_it_is_found(finder: Finder) -> None:
    """The counter moves just before the step moves it."""
    finder.fake.used_addresses = USED
    given: list[int] = []

    async def meanwhile() -> None:
        given.append(await finder.next())

    finder.fake.meanwhile = meanwhile
    began = await finder.discover()
    await finder.until(began["id"], "done")
    assert given == [1]
    assert await finder.next() == 25
    assert await finder.listed() == sorted([*FOUND, (0, 1), (0, 25)])


async def test_hardened_indexes_are_walked_with_keys_of_the_request(finder: Finder) -> None:
    other = await finder.ok("wallets.import", {"kind": "bip39", "mnemonic": MNEMONIC})
    where = {"wallet_id": other["id"], "network": "solana"}
    finder.sol.used_addresses = {
        (await finder.ok("addresses.derive", where | {"index": index}))["address"] for index in (50, 110)
    }
    began = await finder.discover("solana", gap=100)
    stopped = await finder.until(began["id"], "stopped")
    assert (stopped["reason"], stopped["checked"], stopped["used"]) == ("keys", 100, 1)
    assert await finder.listed("solana") == [(0, 50)]
    await finder.discover("solana")
    ended = await finder.until(began["id"], "stopped", "done")
    assert (ended["state"], ended["checked"], ended["used"]) == ("stopped", 200, 2)
    await finder.discover("solana")
    ended = await finder.until(began["id"], "done")
    assert (ended["checked"], ended["used"]) == (211, 2)
    assert await finder.listed("solana") == [(0, 50), (0, 110)]
    found = await finder.ok("addresses.next", {"wallet_id": finder.wallet, "network": "solana"})
    assert found["index"] == 111
    assert await findings(finder) == set()


@one_face
async def test_an_archived_wallet_is_walked_no_further(finder: Finder) -> None:
    finder.fake.away = True
    began = await finder.discover()
    await finder.ok("wallets.archive", {"wallet_id": finder.wallet})
    await finder.ok("tasks.retry", {"kind": "discover", "key": began["id"]})
    assert (await finder.until(began["id"], "stopped"))["reason"] == "archived"
    refused = await finder.call("addresses.discover", {"wallet_id": finder.wallet, "network": "ethereum"})
    assert refused.code == "wallet_archived"


async def test_import_can_ask_for_it(finder: Finder) -> None:
    finder.fake.used_addresses = USED
    address = {"wallet_id": finder.wallet, "network": "solana", "index": 4}
    finder.sol.used_addresses = {(await finder.ok("addresses.derive", address))["address"]}
    await finder.prepare(networks=["ethereum", "solana"], discover=True)
    for network, scheme, used in ((ETH, "bip44", 4), (SOL, "phantom", 1)):
        ended = await finder.until(str(discovery_id(UUID(finder.wallet), network, scheme, 0)), "done")
        assert ended["used"] == used
    assert await finder.listed() == FOUND
    assert await finder.listed("solana") == [(0, 0), (0, 4)]
    raw = {"kind": "raw_key", "keyspace": "evm", "format": "hex", "key": "11" * 32, "networks": ["ethereum"]}
    await finder.ok("wallets.import", raw | {"discover": True})  # it has one address


async def test_the_operator_sets_the_usual_gap(new_service: NewService) -> None:
    async with new_service(**QUICK, NODES__GAP="3") as service:
        finder = await Finder(service, service.http).prepare()
        began = await finder.discover()
        ended = await finder.until(began["id"], "done")
        assert (began["gap"], ended["checked"]) == (3, 6)
        assert (await finder.discover(gap=5))["gap"] == 5
        await finder.until(began["id"], "done")
        assert (await finder.discover())["gap"] == 5  # that of the previous discovery
        await finder.until(began["id"], "done")
        await finder.prepare(discover=True)
        ended = await finder.until(str(discovery_id(*_place(finder))), "done")
        assert (ended["gap"], ended["checked"]) == (3, 6)


async def test_the_operator_sets_the_rate(new_service: NewService) -> None:
    """The next step is due after as many seconds as the source looked at addresses."""
    async with new_service(**QUICK | {"NODES__DISCOVERY_RATE": "1"}) as service:
        finder = await Finder(service, service.http).prepare()
        finder.fake.at_once = 15
        began = await finder.discover()
        await finder.until(began["id"], "running", least=1)
        [task] = (await finder.ok("tasks.list", {"kind": "discover"}))["tasks"]
        pause = datetime.fromisoformat(task["due_at"]) - datetime.fromisoformat(began["created_at"])
        assert len(finder.fake.looked_at) == 15
        assert pause >= timedelta(seconds=15)


async def test_what_it_needs(finder: Finder) -> None:
    command = {"wallet_id": finder.wallet, "network": "ethereum"}
    for scopes, code in (
        (["addresses:derive"], "forbidden"),
        (["balances:read", "addresses:read"], "forbidden"),
        (["addresses:derive", "balances:read"], "ok"),
    ):
        key = await finder.service.new_key(scopes)
        outcome = await finder.call("addresses.discover", command, key=key)
        assert outcome.code == code, scopes
    await finder.until(outcome.result["id"], "done")  # it leaves an audit record, at whatever time
    key = await finder.service.new_key(["wallets:import"])
    importing = {"kind": "bip39", "mnemonic": MNEMONIC, "networks": ["ethereum"]}
    assert (await finder.call("wallets.import", importing | {"discover": True}, key=key)).code == "forbidden"
    assert (await finder.call("wallets.import", importing, key=key)).code == "ok"
    finder.fake.able = frozenset(Capability) - {Capability.USED}
    audited = len(await finder.service.audit())
    for operation, asked in (
        ("addresses.discover", command),
        ("addresses.discover", command | {"account": 7}),
        ("wallets.import", importing | {"discover": True}),
    ):
        refused = await finder.call(operation, asked)
        assert (refused.code, refused.field) == ("source_missing", "network")
    assert len(await finder.service.audit()) == audited  # nothing was opened or made


async def test_another_account_is_a_walk_of_its_own(finder: Finder) -> None:
    found = [await finder.discover(account=account) for account in (0, 1)]
    assert len({each["id"] for each in found}) == 2
    for each in found:
        await finder.until(each["id"], "done")
    assert len(set(finder.fake.looked_at)) == 80


async def test_an_idempotency_key_gives_the_first_answer_again(finder: Finder) -> None:
    command = {"wallet_id": finder.wallet, "network": "ethereum"}
    first = await finder.ok("addresses.discover", command, idempotency_key="d-1")
    await finder.until(first["id"], "done")
    looked = len(finder.fake.looked_at)
    assert await finder.ok("addresses.discover", command, idempotency_key="d-1") == first
    assert len(finder.fake.looked_at) == looked
    assert await finder.service.admin.storage.discovery(TENANT, discovery_id(*_place(finder))) is not None


@one_face
async def test_rows_that_are_gone_older_or_edited(finder: Finder) -> None:
    finder.fake.used_addresses = USED
    began = await finder.discover(budget=10)
    where = {"wallet_id": finder.wallet, "discovery_id": began["id"]}
    await finder.until(began["id"], "stopped")
    with closing(sqlite3.connect(finder.service.settings.data_dir / "strongroom.db", timeout=60)) as database:
        older = database.execute("SELECT * FROM discoveries").fetchone()
        await finder.discover()
        ended = await finder.until(began["id"], "done")
        database.execute("UPDATE discoveries SET account = 7")
        database.commit()
        assert (await finder.call("addresses.discovery", where)).code == "integrity_violation"
        refused = await finder.call("addresses.discover", {"wallet_id": finder.wallet, "network": "ethereum"})
        assert refused.code == "integrity_violation"
        assert await findings(finder) == {"row_changed"}
        database.execute("DELETE FROM discoveries")
        database.execute(f"INSERT INTO discoveries VALUES ({', '.join('?' * len(older))})", older)
        database.commit()
    await finder.discover(budget=1000)
    again = await finder.until(began["id"], "done")
    assert (again["checked"], again["used"]) == (ended["checked"], ended["used"])
    assert await finder.listed() == FOUND
    assert await findings(finder) == set()


def _place(finder: Finder) -> Any:
    return (UUID(finder.wallet), ETH, "bip44", 0)
