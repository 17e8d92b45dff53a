"""A node that lies, over HTTP or in lines over TCP, for all kinds of sources.

It stands in front of the truth, which is another server or a function, and passes it on until it is told to lie:

    async with lying_http("http://127.0.0.1:8545") as liar:        # or a function, see `Truth`
        source = Node(setup, JsonRpc(Http(Secret(liar.url)), classify))
        await source.balances(...)                                  # the truth
        liar.tell(LIES["html"])                                     # from now on, to every request
        liar.tell(LIES["html"], about=b"eth_getBalance")            # only to requests that contain these bytes
        liar.tell(result("0xffff"), about=b"eth_chainId")           # JSON-RPC: another result, also within a batch
        liar.tell(changed("balance", value=-1), about=b"getaccount")  # JSON: another value at a path
        liar.tell(changed(..., "value", value=lambda old: old * 10**9))  # in each element; a function of the old one
        liar.tell(None)                                             # the truth again

    async with lying_lines(("127.0.0.1", 50001)) as liar:           # Electrum
        lines = Lines("127.0.0.1", liar.port, tls=False)

``liar.told`` counts the lies, ``liar.trapped`` the redirects that were followed. ``LIES`` are lies of the transport.
``Lie.causes`` are the causes (`NodeError.cause`) that a lie may lead to, or none if it may pass for true. `weighed`
measures the memory that a call takes for a heavy lie.
"""

from __future__ import annotations

import asyncio
import copy
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from types import EllipsisType
from typing import Any

import httpx

Truth = str | Callable[[str, str, bytes], Awaitable[tuple[int, bytes]]]
"""URL of the true server, or a function from (method, path with query, body) to a status and a body."""
LineTruth = tuple[str, int] | Callable[[bytes], Awaitable[bytes]]
"""Host and port of the true server, or a function from one line to one line."""
Step = str | int | EllipsisType

_PART = b"x" * 65536
_GIGABYTE = 16384
_OWN = {"host", "content-length", "connection", "accept-encoding"}
"""Headers that are not passed on."""


@dataclass(frozen=True)
class Lie:
    name: str
    body: Callable[[bytes], Iterable[bytes]]
    """Makes from the true response, or line, the parts that are sent."""
    causes: frozenset[str] = frozenset()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    every: float = 0.0
    """Seconds between the parts."""
    http_only: bool = False
    announces: int | None = None
    """Content-Length, if it is not the real length."""

    def __repr__(self) -> str:
        return self.name


def _lie(name: str, body: Callable[[bytes], Iterable[bytes]] | bytes, *causes: str, **more: Any) -> Lie:
    said = (lambda _: [body]) if isinstance(body, bytes) else body
    return Lie(name, said, frozenset(causes), **more)


def _twice(truth: bytes) -> Iterable[bytes]:
    """Each key of the response appears twice, first with null."""
    found = json.loads(truth)
    if isinstance(found, list):
        return [b"[", b",".join(b"".join(_twice(json.dumps(each).encode())) for each in found), b"]"]
    if not isinstance(found, dict) or not found:
        return [truth]
    return [b"{", *(f"{json.dumps(key)}:null,".encode() for key in found), json.dumps(found).encode()[1:]]


@cache
def _bomb(layers: int) -> bytes:
    """64 MiB of zeros, as gzip."""
    parts: Iterable[bytes] = (bytes(65536) for _ in range(1024))
    for _ in range(layers):
        squeezed = zlib.compressobj(9, wbits=31)
        parts = [*(squeezed.compress(part) for part in parts), squeezed.flush()]
    return b"".join(parts)


LIES: Mapping[str, Lie] = {
    each.name: each
    for each in (
        _lie("html", b"<html><body>Welcome!</body></html>", "bad_answer", headers={"Content-Type": "text/html"}),
        _lie("empty", b"", "bad_answer", http_only=True),
        _lie("a word", b"true", "bad_answer"),
        _lie("no text", b"\xff\xfe\x00", "bad_answer"),
        _lie("deep", b"[" * 100_000, "bad_answer"),
        _lie("deep object", b'{"id":' * 100_000, "bad_answer"),
        _lie("not a number", b'{"jsonrpc":"2.0","id":1,"result":NaN}', "bad_answer"),
        _lie("infinite", b'{"jsonrpc":"2.0","id":1,"result":1e400}', "bad_answer"),
        _lie("half", lambda truth: [truth[: len(truth) // 2]], "bad_answer", "no_answer", "slow"),
        _lie("less than announced", b"{", "no_answer", "slow", announces=1000, http_only=True),
        _lie("trickle", lambda _: (b"[" for _ in range(10_000)), "slow", every=0.1),
        _lie("huge", lambda _: (_PART for _ in range(_GIGABYTE)), "too_long"),
        _lie("huge number", lambda _: [b'{"jsonrpc":"2.0","id":1,"result":', b"9" * 1_000_000, b"}"], "bad_answer"),
        _lie("bomb", lambda _: [_bomb(1)], "encoded", headers={"Content-Encoding": "gzip"}, http_only=True),
        _lie("nested bomb", lambda _: [_bomb(2)], "encoded", headers={"Content-Encoding": "gzip, gzip"},
             http_only=True),
        _lie("redirect", b"", "redirects", status=302, headers={"Location": "{trap}"}, http_only=True),
        _lie("redirect that keeps the method", b"", "redirects", status=308, headers={"Location": "{trap}"},
             http_only=True),
        _lie("duplicate keys", _twice),
    )
}  # fmt: skip

HEAVY = {"deep", "deep object", "huge", "huge number", "bomb", "nested bomb"}


def changed(*path: Step, value: object) -> Lie:
    """JSON: put ``value``, or its result for the old value, at ``path``. ``...`` is every element of a list.

    A path that does not exist is left alone.
    """

    def body(truth: bytes) -> Iterable[bytes]:
        found = json.loads(truth)
        return [json.dumps(_put(found, path, value)).encode()]

    return Lie(f"changed {path}", body)


def result(value: object, *path: Step) -> Lie:
    """JSON-RPC: `changed` within the result, also in each response of a batch."""

    def body(truth: bytes) -> Iterable[bytes]:
        found = json.loads(truth)
        steps: tuple[Step, ...] = ("result", *path)
        return [json.dumps(_put(found, (..., *steps) if isinstance(found, list) else steps, value)).encode()]

    return Lie(f"result {path}", body)


def batch(harm: Callable[[list[Any]], Any], *causes: str) -> Lie:
    """JSON-RPC: change the responses of a batch by ``harm``. A single response is left alone."""

    def body(truth: bytes) -> Iterable[bytes]:
        found = json.loads(truth)
        return [json.dumps(harm(found) if isinstance(found, list) else found).encode()]

    return Lie("batch", body, frozenset(causes))


def _swapped(answers: list[Any]) -> list[Any]:
    ids = [each["id"] for each in answers]
    return [{**each, "id": number} for each, number in zip(answers, [*ids[1:], *ids[:1]], strict=True)]


BATCH_LIES: Mapping[str, Lie] = {
    "missing": batch(lambda answers: answers[1:], "bad_id"),
    "repeated": batch(lambda answers: [*answers, answers[0]], "bad_id"),
    "in place of another": batch(lambda answers: [*answers[1:], answers[1]], "bad_id"),
    "foreign": batch(lambda answers: [{**answers[0], "id": 10**6}, *answers[1:]], "bad_id"),
    "text": batch(lambda answers: [{**answers[0], "id": str(answers[0]["id"])}, *answers[1:]], "bad_id"),
    "nothing": batch(lambda _: [], "bad_id"),
    "swapped": batch(_swapped),  # only ids in the responses can reveal it
}


def _put(found: Any, path: tuple[Step, ...], value: object) -> Any:
    if not path:
        return value(found) if callable(value) else copy.deepcopy(value)
    step, *rest = path
    if step is ...:
        return [_put(each, tuple(rest), value) for each in found] if isinstance(found, list) else found
    with suppress(KeyError, IndexError, TypeError):
        found[step] = _put(found[step], tuple(rest), value)
    return found


@dataclass
class Liar:
    port: int = 0
    told: int = 0
    trapped: int = 0
    requests: list[bytes] = field(default_factory=list)
    """Bodies, or lines."""
    _lie: Lie | None = None
    _about: bytes = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, lie: Lie | None, *, about: bytes = b"") -> None:
        self._lie, self._about = lie, about

    def lie_about(self, asked: bytes) -> Lie | None:
        if self._lie is None or self._about not in asked:
            return None
        self.told += 1
        return self._lie


@asynccontextmanager
async def lying_http(truth: Truth) -> AsyncIterator[Liar]:
    liar = Liar()
    async with httpx.AsyncClient(timeout=60, trust_env=False, verify=False) as client:

        async def true_answer(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
            if not isinstance(truth, str):
                return await truth(method, path, body)
            url = truth.rstrip("/") + (path if path != "/" or truth.count("/") < 3 else "")
            passed_on = {name: value for name, value in headers.items() if name not in _OWN}
            answer = await client.request(method, url, content=body, headers=passed_on)
            return answer.status_code, answer.content

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = head.decode("latin-1").rstrip().split("\r\n")
                method, path, _ = first.split(" ", 2)
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if path.startswith("/trap"):
                    liar.trapped += 1
                liar.requests.append(body)
                lie = liar.lie_about(f"{method} {path} ".encode() + body)
                status, answer = await true_answer(method, path, headers, body)
                await _answer(writer, liar, lie, status, answer)
                if lie is not None:
                    return

        async with _serving(serve) as liar.port:
            yield liar


async def _answer(writer: asyncio.StreamWriter, liar: Liar, lie: Lie | None, status: int, truth: bytes) -> None:
    if lie is None:
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(truth)}\r\n\r\n".encode() + truth)
        await writer.drain()
        return
    headers = {"Connection": "close", "Content-Type": "application/json", **lie.headers}
    if lie.announces is not None:
        headers["Content-Length"] = str(lie.announces)
    lines = "".join(f"{name}: {value.format(trap=liar.url + '/trap')}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {lie.status} x\r\n{lines}\r\n".encode())
    await _parts(writer, lie, truth)


async def _parts(writer: asyncio.StreamWriter, lie: Lie, truth: bytes) -> None:
    for part in lie.body(truth):
        writer.write(part)
        await writer.drain()
        if lie.every:
            await asyncio.sleep(lie.every)


@asynccontextmanager
async def lying_lines(truth: LineTruth) -> AsyncIterator[Liar]:
    liar = Liar()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(asked: bytes, answer: bytes) -> None:
            lie = liar.lie_about(asked)
            if lie is None:
                writer.write(answer)
                await writer.drain()
            else:
                await _parts(writer, lie, answer.rstrip(b"\n"))
                writer.write(b"\n")

        if not isinstance(truth, tuple):
            while line := await reader.readline():
                liar.requests.append(line)
                await say(line, await truth(line))
            return
        answers, server = await asyncio.open_connection(*truth, limit=64 << 20)
        asked: dict[object, bytes] = {}
        back = asyncio.create_task(_back(answers, asked, say))
        try:
            while line := await reader.readline():
                liar.requests.append(line)
                asked[json.loads(line).get("id")] = line
                server.write(line)
                await server.drain()
        finally:
            server.transport.abort()
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)

    async with _serving(serve) as liar.port:
        yield liar


async def _back(
    answers: asyncio.StreamReader, asked: dict[object, bytes], say: Callable[[bytes, bytes], Awaitable[None]]
) -> None:
    while line := await answers.readline():
        await say(asked.pop(json.loads(line).get("id"), b""), line)


@asynccontextmanager
async def _serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await serve(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            tasks.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Peak:
    bytes: int = 0


@contextmanager
def peak() -> Iterator[Peak]:
    """The peak of Python's memory above its start, including the liar's own (it holds 128 KiB at a time)."""
    found = Peak()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield found
        found.bytes = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@contextmanager
def weighed(lie: Lie) -> Iterator[Peak]:
    """`peak` for a long lie. For a short one it would measure nothing, and take eight times as long."""
    if lie.name not in HEAVY:
        yield Peak()
        return
    with peak() as found:
        yield found
