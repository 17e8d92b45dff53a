"""Certificates of one deployment in files, and clients that present theirs."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc

from tests.support.authority import Authority, Issued, replace
from tests.support.grpc_calls import unary
from tests.support.server import Server

GENEROUS: Final = 90.0
"""Seconds for anything that takes a few seconds on an idle machine."""
IN_A_ROW: Final = 16
"""New connections with the same result after which no worker should differ."""


@dataclass
class Estate:
    folder: Path
    servers: Authority = field(default_factory=lambda: Authority("for servers"))
    clients: Authority = field(default_factory=lambda: Authority("for clients"))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = self.folder / "server.pem", self.folder / "server.key"
        self.client_ca = self.folder / "clients.pem"
        self.ca = self.folder / "ca.pem"
        replace(self.ca, self.servers.certificate)
        replace(self.client_ca, self.clients.certificate)
        self.current = self.servers.server()
        self.serve(self.current)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "TLS__CERTIFICATE": str(self.certificate),
            "TLS__KEY": str(self.key),
            "TLS__CLIENT_CA": str(self.client_ca),
        }

    def serve(self, issued: Issued) -> None:
        """Put it into the files."""
        self.current = issued
        issued.write(self.folder, "server")

    def context(self, shown: Issued | None = None, ca: bytes | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=(ca or self.servers.certificate).decode())
        if shown is not None:
            context.load_cert_chain(*shown.write(self.folder / "shown", shown.fingerprint))
        return context

    def channel(self, target: str, shown: Issued | None = None, ca: bytes | None = None) -> grpc.aio.Channel:
        """A connection of its own."""
        pair = (None, None) if shown is None else (shown.key, shown.certificate)
        credentials = grpc.ssl_channel_credentials(ca or self.servers.certificate, *pair)
        return grpc.aio.secure_channel(target, credentials, options=[("grpc.use_local_subchannel_pool", 1)])


async def served_over_http(port: int, context: ssl.SSLContext) -> bytes | None:
    """The certificate that a new connection gets, as DER. None if an HTTP request gets no response."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    except OSError:
        return None
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    try:
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
    except OSError:
        return None
    finally:
        writer.close()
    return shown if answer.startswith(b"HTTP/1.1 200") else None


async def served_over_grpc(channel: grpc.aio.Channel) -> bool:
    async with channel:
        check = unary(channel, "/grpc.health.v1.Health/Check")
        try:
            await check(b"", timeout=GENEROUS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return False
            raise
    return True


async def until(holds: Callable[[], Awaitable[bool]], in_a_row: int = IN_A_ROW) -> None:
    """Wait until it has held so many times in a row."""
    deadline = time.monotonic() + GENEROUS
    found = 0
    while found < in_a_row:
        assert time.monotonic() < deadline, "it never came true"
        found = found + 1 if await holds() else 0
        if not found:
            await asyncio.sleep(0.2)


class TlsServer(Server):
    def __init__(self, data_dir: Path, estate: Estate, settings: dict[str, str]) -> None:
        super().__init__(
            data_dir,
            {**estate.settings, **settings},
            trust=estate.context(estate.clients.client("CN=the test itself")),
        )
