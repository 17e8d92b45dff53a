"""Three nodes of Ethereum over HTTP, as they are configured: who is asked how often when they fail, each in its way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from strongroom.domain.secret import Secret
from strongroom.errors import NodeUnavailable, TransactionRejected
from strongroom.rpc.base import Setup
from strongroom.rpc.endpoint import Endpoint
from strongroom.rpc.evm.node import Node
from strongroom.rpc.evm.verdicts import classify
from strongroom.rpc.heads import Heads
from strongroom.rpc.http import Http, Work
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.pool import Pool
from tests.support.clock import Clock
from tests.support.liar import lying_http
from tests.unit.rpc.scripted import COIN, ETHEREUM, IDS

START = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = dict.fromkeys(Work, 60.0)
INTERVAL = 6.0
"""Seconds after which an open circuit lets one call through, and a little more."""

Reply = Callable[[dict[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]


def error(code: int, message: str) -> Reply:
    async def reply(asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"error": {"code": code, "message": message}}

    return reply


async def broken(asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 500, {}


async def limited(asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 429, {}


async def hung(asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    await asyncio.Event().wait()
    raise AssertionError


@dataclass
class Ethereum:
    """A node that has no transactions."""

    height: int = 1000
    replies: dict[str, Reply] = field(default_factory=dict)
    """By method, in place of the usual ones; ``*`` of all."""
    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        if isinstance(asked, list):
            told = [await self._one(each) for each in asked]
            return told[0][0], json.dumps([each for _, each in told]).encode()
        status, one = await self._one(asked)
        return status, json.dumps(one).encode()

    async def _one(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        method = asked["method"]
        self.asked[method] += 1
        reply = self.replies.get(method) or self.replies.get("*") or self._usual
        status, found = await reply(asked)
        return status, {"jsonrpc": "2.0", "id": asked["id"], **found}

    async def _usual(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if asked["method"] == "eth_chainId":
            return 200, {"result": "0x1"}
        if asked["method"] != "eth_getBlockByNumber":
            return 200, {"result": None}
        height = self.height - (64 if asked["params"][0] == "finalized" else 0)
        time = int((START + timedelta(seconds=12 * (height - 1000))).timestamp())
        return 200, {"result": {"number": hex(height), "hash": f"0x{height:064x}", "timestamp": hex(time)}}


def _longest(low: float, high: float) -> float:
    return high


@dataclass
class Three:
    nodes: list[Ethereum]
    pool: Pool
    clock: Clock
    https: list[Http]

    def wait_for(self, at: int, seconds: float) -> None:
        """How long for an answer of one of them."""
        self.https[at]._seconds = dict.fromkeys(Work, seconds)

    def asked(self, method: str) -> list[int]:
        return [node.asked[method] for node in self.nodes]

    def open_circuits(self) -> int:
        return sum(state != "closed" for each in self.pool.describe() for state in each.circuits.values())


@pytest.fixture
async def three() -> AsyncIterator[Three]:
    clock = Clock()
    began = clock.now

    def wall() -> datetime:
        return START + timedelta(seconds=clock.now - began)

    async with AsyncExitStack() as stack:
        nodes, https, endpoints = [Ethereum() for _ in range(3)], [], []
        for at, node in enumerate(nodes):
            liar = await stack.enter_async_context(lying_http(node.answer))
            https.append(Http(Secret(liar.url), seconds=SECONDS))
            source = Node(Setup(ETHEREUM, COIN, {}, "1"), JsonRpc(https[at], classify, batch=100))
            endpoints.append(Endpoint(ETHEREUM, source, name="abc"[at], priority=at, clock=clock, uniform=_longest))
        pool = Pool(ETHEREUM, endpoints, heads=lambda of: Heads(of, now=wall, clock=clock))
        stack.push_async_callback(pool.close)
        yield Three(nodes, pool, clock, https)


@pytest.mark.parametrize(("code", "times"), [(-32603, 100), (-32000, 10), (-32003, 10)])
async def test_a_hundred_times_nonce_too_low(three: Three, code: int, times: int) -> None:
    """One call each, and nobody is taken for broken, whichever code comes with the words."""
    for node in three.nodes:
        node.replies["eth_sendRawTransaction"] = error(code, "nonce too low: next nonce 5, tx nonce 4")
    for _ in range(times):
        with pytest.raises(TransactionRejected) as caught:
            await three.pool.broadcast("0x00", IDS)
        assert caught.value.reason == "nonce_used"
    assert sum(three.asked("eth_sendRawTransaction")) == times
    assert three.open_circuits() == 0


async def test_one_with_too_many_requests(three: Three) -> None:
    three.nodes[0].replies["*"] = limited
    for _ in range(10):
        assert (await three.pool.head()).height == 1000
    assert [node.asked.total() > 0 for node in three.nodes] == [True, True, False]
    assert three.asked("eth_chainId")[0] == 1  # left alone since
    assert three.open_circuits() == 0
    assert three.pool.describe()[0].state == "cooling"


async def test_one_behind(three: Three) -> None:
    three.nodes[0].height -= 30
    three.nodes[0].replies["eth_getBlockByNumber"] = error(-32000, "header not found")
    three.clock.now += 1
    assert (await three.pool.head()).height == 1000  # of the second, as the first one does not know
    del three.nodes[0].replies["eth_getBlockByNumber"]
    found = [(await three.pool.head()).height for _ in range(5)]
    assert found == [1000] * 5
    assert three.pool.describe()[0].state == "behind"
    assert three.open_circuits() == 0


async def test_one_hung(three: Three) -> None:
    three.nodes[0].replies["*"] = hung
    three.wait_for(0, 0.3)
    for _ in range(8):
        assert (await three.pool.head()).height == 1000
    assert three.asked("eth_chainId")[0] == 5  # then its circuit is open
    assert three.open_circuits() == 1


@pytest.mark.parametrize("failure", [broken, hung])
async def test_all_down_and_well_again(three: Three, failure: Reply) -> None:
    """Said within the deadline; and when they are well again, they are asked again after two intervals at most."""
    for at, node in enumerate(three.nodes):
        node.replies["*"] = failure
        three.wait_for(at, 0.3 if failure is hung else 60)
    for _ in range(6):
        async with asyncio.timeout(30):
            with pytest.raises(NodeUnavailable) as caught:
                await three.pool.head()
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= INTERVAL
    assert three.open_circuits() == 3
    asked = sum(node.asked.total() for node in three.nodes)
    with pytest.raises(NodeUnavailable):
        await three.pool.head()
    assert sum(node.asked.total() for node in three.nodes) == asked  # at once, and without a call
    for at, node in enumerate(three.nodes):
        node.replies.clear()
        three.wait_for(at, 60)
    recovered = 0
    for _ in range(2):
        three.clock.now += INTERVAL
        for _ in range(3):
            recovered += (await three.pool.head()).height == 1000
    assert recovered == 6
