"""TLS in front of a worker's HTTP server, which can neither change its certificate nor report its clients' (ADR 0034).

The front listens on the public port, does the handshake, and passes the decrypted data to the HTTP server's own
listener, a loopback port of this worker. The application finds out who the client is from the address from which the
front connects to it. It refuses connections from any other address.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address
from itertools import count
from typing import Any, Final, cast

import structlog
from starlette.types import Scope

from strongroom.entrypoints.http.exchange import PEER
from strongroom.entrypoints.listening import Place
from strongroom.entrypoints.tls.watched import WatchedMaterial
from strongroom.telemetry.metrics import TLS_HANDSHAKES_TOTAL

log = structlog.get_logger(__name__)


_BACKLOG: Final = 1024
_CONNECTIONS: Final = 1024
"""At one time per worker, or fewer if it may not open that many files. Further ones wait to be accepted."""
_FILES_EACH: Final = 3
_OTHER_FILES: Final = 256
_HANDSHAKE_SECONDS: Final = 10.0
_SHUTDOWN_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.1
"""After accepting failed, mostly for lack of file descriptors."""
_LONGEST_AGE: Final = 300.0
"""Seconds after which a connection is asked to end, as on gRPC, so that its client shows its certificate again."""
_FIRST_SOURCE: Final = int(IPv4Address("127.1.0.0"))
_SOURCES: Final = int(IPv4Address("127.255.255.255")) - _FIRST_SOURCE
_MANY_SOURCES: Final = sys.platform == "linux"


@dataclass(slots=True)
class Peer:
    """The other end of a connection after its handshake."""

    host: str
    port: int
    certificate: bytes | None
    """The client's certificate as DER, verified against the client authorities."""
    probe: bool
    """The connection came over the port for probes."""
    _must_end: Callable[[], bool] = field(repr=False)

    @property
    def last(self) -> bool:
        """Whether this connection is to end after the response."""
        return self._must_end()


class Front:
    """``upstream`` is the port of the HTTP server's own listener."""

    def __init__(self, material: WatchedMaterial, upstream: int) -> None:
        self._material = material
        self._upstream = upstream
        self._sources = count()
        self._peers: dict[str, Peer] = {}
        self._listeners: list[tuple[socket.socket, bool]] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._beginning: set[_Side] = set()
        """Clients that have not had a response yet."""
        self._room = asyncio.Semaphore(_most_connections())

    def listen(self, host: str, port: int, *, probes: bool = False) -> None:
        """Raises ConfigurationError."""
        listener = _listener(Place(host, port, port_setting="tls.probe_port" if probes else "http.port"))
        self._listeners.append((listener, probes))
        self._accepting.append(asyncio.create_task(self._accept(listener, probes), name="tls-accept"))

    def forget(self) -> None:
        """Close the listeners that exist, if another could not be opened."""
        for task in self._accepting:
            task.cancel()
        for listener, _ in self._listeners:
            listener.close()

    def admit(self, scope: Scope) -> Scope | None:
        """The scope with the real client. None if the connection did not come from the front."""
        peer = self._peers.get(_source(scope["client"])) if scope.get("client") else None
        if peer is None:
            return None
        scope["client"] = (peer.host, peer.port)
        scope["scheme"] = "https"
        scope[PEER] = peer
        return scope

    async def stop_accepting(self) -> None:
        """Accept no more connections. Those that were accepted get a response first, within a few seconds.

        Otherwise the HTTP server would close a connection whose request is still on its way.
        """
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listener, probes in self._listeners:
            with contextlib.suppress(OSError):
                while True:  # connections that the system has accepted would be reset
                    self._begin(*listener.accept(), probes)
            listener.close()
        self._accepting.clear()
        self._listeners.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                while self._beginning:  # noqa: ASYNC110 - a handshake and a request take milliseconds
                    await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Call it when the HTTP server has ended its connections. Data that is still on its way out is sent."""
        await self.stop_accepting()
        if self._connections:
            await asyncio.wait(self._connections, timeout=_CLOSE_SECONDS)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, listener: socket.socket, probes: bool) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                accepted, address = await loop.sock_accept(listener)
            except OSError:
                self._room.release()
                log.warning("tls.cannot_accept")
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            except asyncio.CancelledError:
                self._room.release()
                raise
            self._begin(accepted, address, probes)

    def _begin(self, accepted: socket.socket, address: Any, probes: bool) -> None:
        accepted.setblocking(False)
        task = asyncio.create_task(self._serve(accepted, address, probes))
        self._connections.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._room.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("tls.crashed", exc_info=error)

    async def _serve(self, accepted: socket.socket, address: Any, probes: bool) -> None:
        client, server = _Side(), _Side()
        source: str | None = None
        self._beginning.add(client)
        try:
            peer = await self._shake_hands(client, accepted, address, probes)
            if peer is None:
                return
            source = await self._connect(server)
            self._peers[source] = peer
            client.join(server)
            server.join(client)
            server.on_first_data = partial(self._beginning.discard, client)
            await asyncio.wait({client.closed, server.closed})
        except OSError:  # the HTTP server accepts no more connections
            log.debug("tls.no_server")
        finally:
            self._beginning.discard(client)
            if source is not None:
                self._peers.pop(source, None)
            client.abort()
            server.abort()

    async def _shake_hands(self, client: _Side, accepted: socket.socket, address: Any, probes: bool) -> Peer | None:
        loop = asyncio.get_running_loop()
        material = self._material.current
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport, _ = await loop.connect_accepted_socket(
                lambda: client,
                accepted,
                ssl=material.probes if probes else material.context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
            )
        except OSError as error:  # includes SSLError and the timeout
            accepted.close()
            TLS_HANDSHAKES_TOTAL.labels("refused").inc()
            log.info("tls.handshake_refused", client=address[0], reason=_reason(error))
            return None
        TLS_HANDSHAKES_TOTAL.labels("ok").inc()
        session = cast("ssl.SSLObject", transport.get_extra_info("ssl_object"))
        certificate = session.getpeercert(binary_form=True)
        end_at = time.monotonic() + _LONGEST_AGE
        return Peer(
            address[0], address[1], certificate, probes,
            lambda: time.monotonic() > end_at or self._material.current.client_ca != material.client_ca,
        )  # fmt: skip

    async def _connect(self, server: _Side) -> str:
        """Return the local address. Linux has 127.0.0.0/8 for these, so none is used again while it is remembered."""
        own = (str(IPv4Address(_FIRST_SOURCE + next(self._sources) % _SOURCES)), 0) if _MANY_SOURCES else None
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: server, "127.0.0.1", self._upstream, local_addr=own)
        return _source(transport.get_extra_info("sockname"))


class _Side(asyncio.Protocol):
    """One end of a connection. Incoming data goes out at the other end, no faster than that end accepts it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._other: _Side | None = None
        self._early: list[bytes] = []
        """Data that came before the other end was there. It is little, because reading is paused."""
        self._ended = False
        self.on_first_data: Callable[[], None] | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def join(self, other: _Side) -> None:
        self._other = other
        for data in self._early:
            other.write(data)
        self._early.clear()
        if self._ended:
            other.close()
        elif self._transport is not None:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close after all data was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self.on_first_data is not None:
            self.on_first_data()
            self.on_first_data = None
        if self._other is None:
            self._early.append(data)
        else:
            self._other.write(data)

    def eof_received(self) -> bool:
        self._end()
        return False

    def pause_writing(self) -> None:
        if self._other is not None and self._other._transport is not None:
            self._other._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other is not None and self._other._transport is not None and not self._other._ended:
            self._other._transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        self._end()
        self.closed.set_result(None)

    def _end(self) -> None:
        self._ended = True
        if self._other is not None:
            self._other.close()


def _most_connections() -> int:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(16, min(_CONNECTIONS, (allowed - _OTHER_FILES) // _FILES_EACH))


def _listener(place: Place) -> socket.socket:
    """Other workers share it, as they share gRPC's port."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        raise place.refusal(error) from None
    return listener


def _source(address: Sequence[Any]) -> str:
    return f"{address[0]}:{address[1]}"


def _reason(error: OSError) -> str:
    """OpenSSL's name for it, such as CERTIFICATE_VERIFY_FAILED, or the class of the error."""
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, str) else type(error).__name__
