"""A Solana node that lies about each call in each way. surfpool gives the truth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from solders.keypair import Keypair

from strongroom.domain.asset import coin_of
from strongroom.domain.secret import Secret
from strongroom.rpc.base import NodeError, Tracked, Verdict
from strongroom.rpc.http import Http, Work
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.solana.node import Node
from strongroom.rpc.solana.verdicts import classify
from tests.support.liar import LIES, Liar, Lie, lying_http, result, weighed
from tests.support.solana_chain import (
    SOL,
    associated,
    holder,
    network,
    pay,
    pay_tokens,
    plant_mint,
    plant_tokens,
    setup,
    signed,
    token,
)
from tests.support.surfpool import Surfpool

pytestmark = pytest.mark.needs("surfpool")

MOST = 8 << 20
LONG = dict.fromkeys(Work, 30.0)
SHORT = dict.fromkeys(Work, 3.0)
Ask = Callable[[Node], Awaitable[Any]]


class Recorded:
    """Replays one response of surfpool per question, all as of one slot, so that a hundred lies need it only once.

    The first available block is made up, because surfpool has no ledger. Transactions are not sent on, because the
    first of many lies would already execute them.
    """

    def __init__(self, surfpool: Surfpool, sent: str) -> None:
        self._surfpool = surfpool
        self._slot: int = surfpool.call("getLatestBlockhash")["context"]["slot"]
        self._answers: dict[str, Any] = {
            "sendTransaction": sent, "getFirstAvailableBlock": 5000, "getBlock": {"blockHeight": 0},
        }  # fmt: skip

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        name, params = asked["method"], asked["params"]
        same = [{k: v for k, v in p.items() if k != "minContextSlot"} if isinstance(p, dict) else p for p in params]
        place = name if name in self._answers else json.dumps([name, same])
        if place not in self._answers:
            self._answers[place] = self._at_the_slot(name, params, self._surfpool.call(name, *params))
        return 200, json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": self._answers[place]}).encode()

    def _at_the_slot(self, method: str, params: list[Any], found: Any) -> Any:
        if method == "getSlot":
            return self._slot if params[0]["commitment"] == "confirmed" else min(found, self._slot)
        if method == "getEpochInfo":
            return {**found, "absoluteSlot": min(found["absoluteSlot"], self._slot)}
        if isinstance(found, dict) and "context" in found:
            return {**found, "context": {**found["context"], "slot": self._slot}}
        return found


class World:
    """The things to ask about."""

    def __init__(self, surfpool: Surfpool) -> None:
        self.genesis: str = surfpool.call("getGenesisHash")
        payer = Keypair()
        surfpool.fund(str(payer.pubkey()))
        mint = plant_mint(surfpool, payer.pubkey())
        ours, theirs = associated(payer.pubkey(), mint), Keypair().pubkey()
        plant_tokens(surfpool, ours, mint, payer.pubkey(), 1000)
        plant_tokens(surfpool, theirs, mint, Keypair().pubkey(), 0)
        self.token = token(mint)
        self.holder = holder(payer.pubkey())
        self.sent = surfpool.send(signed(surfpool, payer, pay_tokens(ours, theirs, payer.pubkey(), 3))[0])
        self.raw, self.ids = signed(surfpool, payer, pay(payer, Keypair().pubkey(), SOL))
        self.recorded = Recorded(surfpool, self.ids.tx_ids[0])
        self.questions = self._questions()

    def node(self, liar: Liar, lie: Lie | None) -> Node:
        seconds = SHORT if lie is not None and "slow" in lie.causes else LONG
        http = Http(Secret(liar.url), seconds=seconds)
        return Node(setup(self.genesis, self.token), JsonRpc(http, classify))

    def _questions(self) -> dict[str, Ask]:
        """By a call that each makes."""
        unknown = Tracked("1" * 64, valid_until_height=0)
        coin = coin_of(network())
        return {
            "getGenesisHash": lambda node: node.pin(),
            "getLatestBlockhash": lambda node: node.head(),
            "getSlot": lambda node: node.head(),
            "getMultipleAccounts": lambda node: node.balances([self.holder], [coin, self.token]),
            "getMinimumBalanceForRentExemption": lambda node: node.balances([self.holder], [coin]),
            "getTokenAccountsByOwner": lambda node: node.tokens(self.holder),
            "getSignaturesForAddress": lambda node: node.history(self.holder, begin=None, most=10),
            "getTransaction": lambda node: node.history(self.holder, begin=None, most=10),
            "getRecentPrioritizationFees": lambda node: node.fees(),
            "sendTransaction": lambda node: node.broadcast(self.raw, self.ids),
            "getSignatureStatuses": lambda node: node.status(Tracked(self.sent)),
            "getEpochInfo": lambda node: node.status(unknown),
            "getFirstAvailableBlock": lambda node: node.status(unknown),
            "getBlock": lambda node: node.status(unknown),
        }


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Surfpool() as running:
        yield World(running)


@pytest.fixture
async def liar(world: World) -> AsyncIterator[Liar]:
    async with lying_http(world.recorded.answer) as found:
        yield found


async def outcome(world: World, liar: Liar, ask: Ask, lie: Lie | None) -> Any:
    """The result or the NodeError, within a minute and without following redirects."""
    node = world.node(liar, lie)
    try:
        async with asyncio.timeout(60):
            return await ask(node)
    except NodeError as error:
        return error
    finally:
        await node.close()
        assert liar.trapped == 0


def assert_right(lie: Lie, found: Any) -> None:
    if lie.causes:
        assert isinstance(found, NodeError), lie
        assert (found.verdict, found.cause in lie.causes | {"bad_id"}) == (Verdict.BROKEN, True), (lie, found)
    else:
        assert not isinstance(found, NodeError), (lie, found)


CALLS = (
    "getGenesisHash", "getLatestBlockhash", "getSlot", "getMultipleAccounts", "getMinimumBalanceForRentExemption",
    "getTokenAccountsByOwner", "getSignaturesForAddress", "getTransaction", "getRecentPrioritizationFees",
    "sendTransaction", "getSignatureStatuses", "getEpochInfo", "getFirstAvailableBlock", "getBlock",
)  # fmt: skip


QUICK = [lie for lie in LIES.values() if "slow" not in lie.causes]
SLOW = [lie for lie in LIES.values() if "slow" in lie.causes]


@pytest.mark.parametrize("call", CALLS)
async def test_lies_of_transport(call: str, world: World, liar: Liar) -> None:
    for lie in QUICK:
        liar.tell(lie, about=f'"{call}"'.encode())
        told = liar.told
        with weighed(lie) as memory:
            found = await outcome(world, liar, world.questions[call], lie)
        assert memory.bytes <= MOST, lie
        assert liar.told > told, lie
        assert_right(lie, found)
    assert set(world.questions) == set(CALLS)


@pytest.mark.parametrize("lie", SLOW, ids=repr)
async def test_lies_that_take_their_time(lie: Lie, world: World) -> None:
    """About every call at once."""

    async def ask(call: str) -> None:
        async with lying_http(world.recorded.answer) as liar:
            liar.tell(lie, about=f'"{call}"'.encode())
            assert_right(lie, await outcome(world, liar, world.questions[call], lie))
            assert liar.told, call

    await asyncio.gather(*map(ask, CALLS))


def many(old: int) -> int:
    return old * 10**9


LYING, BROKEN, ELSEWHERE = Verdict.LYING, Verdict.BROKEN, Verdict.ELSEWHERE
OTHER_KEY = "So11111111111111111111111111111111111111112"


@pytest.mark.parametrize(
    ("call", "path", "value", "verdict"),
    [
        ("getGenesisHash", (), OTHER_KEY, LYING),
        ("getGenesisHash", (), "", BROKEN),
        ("getLatestBlockhash", ("context", "slot"), -1000, LYING),
        ("getLatestBlockhash", ("context", "slot"), 2**60, LYING),
        ("getLatestBlockhash", ("context", "slot"), lambda old: old + 10**6, ELSEWHERE),
        ("getLatestBlockhash", ("context", "slot"), "7", BROKEN),
        ("getLatestBlockhash", ("value", "blockhash"), "x", BROKEN),
        ("getSlot", (), -1, LYING),
        ("getSlot", (), 7.0, BROKEN),
        ("getSlot", (), True, BROKEN),
        ("getSlot", (), None, BROKEN),
        ("getMultipleAccounts", ("value",), [], BROKEN),
        ("getMultipleAccounts", ("value",), lambda old: [*old, None], BROKEN),
        ("getMultipleAccounts", ("value",), lambda old: [None] * len(old), BROKEN),  # there is always a clock
        ("getMultipleAccounts", ("value", ..., "lamports"), lambda old: old * 10**12 + 10**19, LYING),
        ("getMultipleAccounts", ("value", ..., "lamports"), -1, LYING),
        ("getMultipleAccounts", ("value", ..., "lamports"), "7", BROKEN),
        ("getMultipleAccounts", ("value", ..., "owner"), "x", BROKEN),
        ("getMultipleAccounts", ("value", ..., "data"), ["!", "base64"], BROKEN),
        ("getMultipleAccounts", ("value", ..., "data", 1), "base58", BROKEN),
        ("getMultipleAccounts", ("value", ..., "data", 0), "A" * 4000, BROKEN),
        ("getMultipleAccounts", ("value", ..., "data", 0), "/" * 55 + "8=", BROKEN),
        ("getMultipleAccounts", ("context", "slot"), -1000, LYING),
        ("getMultipleAccounts", ("context", "slot"), 0, ELSEWHERE),
        ("getMinimumBalanceForRentExemption", (), -1, LYING),
        ("getMinimumBalanceForRentExemption", (), many, LYING),
        ("getMinimumBalanceForRentExemption", (), 1.5, BROKEN),
        ("getTokenAccountsByOwner", ("value", ..., "account", "owner"), OTHER_KEY, LYING),
        ("getTokenAccountsByOwner", ("value", ..., "account", "data", 0), "A" * 142 + "E=", LYING),
        ("getTokenAccountsByOwner", ("value",), lambda old: [*old, *old], BROKEN),
        ("getTokenAccountsByOwner", ("value", ..., "pubkey"), "x", BROKEN),
        ("getTokenAccountsByOwner", ("context", "slot"), 0, ELSEWHERE),
        ("getSignaturesForAddress", (..., "slot"), -1, LYING),
        ("getSignaturesForAddress", (..., "slot"), lambda old: old + 10**6, ELSEWHERE),
        ("getSignaturesForAddress", (..., "signature"), "x", BROKEN),
        ("getSignaturesForAddress", (..., "signature"), "1" * 64, ELSEWHERE),
        ("getSignaturesForAddress", (), lambda old: old * 12, BROKEN),
        ("getTransaction", (), None, ELSEWHERE),
        ("getTransaction", ("transaction", "signatures"), ["1" * 64], LYING),
        ("getTransaction", ("transaction", "signatures"), [], LYING),
        ("getTransaction", ("transaction", "message", "accountKeys"), lambda old: old[1:], BROKEN),
        ("getTransaction", ("transaction", "message", "accountKeys", 0), OTHER_KEY, None),
        ("getTransaction", ("meta", "preBalances", 0), many, LYING),
        ("getTransaction", ("meta", "postBalances", 0), -1, LYING),
        ("getTransaction", ("meta", "fee"), 2**256 - 1, LYING),
        ("getTransaction", ("meta", "fee"), -1, LYING),
        ("getTransaction", ("meta", "postTokenBalances", ..., "uiTokenAmount", "amount"), "1e3", BROKEN),
        ("getTransaction", ("meta", "postTokenBalances", ..., "uiTokenAmount", "amount"), "-5", BROKEN),
        ("getTransaction", ("meta", "postTokenBalances", ..., "uiTokenAmount", "amount"), "9" * 20, LYING),
        ("getTransaction", ("meta", "postTokenBalances", ..., "uiTokenAmount", "decimals"), -1, LYING),
        ("getTransaction", ("meta", "postTokenBalances", ..., "uiTokenAmount", "decimals"), "6", BROKEN),
        ("getTransaction", ("meta", "postTokenBalances", ..., "accountIndex"), 99, BROKEN),
        ("getTransaction", ("meta", "postTokenBalances", ..., "mint"), "x", BROKEN),
        ("getTransaction", ("slot",), lambda old: old + 1, ELSEWHERE),
        ("getRecentPrioritizationFees", (), [{"slot": 1, "prioritizationFee": 2**256 - 1}], LYING),
        ("getRecentPrioritizationFees", (), [{"slot": 1, "prioritizationFee": -1}], LYING),
        ("getRecentPrioritizationFees", (), [{"slot": 1, "prioritizationFee": 0.5}], BROKEN),
        ("sendTransaction", (), "1" * 64, LYING),
        ("sendTransaction", (), "", LYING),
        ("getSignatureStatuses", ("value",), [], BROKEN),
        ("getSignatureStatuses", ("value",), lambda old: [*old, None], BROKEN),
        ("getSignatureStatuses", ("value", ..., "slot"), -1, LYING),
        ("getSignatureStatuses", ("value", ..., "slot"), lambda old: old + 10**6, LYING),
        ("getSignatureStatuses", ("value", ..., "slot"), lambda old: old - 1, ELSEWHERE),
        ("getSignatureStatuses", ("value", ..., "err"), "AccountNotFound", ELSEWHERE),
        ("getSignatureStatuses", ("context", "slot"), 0, LYING),
        ("getEpochInfo", ("blockHeight",), -1, LYING),
        ("getEpochInfo", ("blockHeight",), 2**63, LYING),
        ("getEpochInfo", ("absoluteSlot",), 10**9, ELSEWHERE),
    ],
)  # fmt: skip
async def test_lies_of_content(
    call: str, path: tuple[Any, ...], value: object, verdict: Verdict | None, world: World, liar: Liar
) -> None:
    liar.tell(result(value, *path), about=f'"{call}"'.encode())
    found = await outcome(world, liar, world.questions[call], None)
    assert liar.told
    assert isinstance(found, NodeError) if verdict else not isinstance(found, NodeError), found
    if verdict:
        assert found.verdict is verdict
