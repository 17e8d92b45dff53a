"""A TCP proxy that treats connections as networks do: slow, silent, or cut, even at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto


class Cut(Enum):
    """When to cut a connection on which the client sends bytes with a pattern."""

    BEFORE = auto()
    """They never reach the server."""
    AFTER = auto()
    """The server responds, and the response is lost."""
    AT_ONCE = auto()
    """They are on their way to the server, which may or may not act on them."""


@dataclass(eq=False)
class Proxy:
    """The fields can be set at any time, and apply to what comes next on every connection."""

    host: str
    port: int
    """The server's port."""
    latency: float = 0.0
    """Seconds added in each direction."""
    blackhole: bool = False
    """Nothing gets through, and neither side is told."""
    garbage: bytes | None = None
    """Sent to the client instead of the server's response."""
    cuts: int = 0
    """The number of connections cut because of a pattern."""
    local_port: int = 0
    """The port for the client."""
    _pattern: bytes = b""
    _cut: Cut = Cut.AFTER
    _times: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self, pattern: bytes, when: Cut, times: int = 1) -> None:
        """Cut the next ``times`` connections on which the client sends ``pattern``."""
        self._pattern, self._cut, self._times = pattern, when, times

    def reset(self) -> None:
        """Cut every open connection."""
        for writer in self._open:
            writer.transport.abort()

    async def close(self) -> None:
        self.blackhole = False
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, client))
        self._serving.add(task)

        def served(_: asyncio.Task[None]) -> None:
            self._serving.discard(task)
            client.transport.abort()  # also one that was cancelled before it began

        task.add_done_callback(served)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_connection(self.host, self.port)
        except OSError:
            client.transport.abort()
            return
        ends = {client, server}
        self._open |= ends
        lost = asyncio.Event()
        there = asyncio.create_task(self._there(reader, server, lost))
        back = asyncio.create_task(self._back(answers, client, lost))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.transport.abort()
            self._open -= ends
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    async def _there(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await reader.read(65536):
            hit = self._times > 0 and self._pattern in data
            if hit:
                self.cuts += 1
                self._times -= 1
                if self._cut is Cut.BEFORE:
                    return
                if self._cut is Cut.AFTER:
                    lost.set()
            await self._pass_on(data, server)
            if hit and self._cut is Cut.AT_ONCE:
                server.close()
                await server.wait_closed()
                return

    async def _back(self, answers: asyncio.StreamReader, client: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await answers.read(65536):
            if lost.is_set():
                return
            await self._pass_on(data if self.garbage is None else self.garbage, client)

    async def _pass_on(self, data: bytes, to: asyncio.StreamWriter) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        while self.blackhole:  # noqa: ASYNC110 - a test may end it at any time
            await asyncio.sleep(0.05)
        to.write(data)
        await to.drain()


@asynccontextmanager
async def proxy_to(port: int, host: str = "127.0.0.1") -> AsyncIterator[Proxy]:
    proxy = Proxy(host, port)
    listener = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.local_port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        await proxy.close()
