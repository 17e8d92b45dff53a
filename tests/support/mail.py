"""A real mail server (aiosmtpd) on this machine, with TLS and passwords."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.authority import Authority
from tests.support.server import free_port

ENDLESS = 50_000_000
"""Bytes after which an endless reply stops all the same. Socket buffers hold a tenth of that at most."""
USER, PASSWORD = "ops", "canary-of-a-mail-password"


@dataclass
class MailServer:
    port: int
    ca_file: Path
    mails: list[EmailMessage] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    """By receiver, or `DATA`: the reply instead of accepting it."""
    tries: int = 0

    def url(self, scheme: str = "mailtos", password: str = PASSWORD, **query: str) -> str:
        given = {"to": "oncall@ops.example", "smtp": "localhost", "from": "strongroom@ops.example", **query}
        text = "&".join(f"{name}={value}" for name, value in given.items())
        return f"{scheme}://{USER}:{password}@localhost:{self.port}?{text}"

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802
        self.tries += 1
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def _knows(_: Any, __: Any, ___: Any, ____: str, login: Any) -> AuthResult:
    known = isinstance(login, LoginPassword) and (login.login, login.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@contextmanager
def running(folder: Path, *, tls: bool = True, hosts: tuple[str, ...] = ("localhost",)) -> Iterator[MailServer]:
    """A server that requires a password. Without ``tls`` it has no STARTTLS."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, ca_file = Authority("an authority of mail"), folder / "ca.pem"
    ca_file.write_bytes(authority.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server(*hosts).write(folder, "mail"))
    server = MailServer(free_port(), ca_file)
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, tls_context=context if tls else None, require_starttls=tls,
        authenticator=_knows, auth_required=True, auth_require_tls=tls,
    )  # fmt: skip
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class EndlessServer:
    port: int
    sent: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def endless(before: Sequence[bytes], forever: bytes) -> Iterator[EndlessServer]:
    """A server that sends the replies ``before``, and then repeats ``forever`` until its client hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = EndlessServer(listening.getsockname()[1])

        def serve() -> None:
            with suppress(OSError), listening.accept()[0] as client:
                for reply in before:
                    client.sendall(reply)
                    client.recv(65_536)
                while server.sent < ENDLESS:
                    client.sendall(forever)
                    server.sent += len(forever)
                    if len(forever) == 1:
                        time.sleep(0.05)
            server.ended.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        thread.join()
