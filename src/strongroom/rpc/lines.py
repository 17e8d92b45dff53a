"""JSON-RPC as lines over TCP or TLS, as Electrum servers speak it. One connection carries many questions at once."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from strongroom.errors import ConfigurationError
from strongroom.rpc.base import NodeError, Verdict
from strongroom.rpc.bucket import Bucket
from strongroom.rpc.http import MOST_BYTES, SECONDS, Work, decode
from strongroom.rpc.jsonrpc import Classify, Fault, Question, common
from strongroom.telemetry import tracing

T = TypeVar("T")

_CONNECT: Final = 4.0
"""Seconds for TCP and TLS together."""
_CHUNK: Final = 65536
_CLOSED: Final = "closed"

Notice = Callable[[str, msgspec.Raw], None]
"""Takes a notification of the server: the method and its parameters, not decoded. May raise NodeError."""


class _Line(msgspec.Struct, frozen=True):
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | str | None = None
    """A plain text comes from Blockstream's electrs."""
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw(b"[]")


class Lines:
    """One endpoint. It connects with the first call, and again with the first call after the connection was lost.

    ``fingerprint``: SHA-256 of the server's certificate (DER), which replaces any authority. ``ca_file``: authorities
    instead of the system's. ``window``: questions of one batch that wait for responses at the same time. ``bucket``:
    the rate that the server allows.
    """

    on_connect: Callable[[], Awaitable[None]] | None = None
    """Called on each new connection. Its calls are sent one after another, and other calls wait for it."""
    on_notice: Notice | None = None

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: bool,
        fingerprint: bytes | None = None,
        ca_file: Path | None = None,
        classify: Classify = lambda _: None,
        seconds: Mapping[Work, float] = SECONDS,
        most_bytes: Mapping[Work, int] = MOST_BYTES,
        window: int = 100,
        bucket: Bucket | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._trust = _trust(ca_file, pinned=fingerprint is not None) if tls else None
        self._fingerprint = fingerprint
        self._classify = classify
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._window = window
        self._bucket = bucket
        self._ids = itertools.count(1)
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._greeter: asyncio.Task[object] | None = None

    async def call(self, method: str, params: Sequence[object], of: type[T], *, work: Work = Work.READ) -> T:
        """The result, decoded as ``of``. Raises NodeError."""
        (answer,) = await self._ask([Question(method, params)], work)
        return self._result(answer, of)

    async def batch(self, questions: Sequence[Question], of: type[T], *, work: Work = Work.READ) -> list[T | NodeError]:
        """The results in order, with an error in the place of each question that failed. Raises NodeError for the whole
        batch.

        Each window of questions has the time of one call.
        """
        found: list[T | NodeError] = []
        for at in range(0, len(questions), self._window):
            for answer in await self._ask(questions[at : at + self._window], work):
                try:
                    found.append(self._result(answer, of))
                except NodeError as error:
                    found.append(error)
        return found

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    @tracing.traced("node.lines", tracing.CLIENT)
    async def _ask(self, questions: Sequence[Question], work: Work) -> list[_Line]:
        if self._bucket is not None:
            await self._bucket.take(len(questions))
        connection: _Connection | None = None
        heard = 0
        try:
            async with asyncio.timeout(self._seconds[work]):
                while True:
                    connection, fresh = await self._connected()
                    heard = connection.heard
                    numbered = {next(self._ids): each for each in questions}
                    try:
                        return await connection.ask(numbered, self._most_bytes[work])
                    except ConnectionError:
                        if fresh or connection.heard != heard:
                            raise  # otherwise the server closed it while it was idle
        except TimeoutError:
            error = NodeError(Verdict.BROKEN, "slow")
            if connection is not None and connection.heard == heard:
                connection.lose(error)  # no response since then; the next call tries a new connection
            raise error from None
        except OSError:
            raise NodeError(Verdict.BROKEN, _CLOSED) from None

    async def _connected(self) -> tuple[_Connection, bool]:
        """The connection, and whether it is new."""
        if self._greeter is asyncio.current_task() and self._connection is not None:
            return self._connection, True
        async with self._connecting:
            if self._connection is not None:
                if self._connection.lost is None:
                    return self._connection, False
                await self._connection.close()
            self._connection = await self._open()
            try:
                self._greeter = asyncio.current_task()
                if self.on_connect is not None:
                    await self.on_connect()
            except BaseException:
                self._connection.lose(NodeError(Verdict.BROKEN, _CLOSED))
                raise
            finally:
                self._greeter = None
            return self._connection, True

    async def _open(self) -> _Connection:
        try:
            async with asyncio.timeout(_CONNECT):
                reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._trust, limit=_CHUNK)
        except ssl.SSLError:
            raise NodeError(Verdict.BROKEN, "untrusted") from None
        except (OSError, UnicodeError):  # includes TimeoutError
            raise NodeError(Verdict.BROKEN, "unreachable") from None
        _keep_alive(writer.get_extra_info("socket"))
        if self._fingerprint is not None:
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
            if not hmac.compare_digest(sha256(shown).digest(), self._fingerprint):
                writer.transport.abort()
                raise NodeError(Verdict.BROKEN, "untrusted")
        return _Connection(reader, writer, self._most_bytes[Work.READ], self._meaning, self._noticed)

    def _noticed(self, method: str, params: msgspec.Raw) -> None:
        if self.on_notice is not None:
            self.on_notice(method, params)

    def _result(self, answer: _Line, of: type[T]) -> T:
        if answer.error is not None:
            raise self._meaning(answer.error)
        return decode(answer.result, of)

    def _meaning(self, error: Fault | str) -> NodeError:
        fault = Fault(0, error) if isinstance(error, str) else error
        return self._classify(fault) or common(fault)


class _Connection:
    """One connection, from its opening to its loss."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        most: int,
        meaning: Callable[[Fault | str], NodeError],
        notice: Notice,
    ) -> None:
        self.lost: NodeError | None = None
        self.heard = 0
        """Responses so far."""
        self._reader, self._writer = reader, writer
        self._most = most
        self._meaning, self._notice = meaning, notice
        self._waiting: dict[int, tuple[asyncio.Future[_Line | NodeError], int]] = {}
        self._asked = 0
        self._busy: NodeError | None = None
        """The last refusal of an overloaded server. If it then closes the connection, this is why."""
        self._reading = asyncio.create_task(self._read())

    async def ask(self, numbered: Mapping[int, Question], most: int) -> list[_Line]:
        """Raises NodeError, or ConnectionError if the server closed the connection without a message."""
        loop = asyncio.get_running_loop()
        answers = {number: loop.create_future() for number in numbered}
        self._waiting.update((number, (answer, most)) for number, answer in answers.items())
        self._asked = max(self._asked, *numbered)
        try:
            if self.lost is not None:
                raise _raised(self.lost)
            if self._writer.is_closing():
                raise ConnectionResetError
            self._writer.write(b"".join(_request(number, each) for number, each in numbered.items()))
            await self._writer.drain()
            found = []
            for answer in answers.values():
                line = await answer
                if isinstance(line, NodeError):
                    raise _raised(line)
                found.append(line)
            return found
        finally:
            for number in numbered:
                self._waiting.pop(number, None)

    def lose(self, error: NodeError) -> None:
        if self.lost is None:
            self.lost = error
            self._writer.transport.abort()
            for answer, _ in self._waiting.values():
                if not answer.done():
                    answer.set_result(error)

    async def close(self) -> None:
        self.lose(NodeError(Verdict.BROKEN, _CLOSED))
        self._reading.cancel()
        await asyncio.wait([self._reading])
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        error: NodeError | None = None
        line = bytearray()
        try:
            while data := await self._reader.read(_CHUNK):
                *ended, rest = data.split(b"\n")
                for each in ended:
                    self._take(bytes(line + each))
                    line.clear()
                line += rest
                if len(line) > max((most for _, most in self._waiting.values()), default=self._most):
                    raise NodeError(Verdict.BROKEN, "too_long")
        except NodeError as found:
            error = found
        except OSError:
            pass
        finally:
            self.lose(error or self._busy or NodeError(Verdict.BROKEN, _CLOSED))

    def _take(self, line: bytes) -> None:
        """Raises NodeError if nothing that follows can be trusted."""
        said = decode(line, _Line)
        if said.method is not None and said.id is None:
            self._notice(said.method, said.params)
        elif said.id is None and said.error is not None:
            raise self._meaning(said.error)  # about the connection as a whole
        elif not isinstance(said.id, int) or not 0 < said.id <= self._asked:
            raise NodeError(Verdict.BROKEN, "bad_id")
        elif said.id in self._waiting:  # otherwise it came too late and nobody waits for it
            self.heard += 1
            if said.error is not None and (error := self._meaning(said.error)).verdict is Verdict.BUSY:
                self._busy = error
            answer, most = self._waiting.pop(said.id)
            if not answer.done():
                answer.set_result(said if len(line) <= most else NodeError(Verdict.BROKEN, "too_long"))


def _raised(error: NodeError) -> Exception:
    return ConnectionResetError() if error.cause == _CLOSED else error


def _request(number: int, question: Question) -> bytes:
    body = {"jsonrpc": "2.0", "id": number, "method": question.method, "params": question.params}
    return msgspec.json.encode(body) + b"\n"


def _keep_alive(connection: socket.socket) -> None:
    """Lets the kernel detect an idle connection that a router has dropped, before a question is lost on it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _trust(ca_file: Path | None, *, pinned: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigurationError("the ca_file of a source cannot be read or holds no certificates in PEM") from None
    if pinned:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
