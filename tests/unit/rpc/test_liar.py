"""What transports make of a node that lies: the right verdict, in time, in little memory, and nothing followed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from strongroom.domain.secret import Secret
from strongroom.rpc.base import Head, NodeError, Verdict
from strongroom.rpc.endpoint import Endpoint
from strongroom.rpc.http import Http, Work
from strongroom.rpc.jsonrpc import JsonRpc, Question
from strongroom.rpc.lines import Lines
from strongroom.rpc.pool import Pool
from tests.support.liar import BATCH_LIES, LIES, Lie, changed, lying_http, lying_lines, peak, result
from tests.unit.rpc.scripted import ETHEREUM, Scripted, head

MOST = 8 << 20
SECONDS = dict.fromkeys(Work, 20.0)
SHORT = dict.fromkeys(Work, 0.5)
BATCH = [Question("m", [n]) for n in range(4)]


@pytest.fixture(autouse=True)
def usual_recursion() -> Iterator[None]:
    """Second implementations raise the limit for the whole process, and the decoder overflows the stack then."""
    raised = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(raised)


def echo(body: bytes) -> bytes:
    asked = json.loads(body)
    if isinstance(asked, list):
        return b"[" + b",".join(echo(json.dumps(each).encode()) for each in asked) + b"]"
    return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": {"is": asked["params"][0]}}).encode()


async def over_http(method: str, path: str, body: bytes) -> tuple[int, bytes]:
    return 200, echo(body)


async def in_lines(line: bytes) -> bytes:
    return echo(line) + b"\n"


def seconds(lie: Lie) -> dict[Work, float]:
    return SHORT if "slow" in lie.causes else SECONDS


async def outcome(lie: Lie, transport: Any, call: Any) -> Any:
    """What the call gives, or the cause with which it fails; within a minute and 8 MiB."""
    try:
        with peak() as memory:
            async with asyncio.timeout(60):
                try:
                    found = await call(transport)
                except NodeError as error:
                    found = error.cause if error.verdict is Verdict.BROKEN else error
        assert memory.bytes <= MOST
    finally:
        await transport.close()
    return found


def is_right(lie: Lie, found: Any, truth: Any) -> bool:
    return found in lie.causes if lie.causes else found == truth


async def call(transport: JsonRpc | Lines) -> Any:
    return await transport.call("m", [7], dict[str, int])


@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_http(lie: Lie) -> None:
    async def read(http: Http) -> Any:
        return (await http.read("POST", of=dict[str, Any], json={"id": 1, "params": [7]})).get("result")

    async with lying_http(over_http) as liar:
        liar.tell(lie)
        found = await outcome(lie, Http(Secret(liar.url), seconds=seconds(lie)), read)
        assert is_right(lie, found, {"is": 7})
        assert (liar.told, liar.trapped) == (1, 0)


@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_json_rpc(lie: Lie) -> None:
    async with lying_http(over_http) as liar:
        liar.tell(lie)
        http = Http(Secret(liar.url), seconds=seconds(lie))
        assert is_right(lie, await outcome(lie, JsonRpc(http, lambda _: None), call), {"is": 7})
        assert (liar.told, liar.trapped) == (1, 0)


@pytest.mark.parametrize("lie", [lie for lie in LIES.values() if not lie.http_only], ids=repr)
async def test_lines(lie: Lie) -> None:
    async with lying_lines(in_lines) as liar:
        liar.tell(lie)
        to = Lines("127.0.0.1", liar.port, tls=False, seconds=seconds(lie))
        assert is_right(lie, await outcome(lie, to, call), {"is": 7})


class OverHttp(Scripted):
    def __init__(self, transport: JsonRpc) -> None:
        super().__init__()
        self.transport = transport

    async def head(self) -> Head:
        return head((await call(self.transport))["is"])

    async def close(self) -> None:
        await self.transport.close()


@pytest.mark.parametrize("lie", LIES.values(), ids=repr)
async def test_the_pool_asks_the_next(lie: Lie) -> None:
    async def ask(pool: Pool) -> Head:
        return await pool.head()

    async with lying_http(over_http) as liar:
        liar.tell(lie)
        lied_to = OverHttp(JsonRpc(Http(Secret(liar.url), seconds=seconds(lie)), lambda _: None))
        pool = Pool(ETHEREUM, [Endpoint(ETHEREUM, lied_to, name="a"), Endpoint(ETHEREUM, Scripted(), name="b")])
        found = await outcome(lie, pool, ask)
    assert found == head(100 if lie.causes else 7)


@pytest.mark.parametrize("name", BATCH_LIES)
async def test_a_batch(name: str) -> None:
    lie = BATCH_LIES[name]

    async def ask(to: JsonRpc) -> Any:
        return await to.batch(BATCH, dict[str, int])

    async with lying_http(over_http) as liar:
        liar.tell(lie)
        found = await outcome(lie, JsonRpc(Http(Secret(liar.url), seconds=SECONDS), lambda _: None, batch=10), ask)
    assert is_right(lie, found, [{"is": n} for n in (3, 0, 1, 2)])


async def test_a_line_that_never_comes_is_slow() -> None:
    async with lying_lines(in_lines) as liar:
        liar.tell(changed("id", value=3), about=b'"id":1,')
        to = Lines("127.0.0.1", liar.port, tls=False, seconds=SHORT)
        with pytest.raises(NodeError) as caught:
            await to.batch(BATCH, dict[str, int])
        await to.close()
    assert caught.value.cause == "slow"


async def test_the_liar_lies_only_about_what_it_is_told_to() -> None:
    async with lying_http(over_http) as truth, lying_http(truth.url) as liar:
        to = JsonRpc(Http(Secret(liar.url)), lambda _: None, batch=10)
        assert await call(to) == {"is": 7}
        liar.tell(result(-1, "is"), about=b"other")
        assert await call(to) == {"is": 7}
        liar.tell(result(lambda old: old * 10**9, "is"))
        assert await call(to) == {"is": 7 * 10**9}
        assert await to.batch(BATCH, dict[str, int]) == [{"is": n * 10**9} for n in range(4)]
        liar.tell(None)
        assert await call(to) == {"is": 7}
        await to.close()
    async with lying_lines(in_lines) as truth, lying_lines(("127.0.0.1", truth.port)) as liar:
        lines = Lines("127.0.0.1", liar.port, tls=False)
        assert await call(lines) == {"is": 7}
        liar.tell(result(-1, "is"), about=b'"m"')
        assert await call(lines) == {"is": -1}
        await lines.close()
