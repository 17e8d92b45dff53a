"""JSON lines against a small server of our own."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from strongroom.errors import ConfigurationError
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.http import Work
from strongroom.rpc.jsonrpc import Fault, Question
from strongroom.rpc.lines import Lines
from tests.support.authority import Authority

GENEROUS = dict.fromkeys(Work, 60.0)
Answering = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    port: int = 0
    connections: int = 0
    asked: list[str] = field(default_factory=list)


def say(to: asyncio.StreamWriter, number: object, **said: object) -> None:
    to.write(json.dumps({"jsonrpc": "2.0", "id": number, **said}).encode() + b"\n")


async def echo(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
    say(to, asked["id"], result=asked["params"])


@asynccontextmanager
async def serving(answer: Answering = echo, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while line := await reader.readline():
                asked = json.loads(line)
                server.asked.append(asked["method"])
                await answer(asked, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def lines(server: Server, **options: Any) -> AsyncIterator[Lines]:
    to = Lines("127.0.0.1", server.port, **{"tls": False, "seconds": GENEROUS, **options})
    try:
        yield to
    finally:
        await to.close()


async def failed(call: Awaitable[object]) -> tuple[Verdict, str]:
    with pytest.raises(NodeError) as caught:
        await call
    return caught.value.verdict, caught.value.cause


async def test_answers_are_matched_by_id_whatever_their_order() -> None:
    held: list[dict[str, Any]] = []

    async def backwards(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        held.append(asked)
        if len(held) == 3:
            for each in reversed(held):
                await echo(each, to)

    async with serving(backwards) as server, lines(server) as to:
        assert await asyncio.gather(*(to.call("m", [n], list[int]) for n in range(3))) == [[0], [1], [2]]
        assert server.connections == 1


async def test_a_batch_is_asked_by_windows_and_keeps_its_order_and_its_errors() -> None:
    waiting = most = 0

    async def odd(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0)
        waiting -= 1
        if asked["params"][0] % 2:
            say(to, asked["id"], error={"code": -32601, "message": "no"})
        else:
            await echo(asked, to)

    async with serving(odd) as server, lines(server, window=10) as to:
        found = await to.batch([Question("m", [n]) for n in range(35)], list[int])
    assert len(server.asked) == 35
    for n, each in enumerate(found):
        assert isinstance(each, NodeError) if n % 2 else each == [n]


async def test_errors_go_through_the_classifier_of_the_family() -> None:
    async def refuse(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        say(to, asked["id"], error=asked["params"][0])

    def classify(fault: Fault) -> NodeError | None:
        return NodeError(Verdict.BUSY, "busy", retry_after=60) if fault.code == -102 else None

    async with serving(refuse) as server, lines(server, classify=classify) as to:
        assert await failed(to.call("m", [{"code": -102, "message": "server busy"}], int)) == (Verdict.BUSY, "busy")
        assert await failed(to.call("m", [{"code": -32602}], int)) == (Verdict.OURS, "bad_request")
        assert await failed(to.call("m", ["words alone"], int)) == (Verdict.BROKEN, "error")


async def test_what_a_server_says_unasked_goes_to_its_handler() -> None:
    async def notify(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        to.write(b'{"jsonrpc":"2.0","method":"blockchain.headers.subscribe","params":[{"height":7}]}\n')
        await echo(asked, to)

    heard: list[tuple[str, object]] = []
    async with serving(notify) as server, lines(server) as to:
        to.on_notice = lambda method, params: heard.append((method, msgspec.json.decode(params)))
        await to.call("m", [], list[int])
        to.on_notice = None
        await to.call("m", [], list[int])
    assert heard == [("blockchain.headers.subscribe", [{"height": 7}])]


async def test_the_greeting_comes_first_on_each_connection() -> None:
    async def once(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        await echo(asked, to)
        if asked["method"] == "last":
            to.close()

    async with serving(once) as server, lines(server) as to:

        async def greet() -> None:
            await to.call("server.version", ["strongroom", "1.4"], list[str])

        to.on_connect = greet
        await asyncio.gather(*(to.call("m", [n], list[int]) for n in range(5)))
        await to.call("last", [], list[int])
        await to.call("m", [], list[int])
    assert server.asked == ["server.version", *["m"] * 5, "last", "server.version", "m"]
    assert server.connections == 2


async def test_a_greeting_that_fails_fails_the_call_and_is_said_again() -> None:
    tries = 0

    async def shy(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            say(to, asked["id"], error={"code": -32601})
        else:
            await echo(asked, to)

    async with serving(shy) as server, lines(server) as to:

        async def greet() -> None:
            await to.call("server.version", [], list[str])

        to.on_connect = greet
        assert await failed(to.call("m", [], list[int])) == (Verdict.ELSEWHERE, "no_method")
        assert await to.call("m", [], list[int]) == []
        assert server.connections == 2


async def test_a_connection_that_was_closed_while_idle_is_no_failure() -> None:
    """The server closes it at the moment it gets the next question: nothing was heard of that, so it is asked again."""
    asked_before = 0

    async def closing(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        nonlocal asked_before
        asked_before += 1
        if asked_before == 2:
            to.close()
        else:
            await echo(asked, to)

    async with serving(closing) as server, lines(server) as to:
        await to.call("m", [1], list[int])
        assert await to.call("m", [2], list[int]) == [2]
        assert server.connections == 2


async def test_a_server_that_closes_on_a_question_is_broken() -> None:
    async def closing(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        to.close()

    async with serving(closing) as server, lines(server) as to:
        assert await failed(to.call("m", [], int)) == (Verdict.BROKEN, "closed")
        assert server.connections == 1


async def test_a_server_that_had_enough_and_closes_is_busy() -> None:
    """ElectrumX says -102 and ends the session, with the other questions unanswered."""

    async def enough(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        if asked["method"] == "last":
            say(to, asked["id"], error={"code": -102, "message": "server busy"})
            to.close()

    def classify(fault: Fault) -> NodeError:
        return NodeError(Verdict.BUSY, "busy")

    async with serving(enough) as server, lines(server, classify=classify) as to:
        first, last = await asyncio.gather(failed(to.call("m", [], int)), failed(to.call("last", [], int)))
    assert first == last == (Verdict.BUSY, "busy")


@pytest.mark.parametrize("answer", [b"", b'{"id": 1'], ids=["silent", "half a line"])
async def test_a_hung_server_is_slow_and_gets_a_new_connection(answer: bytes) -> None:
    async def hung(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        if asked["method"] == "hang":
            to.write(answer)
        else:
            await echo(asked, to)

    async with serving(hung) as server, lines(server, seconds={**GENEROUS, Work.READ: 0.3}) as to:
        await to.call("m", [], list[int], work=Work.BROADCAST)
        assert await failed(to.call("hang", [], int)) == (Verdict.BROKEN, "slow")
        assert await to.call("m", [], list[int], work=Work.BROADCAST) == []
        assert server.connections == 2


async def test_a_late_answer_is_nobodys_and_the_connection_stays() -> None:
    late: list[dict[str, Any]] = []
    came = asyncio.Event()

    async def slow_once(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        if asked["method"] == "slow":
            late.append(asked)
            came.set()
        else:
            await echo(asked, to)
            for each in late:
                await echo(each, to)
            late.clear()

    async with serving(slow_once) as server, lines(server, seconds={**GENEROUS, Work.READ: 3.0}) as to:
        slow = asyncio.create_task(failed(to.call("slow", [], int)))
        await came.wait()
        held, late[:] = list(late), []
        await to.call("m", [], list[int], work=Work.HISTORY)
        assert await slow == (Verdict.BROKEN, "slow")
        late[:] = held
        for _ in range(2):
            await to.call("m", [], list[int], work=Work.HISTORY)
        assert server.connections == 1


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"<html></html>\n", "bad_answer"),
        (b'{"id": 99, "result": 1}\n', "bad_id"),
        (b'{"id": "1", "result": 1}\n', "bad_id"),
        (b'{"id": true, "result": 1}\n', "bad_answer"),
        (b'{"result": 1}\n', "bad_id"),
        (b"[" * 100_000 + b"\n", "bad_answer"),
        (b"[1]\n", "bad_answer"),
        (b'{"id": 1, "result": NaN}\n', "bad_answer"),
        (b'{"id": 1, "result": 1.0}\n', "bad_answer"),
        (b'{"id": 1, "result": "1"}\n', "bad_answer"),
        (b'{"id": 1}\n', "bad_answer"),
        (b'{"id": null, "error": {"code": -32700, "message": "x"}}\n', "bad_request"),
        (b'{"id": 1, "result": "' + b"x" * (3 << 20) + b'"}\n', "too_long"),
        (b"x" * (3 << 20), "too_long"),
        (b"\xff\n", "bad_answer"),
    ],
)
async def test_nonsense_is_a_broken_answer(said: bytes, cause: str) -> None:
    async def liar(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        to.write(said)

    async with serving(liar) as server, lines(server) as to:
        verdict, found = await failed(to.call("m", [], int))
    assert found == cause
    assert verdict is (Verdict.OURS if cause == "bad_request" else Verdict.BROKEN)


async def test_a_history_may_be_longer() -> None:
    text = "x" * (3 << 20)

    async def long(asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        say(to, asked["id"], result=text)

    async with serving(long) as server, lines(server) as to:
        assert await to.call("m", [], str, work=Work.HISTORY) == text


async def test_the_kernel_watches_over_idle_connections() -> None:
    async with serving() as server, lines(server) as to:
        await to.call("m", [], list[int])
        assert to._connection is not None
        connection = to._connection._writer.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_nobody_there() -> None:
    async with serving() as server:
        pass
    async with lines(server) as to:
        assert await failed(to.call("m", [], int)) == (Verdict.BROKEN, "unreachable")


@dataclass
class Certificate:
    file: Path
    fingerprint: bytes
    context: ssl.SSLContext


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    authority, file = Authority(), tmp_path / "ca.pem"
    file.write_bytes(authority.certificate)
    issued = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issued.write(tmp_path, "node"))
    return Certificate(file, bytes.fromhex(issued.fingerprint), context)


async def test_tls_is_verified_or_pinned(certificate: Certificate) -> None:
    async with serving(context=certificate.context) as server:
        async with lines(server, tls=True, ca_file=certificate.file) as to:
            assert await to.call("m", [], list[int]) == []
        async with lines(server, tls=True, fingerprint=certificate.fingerprint) as to:
            assert await to.call("m", [], list[int]) == []
        assert len(server.asked) == 2
        async with lines(server, tls=True) as to:
            assert await failed(to.call("m", [], int)) == (Verdict.BROKEN, "untrusted")
        async with lines(server, tls=True, fingerprint=bytes(32)) as to:
            assert await failed(to.call("m", [], int)) == (Verdict.BROKEN, "untrusted")
        assert len(server.asked) == 2


def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Lines("127.0.0.1", 1, tls=True, ca_file=tmp_path / "none")


@dataclass
class Moody:
    """Closes, answers late, twice, wrongly or not at all."""

    chance: random.Random
    well: bool = False

    async def __call__(self, asked: dict[str, Any], to: asyncio.StreamWriter) -> None:
        mood = 1.0 if self.well else self.chance.random()
        if mood < 0.02:
            to.transport.abort()
        elif mood < 0.04:
            to.write(b"nonsense\n")
        elif mood < 0.06:
            return
        elif mood < 0.1:
            say(to, asked["id"], error={"code": -102, "message": "busy"})
        else:
            for _ in range(2 if mood < 0.15 else 1):
                await echo(asked, to)


async def answered(to: Lines, n: int) -> bool:
    """Rightly, as far as it was."""
    with suppress(NodeError):
        if n % 3:
            return await to.call("m", [n], list[int]) == [n]
        found = await to.batch([Question("m", [n, k]) for k in range(8)], list[int])
        return all(isinstance(each, NodeError) or each == [n, k] for k, each in enumerate(found))
    return True


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_a_server_does_each_call_ends_and_the_next_connection_works(seed: int) -> None:
    moody = Moody(random.Random(seed))
    seconds = {**GENEROUS, Work.READ: 1.0}
    async with serving(moody) as server, lines(server, seconds=seconds, window=5) as to, asyncio.timeout(60):
        assert all(await asyncio.gather(*(answered(to, n) for n in range(100))))
        moody.well = True
        for n in range(3):
            assert await to.call("m", [n], list[int], work=Work.HISTORY) == [n]
        assert to._connection is not None
        assert to._connection._waiting == {}


ON_UVLOOP: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
    "matched": test_answers_are_matched_by_id_whatever_their_order,
    "greeting": test_the_greeting_comes_first_on_each_connection,
    "closed while idle": test_a_connection_that_was_closed_while_idle_is_no_failure,
    "closed on a question": test_a_server_that_closes_on_a_question_is_broken,
    "kernel": test_the_kernel_watches_over_idle_connections,
    **{
        f"moody {seed}": partial(test_whatever_a_server_does_each_call_ends_and_the_next_connection_works, seed)
        for seed in range(3)
    },
}


@pytest.mark.parametrize("name", ON_UVLOOP)
def test_on_the_loop_that_the_service_runs_on(name: str) -> None:
    """It closes a transport earlier than asyncio's own, and raises where that only warns."""
    uvloop.run(ON_UVLOOP[name]())
