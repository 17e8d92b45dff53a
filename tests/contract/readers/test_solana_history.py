"""The history of a Solana address, over a ledger in memory whose node lists as nodes do at their worst."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from solders.keypair import Keypair

from strongroom.rpc.base import Entry, Holder, NodeError, Verdict
from strongroom.rpc.solana import history
from strongroom.rpc.solana.node import Node
from tests.support import solana_chain
from tests.support.fake_solana_ledger import FakeLedger
from tests.support.solana_chain import setup
from tests.support.tap import Tap


class Reading:
    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.tap = Tap()
        self.tap.before = ledger.answer
        self.node = Node(setup("x"), solana_chain.rpc("http://127.0.0.1:1", self.tap))
        self.holder: Holder = solana_chain.holder(ledger.owner)
        self.cannot_see: set[str] = set()

    async def all(self, most: int, *, meanwhile: int = 0) -> list[Entry]:
        """Read page by page, with this many new transactions between two pages."""
        found: list[Entry] = []
        begin = None
        while True:
            self.tap.calls.clear()
            page = await self.node.history(self.holder, begin=begin, most=most)
            assert self.tap.calls["getTransaction"] <= min(most, history.MOST_TRANSACTIONS)
            assert page.next is None or len(page.next) < 1024
            assert page.entries or page.next
            found += page.entries
            self.cannot_see |= set(page.cannot_see)
            if (begin := page.next) is None:
                return found
            for _ in range(meanwhile):
                self.ledger.add()

    def fresh(self, transactions: list[str]) -> set[tuple[str, str, int]]:
        """The signature, account and change of each transaction, from the ledger itself."""
        found = set()
        for signature in transactions:
            body = self.ledger.transactions[signature]
            meta, keys = body["meta"], body["transaction"]["message"]["accountKeys"]
            for key, before, after in zip(keys, meta["preBalances"], meta["postBalances"], strict=True):
                if key == str(self.ledger.owner):
                    found.add((signature, key, after - before))
            for before, after in zip(meta["preTokenBalances"], meta["postTokenBalances"], strict=True):
                change = int(after["uiTokenAmount"]["amount"]) - int(before["uiTokenAmount"]["amount"])
                found.add((signature, keys[before["accountIndex"]], change))
        return found


def seen(entries: list[Entry]) -> set[tuple[str, str, int]]:
    signs = {"in": 1, "out": -1, "self": 0}
    return {(e.tx_id, e.index.removeprefix("delta:"), signs[e.direction] * e.amount) for e in entries}


@pytest.fixture
async def readings() -> AsyncIterator[list[Reading]]:
    made: list[Reading] = []
    yield made
    for each in made:
        await each.node.close()


def reading(readings: list[Reading], ledger: FakeLedger) -> Reading:
    readings.append(Reading(ledger))
    return readings[-1]


@pytest.mark.parametrize("seed", range(12))
async def test_pages_are_the_whole_history(seed: int, readings: list[Reading]) -> None:
    """Any number in a slot, in any order, with repetitions, and while new ones arrive."""
    ledger = FakeLedger(seed)
    for _ in range(ledger.random.randint(0, 150)):
        ledger.add(slots=ledger.random.choice([0, 0, 0, 1, 3]))
    before = list(ledger.transactions)
    read = reading(readings, ledger)
    found = await read.all(ledger.random.choice([1, 2, 7, 100]), meanwhile=seed % 3)
    assert seen(found) == read.fresh(before)
    assert len({e.key for e in found}) == len(found)
    ranks = [(e.block.height, e.tx_id, e.index) for e in found if e.block]
    assert ranks == sorted(ranks, reverse=True)
    assert "gaps" not in read.cannot_see


async def test_thousands_of_signatures(readings: list[Reading]) -> None:
    """More than one listing. A page does not start from the top again."""
    ledger = FakeLedger(1, accounts=0)
    for _ in range(2500):
        ledger.add()
    read = reading(readings, ledger)
    begin, most = None, 0
    total = 0
    while True:
        read.tap.calls.clear()
        page = await read.node.history(read.holder, begin=begin, most=50)
        most = max(most, read.tap.calls["getSignaturesForAddress"])
        total += len(page.entries)
        if (begin := page.next) is None:
            break
    assert total == 2500
    assert most == 2


async def test_one_slot_that_fills_a_listing(readings: list[Reading]) -> None:
    ledger = FakeLedger(2, accounts=0)
    for number in range(1300):
        ledger.add(slots=number == 0)
    read = reading(readings, ledger)
    found = await read.all(50)
    assert len(found) == 1300


async def test_a_transaction_that_no_listing_has_is_a_gap(readings: list[Reading]) -> None:
    ledger = FakeLedger(3)
    for _ in range(30):
        ledger.add()
    read = reading(readings, ledger)
    ledger.lost = {ledger.listed[str(ledger.owner)][5]}
    await read.all(100)
    assert "gaps" in read.cannot_see


async def test_what_cannot_be_read_is_said(readings: list[Reading]) -> None:
    ledger = FakeLedger(4)
    for _ in range(10):
        ledger.add()
    unread = ledger.add(version=1)
    read = reading(readings, ledger)
    found = await read.all(100)
    assert unread not in {e.tx_id for e in found}
    assert "unreadable" in read.cannot_see


@pytest.mark.parametrize("ours", [False, True])
async def test_an_account_that_was_closed_and_opened_for_another_token(ours: bool, readings: list[Reading]) -> None:
    """Anybody can do this next to a payment to the wallet. It is two changes, and the history is still shown."""
    ledger = FakeLedger(8)
    signature, other = ledger.add(), str(Keypair().pubkey())
    meta = ledger.transactions[signature]["meta"]
    keys = ledger.transactions[signature]["transaction"]["message"]["accountKeys"]
    keys.append(other)
    owner = str(ledger.owner) if ours else other
    for side, mint, amount in (("pre", str(ledger.mint), "3"), ("post", other, "4")):
        meta[f"{side}Balances"].append(5)
        meta[f"{side}TokenBalances"].append(
            {"accountIndex": len(keys) - 1, "mint": mint, "owner": owner,
             "uiTokenAmount": {"amount": amount, "decimals": 6}}
        )  # fmt: skip
    read = reading(readings, ledger)
    found = {each for each in seen(await read.all(100)) if each[1] == other}
    assert found == ({(signature, other, -3), (signature, other, 4)} if ours else set())
    assert len({each.key for each in await read.all(100)}) == len(await read.all(100))


async def test_accounts_beyond_the_limit_are_said(readings: list[Reading]) -> None:
    ledger = FakeLedger(5, accounts=history.MOST_ACCOUNTS + 5)
    for _ in range(5):
        ledger.add()
    read = reading(readings, ledger)
    await read.all(100)
    assert read.tap.calls["getSignaturesForAddress"] == history.MOST_ACCOUNTS
    assert "accounts" in read.cannot_see


async def test_a_listing_that_goes_in_circles_ends(readings: list[Reading]) -> None:
    ledger = FakeLedger(6, accounts=0)
    for _ in range(1100):
        ledger.add(slots=0)
    read = reading(readings, ledger)
    first = await read.node.history(read.holder, begin=None, most=1)
    read.tap.after = lambda asked, answer: (
        answer
        if asked["method"] != "getSignaturesForAddress" or "before" not in asked["params"][1]
        else answer | {"result": ledger.signatures(str(ledger.owner), {"limit": 1000})}
    )
    with pytest.raises(NodeError) as caught:
        await read.node.history(read.holder, begin=first.next, most=1)
    assert caught.value.verdict is Verdict.BROKEN


async def test_a_forgotten_place_is_not_the_end(readings: list[Reading]) -> None:
    ledger = FakeLedger(7, accounts=0)
    for _ in range(1200):
        ledger.add()
    read = reading(readings, ledger)
    begin, hint = None, ""
    while not hint:
        begin = (await read.node.history(read.holder, begin=begin, most=50)).next
        assert begin is not None
        hint = begin.partition(".")[2]
    ledger.lost.add(hint)
    del ledger.transactions[hint]
    ledger.listed[str(ledger.owner)].remove(hint)
    with pytest.raises(NodeError) as caught:
        await read.node.history(read.holder, begin=begin, most=50)
    assert (caught.value.verdict, caught.value.cause) == (Verdict.ELSEWHERE, "unknown_cursor")


@pytest.mark.parametrize(
    "begin", ["", "x", "1", "1:", "1:abc", "-1:" + "1" * 64, "1:" + "1" * 64 + ":abc", "9" * 17 + ":" + "1" * 64]
)
async def test_no_cursor_of_ours(begin: str, readings: list[Reading]) -> None:
    ledger = FakeLedger(8)
    ledger.add()
    with pytest.raises(NodeError) as caught:
        await reading(readings, ledger).node.history(solana_chain.holder(ledger.owner), begin=begin, most=5)
    assert caught.value.verdict is Verdict.OURS


@pytest.mark.parametrize(
    ("lie", "verdict"),
    [
        ({"slot": 7}, Verdict.ELSEWHERE),
        ({"transaction": {"signatures": ["1" * 64], "message": {"accountKeys": ["1" * 32]}}}, Verdict.LYING),
        ({"meta": {"fee": -1, "preBalances": [1], "postBalances": [1]}}, Verdict.BROKEN),
        ({"blockTime": 10**18}, Verdict.LYING),
        ({"slot": -1}, Verdict.LYING),
    ],
)
async def test_a_transaction_that_is_not_what_was_asked_for(
    lie: dict[str, object], verdict: Verdict, readings: list[Reading]
) -> None:
    ledger = FakeLedger(9)
    ledger.add()
    read = reading(readings, ledger)
    read.tap.after = lambda asked, answer: (
        answer | {"result": answer["result"] | lie} if asked["method"] == "getTransaction" else answer
    )
    with pytest.raises(NodeError) as caught:
        await read.node.history(read.holder, begin=None, most=5)
    assert caught.value.verdict is verdict


async def test_a_transaction_of_somebody_else_is_a_lie(readings: list[Reading]) -> None:
    ledger = FakeLedger(10)
    signature = ledger.add()
    ledger.transactions[signature]["transaction"]["message"]["accountKeys"] = [
        str(Keypair().pubkey()) for _ in ledger.transactions[signature]["meta"]["preBalances"]
    ]
    read = reading(readings, ledger)
    with pytest.raises(NodeError) as caught:
        await read.node.history(read.holder, begin=None, most=5)
    assert caught.value.verdict is Verdict.LYING
