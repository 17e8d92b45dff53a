"""Nothing of an endpoint's URL or headers, and no word of a node, in any log line, metric, error, repr or health."""

from __future__ import annotations

import base64
import io
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from strongroom.breaker import CircuitOpen
from strongroom.domain.secret import Secret
from strongroom.errors import StrongroomError
from strongroom.rpc.base import Capability, Head, NodeError, Sent, Verdict
from strongroom.rpc.endpoint import Endpoint
from strongroom.rpc.http import Http, Work
from strongroom.rpc.jsonrpc import JsonRpc
from strongroom.rpc.lines import Lines
from strongroom.rpc.pool import Pool
from tests.support.liar import LIES, Liar, Lie, lying_http, lying_lines, result
from tests.unit.rpc.scripted import ETHEREUM, IDS, Scripted, head

USER, PASSWORD, PATH_KEY, QUERY_KEY, HEADER = (
    "jocundvexillum", "Brisket-93-plinth", "6f1d2c8e9b7a4350", "quaverXyloid77", "Bearer-gossamer-0451",
)  # fmt: skip
WORDS = "bellwether carbuncle"
"""Of the node."""
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (USER, PASSWORD, PATH_KEY, QUERY_KEY, HEADER, LOGIN, "127.0.0.1", *WORDS.split())


Log = Callable[[], str]


@pytest.fixture
def log() -> Iterator[Log]:
    """Everything that the process has written, at the finest level, with tracebacks."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        yield lambda: written.getvalue() + repr(lines)
    root.removeHandler(handler)
    root.setLevel(level)


class Real(Scripted):
    """Asks over a transport."""

    def __init__(self, transport: JsonRpc | Lines) -> None:
        super().__init__()
        self.transport = transport

    async def head(self) -> Head:
        found = await self.transport.call("head", [], dict[str, int])
        return head(found["height"])

    async def broadcast(self, signed: str, ids: Any) -> Sent:
        if await self.transport.call("send", [signed], str) != ids.tx_ids[0]:
            raise NodeError(Verdict.LYING, "hash")
        return Sent(ids.tx_ids[0])

    async def close(self) -> None:
        await self.transport.close()


def answer_to(asked: bytes) -> bytes:
    number = json.loads(asked)["id"] if asked else 1
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": {"height": 100}}).encode()


async def truth(method: str, path: str, body: bytes) -> tuple[int, bytes]:
    return 200, answer_to(body)


def url(liar: Liar) -> Secret:
    return Secret(f"http://{USER}:{PASSWORD}@127.0.0.1:{liar.port}/v3/{PATH_KEY}?key={QUERY_KEY}")


def shown(error: BaseException) -> str:
    return "\n".join(
        (repr(error), str(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error, chain=True))
    )


async def everything_said(pool: Pool, endpoint: Endpoint) -> str:
    """By whichever way something may be said."""
    said = []
    for call in (
        pool.head,
        lambda: pool.broadcast("00", IDS),
        lambda: endpoint.ask(Capability.HEAD, lambda s: s.head()),
    ):
        try:
            said.append(repr(await call()))
        except (NodeError, StrongroomError, CircuitOpen) as error:
            said.append(shown(error))
    said += [repr(pool.describe()), repr(endpoint), repr(pool), generate_latest().decode()]
    return "\n".join(said)


SECONDS = dict.fromkeys(Work, 1.0)
"""Whether a call is in time does not matter here."""


ERROR = f'{{"id":1,"error":{{"code":-32000,"message":"{WORDS}"}}}}'
WORDY = [
    result(WORDS),
    replace(LIES["html"], name="words", body=lambda _: [WORDS.encode()]),
    replace(
        LIES["html"],
        name="error",
        body=lambda _: [f'{{"id":1,"error":{{"code":-32000,"message":"{WORDS}"}}}}'.encode()],
    ),
    replace(LIES["html"], name="500", status=500, body=lambda _: [WORDS.encode()]),
    replace(LIES["html"], name="401", status=401, body=lambda _: [WORDS.encode()]),
    replace(LIES["html"], name="429", status=429, body=lambda _: [WORDS.encode()], headers={"Retry-After": WORDS}),
    replace(LIES["html"], name="no HTTP", headers={WORDS: "\r\n"}),
]


@pytest.mark.parametrize("lie", [*LIES.values(), *WORDY], ids=repr)
async def test_http(lie: Lie, log: Log) -> None:
    async with lying_http(truth) as liar:
        liar.tell(lie)
        http = Http(url(liar), headers=lambda: {"X-Key": Secret(HEADER)}, seconds=SECONDS)
        source = Real(JsonRpc(http, lambda _: None))
        endpoint = Endpoint(ETHEREUM, source, name="mine")
        pool = Pool(ETHEREUM, [endpoint])
        said = await everything_said(pool, endpoint) + repr(http) + repr(source.transport)
        await pool.close()
        assert liar.told
    assert [secret for secret in SECRETS if secret in said + log()] == []
    assert "mine" in said
    assert "rpc." in log() or lie.name == "duplicate keys"


async def test_nobody_there(log: Log) -> None:
    async with lying_http(truth) as liar:
        pass
    for address in (url(liar), Secret(f"http://{USER}:{PASSWORD}@no host/{PATH_KEY}"), Secret(f"http://[{PATH_KEY}")):
        endpoint = Endpoint(ETHEREUM, Real(JsonRpc(Http(address), lambda _: None)), name="mine")
        pool = Pool(ETHEREUM, [endpoint])
        said = await everything_said(pool, endpoint)
        await pool.close()
        assert [secret for secret in SECRETS if secret in said] == []
    assert [secret for secret in SECRETS if secret in log()] == []


@pytest.mark.parametrize("lie", [*(lie for lie in LIES.values() if not lie.http_only), *WORDY[:3]], ids=repr)
async def test_lines(lie: Lie, log: Log) -> None:
    async def answer(line: bytes) -> bytes:
        return answer_to(line) + b"\n"

    async with lying_lines(answer) as liar:
        liar.tell(lie)
        lines = Lines("127.0.0.1", liar.port, tls=False, seconds=SECONDS)
        endpoint = Endpoint(ETHEREUM, Real(lines), name="mine")
        pool = Pool(ETHEREUM, [endpoint])
        said = await everything_said(pool, endpoint) + repr(lines)
        await pool.close()
    assert [secret for secret in SECRETS if secret in said + log()] == []


async def test_what_is_sent_holds_them_all() -> None:
    """Otherwise the tests above would show nothing."""
    heads: list[bytes] = []

    async def listen(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        heads.append(path.encode())
        return await truth(method, path, body)

    async with lying_http(listen) as liar:
        http = Http(url(liar), headers=lambda: {"X-Key": Secret(HEADER)})
        await http.exchange("GET")
        await http.close()
    assert heads == [f"/v3/{PATH_KEY}?key={QUERY_KEY}".encode()]
